import type { ImageCodec } from "../image/codec.ts";
import { type Pulled, type RemoteEngine, unpackError } from "./rpc.ts";

/** Where an engine runs and how one talks to it. */
export interface EngineHandle<Options> {
  readonly remote: Asynchronous<RemoteEngine<Options>>;
  readonly codec: ImageCodec;
  /** Rejects when the engine's worker or process ends by itself. */
  readonly died: Promise<never>;
  /** Ends the worker or process. */
  close(): void;
}

type Asynchronous<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => R | Promise<Awaited<R>> : never;
};

let lastId = 0;

/** A name for a run that no other of this page or process has. */
export function nextId(): number {
  return ++lastId;
}

/** Pulls a run to its end. An abort is told to the engine; the run ends when the engine has let go of what it held. */
export async function drain<Event, Result>(
  { remote, died }: EngineHandle<never>,
  id: number,
  signal: AbortSignal | undefined,
  next: () => Promise<Pulled<Event, Result>> | Pulled<Event, Result>,
  onEvent: (event: Event) => void,
): Promise<Result> {
  const cancel = (): void => void remote.cancel(id);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for (;;) {
      const pulled = await Promise.race([next(), died]);
      if (pulled.kind === "event") onEvent(pulled.event);
      else if (pulled.kind === "result") return pulled.result;
      else {
        signal?.throwIfAborted();
        throw unpackError(pulled.error);
      }
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
