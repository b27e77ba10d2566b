/**
 * Reads items in order, each one while the caller works on the one before, so that at most two results are held. If the
 * caller stops early, the pending read is awaited, so that the caller may then close the file.
 *
 * @param signal  aborts between reads
 * @throws the signal's reason
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
    started.catch(() => {}); // it is awaited later; until then it must not count as unhandled
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
