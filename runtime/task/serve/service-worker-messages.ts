/** Messages between a service worker and the page with the engine. Every request has a channel of its own. */

/** Asks a page, with a port, whether it can answer. Sent to every page. */
export interface OfferMessage {
  readonly type: "kleinbild:offer";
}

export type ToPageMessage =
  | {
      readonly type: "kleinbild:request";
      readonly url: string;
      readonly method: string;
      readonly headers: readonly [string, string][];
      readonly body: ArrayBuffer | undefined;
    }
  | { readonly type: "kleinbild:abort" };

export type ToWorkerMessage =
  | { readonly type: "kleinbild:ready" }
  | {
      readonly type: "kleinbild:response";
      readonly status: number;
      readonly headers: readonly [string, string][];
      readonly body: ArrayBuffer;
    }
  | { readonly type: "kleinbild:failure"; readonly message: string };

export function isOffer(data: unknown): data is OfferMessage {
  return typeof data === "object" && data !== null && "type" in data && data.type === "kleinbild:offer";
}
