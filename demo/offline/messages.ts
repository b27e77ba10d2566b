/** What the service worker tells the pages. */
export interface FromServiceWorker {
  readonly type: "no-room";
}

export function isNoRoom(message: unknown): message is FromServiceWorker {
  return typeOf(message) === "no-room";
}

/** What workbox-window sends to a version that waits. */
export function isSkipWaiting(message: unknown): boolean {
  return typeOf(message) === "SKIP_WAITING";
}

function typeOf(message: unknown): unknown {
  return typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
}
