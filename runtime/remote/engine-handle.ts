import type { ImageCodec } from "../image/codec.ts";
import type { EngineOutcomes, EngineWork } from "./protocol.ts";
import { type RemoteHandle, runRemote } from "./run-remote.ts";

/** An engine, wherever it runs. */
export interface EngineHandle<Options> extends RemoteHandle<EngineWork<Options>> {
  /** Reads and writes image files on this side. */
  readonly codec: ImageCodec;
  /** Ends the worker or process. */
  close(): void;
}

interface RunOptions<Event> {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Event) => void) | undefined;
}

/** Runs one kind of work to its end. @throws as `runRemote` */
export async function runEngineWork<Options, Kind extends keyof EngineOutcomes>(
  handle: EngineHandle<Options>,
  work: Extract<EngineWork<Options>, { readonly kind: Kind }>,
  { signal, onEvent }: RunOptions<EngineOutcomes[Kind]["event"]> = {},
): Promise<EngineOutcomes[Kind]["result"]> {
  type Outcome = EngineOutcomes[Kind];
  const run = runRemote<EngineWork<Options>, Outcome["event"], Outcome["result"]>(handle, work, signal);
  for (;;) {
    const { done, value } = await run.next();
    if (done) return value;
    onEvent?.(value);
  }
}
