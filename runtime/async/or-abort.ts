/**
 * Settles as `promise` does, or rejects with the signal's reason if the signal aborts first.
 *
 * Unlike `Promise.race` with a promise that never settles, it leaves nothing behind: the listener goes with the call.
 */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    const forget = (): void => signal.removeEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(forget);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
