/**
 * Events that arrive over time. Every iteration yields all of them, from the first one on, and ends after `end()`.
 *
 * Iterations do not consume events: the stream keeps them for as long as it lives.
 */
export class EventLog<E> implements AsyncIterable<E> {
  readonly #events: E[] = [];
  readonly #change = new Change();
  #ended = false;

  add(event: E): void {
    this.#events.push(event);
    this.#change.notify();
  }

  end(): void {
    this.#ended = true;
    this.#change.notify();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E, void> {
    for (let i = 0; ;)
      if (i < this.#events.length) yield this.#events[i++]!;
      else if (this.#ended) return;
      else await this.#change.next;
  }
}

/**
 * Yields what `work` emits while it runs, and returns its result. Ending the iteration early waits for `work`, because it
 * still holds what it works on.
 *
 * @param keep  what becomes of events that arrive before the reader asks for them: `all` are queued, or only the `latest`
 * one is, which suits progress
 * @throws what `work` throws, after its last event
 */
export async function* withEvents<E, T>(
  work: (emit: (event: E) => void) => Promise<T>,
  keep: "all" | "latest" = "all",
): AsyncGenerator<E, T> {
  const unread: E[] = [];
  const change = new Change();
  let done = false;
  const result = work((event) => {
    if (keep === "latest") unread.length = 0;
    unread.push(event);
    change.notify();
  });
  const settle = (): void => {
    done = true;
    change.notify();
  };
  const settled = result.then(settle, settle); // `await result` below throws the error
  try {
    for (;;) {
      const event = unread.shift();
      if (event !== undefined) yield event;
      else if (done) return await result;
      else await change.next;
    }
  } finally {
    await settled;
  }
}

/** Wakes loops that wait for something to change. */
class Change {
  /** Resolves at the next `notify`. */
  next!: Promise<void>;
  #notify!: () => void;

  constructor() {
    this.#renew();
  }

  notify(): void {
    const notify = this.#notify;
    this.#renew();
    notify();
  }

  #renew(): void {
    this.next = new Promise((resolve) => (this.#notify = resolve));
  }
}
