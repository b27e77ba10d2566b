import { KleinbildError } from "../errors.ts";
import { packError } from "./error-envelope.ts";
import type { Pulled, RemoteHost } from "./protocol.ts";

interface Running {
  readonly events: AsyncGenerator<unknown, unknown>;
  readonly abort: AbortController;
}

/** The side of the protocol that does the work. Runs in a worker or child process. */
export class WorkHost<Work> implements RemoteHost<Work> {
  readonly #begin: (work: Work, signal: AbortSignal) => AsyncGenerator<unknown, unknown>;
  readonly #running = new Map<number, Running>();

  /** @param begin  does the work, from the first pull on: yields its events, returns its result */
  constructor(begin: (work: Work, signal: AbortSignal) => AsyncGenerator<unknown, unknown>) {
    this.#begin = begin;
  }

  start(id: number, work: Work): void {
    const abort = new AbortController();
    this.#running.set(id, { events: this.#events(work, abort.signal), abort });
  }

  async next(id: number): Promise<Pulled<unknown, unknown>> {
    try {
      const running = this.#running.get(id);
      if (!running) throw new KleinbildError("internal", `There is no run ${id}.`);
      const { done, value } = await running.events.next();
      if (!done) return { kind: "event", event: value };
      this.#running.delete(id);
      return { kind: "result", result: value };
    } catch (error) {
      this.#running.delete(id);
      return { kind: "error", error: packError(error) };
    }
  }

  cancel(id: number): void {
    this.#running.get(id)?.abort.abort();
  }

  cancelAll(): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }

  /** Lazy, so that what `begin` throws at once is an error of the first pull. */
  async *#events(work: Work, signal: AbortSignal): AsyncGenerator<unknown, unknown> {
    return yield* this.#begin(work, signal);
  }
}
