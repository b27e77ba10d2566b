import { orAbort } from "../async/or-abort.ts";
import { unpackError } from "./error-envelope.ts";
import type { Pulled, RemoteHost } from "./protocol.ts";

/** A host in a worker or child process, or in this process. */
export interface RemoteHandle<Work> {
  readonly host: RemoteHost<Work>;
  /** Aborts when the worker or process ends by itself, with a KleinbildError `worker-died` as its reason. */
  readonly died: AbortSignal;
}

let lastId = 0;

/**
 * Has a host do work: yields its events, returns its result. After an abort it goes on until the host has freed what the
 * work held.
 *
 * The caller states `Event` and `Result` of the work: they cross as plain data and are not checked.
 *
 * @throws what the work throws, the reason of `signal` once that has aborted, or `worker-died`
 */
export async function* runRemote<Work, Event, Result>(
  { host, died }: RemoteHandle<Work>,
  work: Work,
  signal?: AbortSignal,
): AsyncGenerator<Event, Result> {
  signal?.throwIfAborted();
  const id = ++lastId;
  const cancel = (): void => void host.cancel(id);
  await orAbort(Promise.resolve(host.start(id, work)), died);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for (;;) {
      const pulled = (await orAbort(host.next(id), died)) as Pulled<Event, Result>;
      switch (pulled.kind) {
        case "event":
          yield pulled.event;
          break;
        case "result":
          return pulled.result;
        case "error":
          signal?.throwIfAborted();
          throw unpackError(pulled.error);
        default:
          pulled satisfies never;
      }
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
