/**
 * Runs with a signal that aborts with the caller's, or after a time. Ends then whether or not `run` heeds the signal.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 may collect such a signal before it fires.
 *
 * @param milliseconds  until a DOMException `TimeoutError`
 * @throws what `run` throws, the reason of `signal` as it is, or the `TimeoutError`
 */
export async function withDeadline<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const { signal: inner } = controller;
  const forward = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DOMException(`Nothing came within ${milliseconds / 1000} s.`, "TimeoutError")),
    milliseconds,
  );
  const aborted = new Promise<never>((_, reject) => {
    inner.addEventListener("abort", () => reject(inner.reason as Error), { once: true });
  });
  try {
    return await Promise.race([run(inner), aborted]);
  } catch (error) {
    inner.throwIfAborted(); // rather than what `run` made of it
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
