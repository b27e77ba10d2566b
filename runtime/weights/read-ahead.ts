/**
 * Reads one thing after the other, the next one while the last is worked on: at most two are held. The order is kept, and
 * when the user of it stops, the read under way is waited for, so that a file may be closed afterwards.
 *
 * @param signal  ends it between reads, with its reason
 */
export async function* readAhead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
  signal?: AbortSignal,
): AsyncGenerator<readonly [item: T, result: R], void, undefined> {
  let next: Promise<R> | undefined;
  const start = (index: number): Promise<R> | undefined => {
    if (index >= items.length) return undefined;
    const started = read(items[index]!);
    started.catch(() => {}); // whoever awaits it sees the error; until then it is not unhandled
    return started;
  };
  try {
    next = start(0);
    for (const [i, item] of items.entries()) {
      const result = await next!;
      signal?.throwIfAborted();
      next = start(i + 1);
      yield [item, result];
    }
  } finally {
    await next?.catch(() => {});
  }
}
