/**
 * Yields what `work` emits while it runs; its value at the end. Ending the iteration early waits for `work`, which holds
 * what it works on.
 */
export async function* withEvents<E, T>(work: (emit: (event: E) => void) => Promise<T>): AsyncGenerator<E, T> {
  const events: E[] = [];
  let wake = (): void => {};
  let done = false;
  const result = work((event) => {
    events.push(event);
    wake();
  });
  const ended = result.then(
    () => {},
    () => {}, // told by the `await` below
  );
  void ended.then(() => {
    done = true;
    wake();
  });
  try {
    while (!done || events.length > 0) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const event = events.shift();
      if (event !== undefined) yield event;
      else await woken;
    }
    return await result;
  } finally {
    await ended;
  }
}
