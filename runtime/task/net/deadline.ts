import { orAbort } from "../../async/or-abort.ts";

/**
 * Runs with a signal that aborts with the caller's signal, or after a time. It then rejects even if `run` ignores the signal.
 *
 * It does not use `AbortSignal.any` with `AbortSignal.timeout`: Node 20 may collect such a signal before it fires.
 *
 * @param milliseconds  time until it aborts with a DOMException `TimeoutError`
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
  try {
    return await orAbort(run(inner), inner);
  } catch (error) {
    inner.throwIfAborted(); // before an error that `run` made of the abort
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

/** Whether `withDeadline` threw an error because the time was over. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
