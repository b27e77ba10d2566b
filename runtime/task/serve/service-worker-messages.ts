/** What a service worker and the page that keeps the engine tell each other. Every request has a channel of its own. */

/** Comes with a port, to every page: who can answer? */
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
