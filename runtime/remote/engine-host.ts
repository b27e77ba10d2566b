import { withEvents } from "../async/event-stream.ts";
import type { Engine, EngineEvent, EngineInfo } from "../engine/engine.ts";
import { KleinbildError } from "../errors.ts";
import type { LoadEvent } from "../events.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LibraryCall } from "../models/models.ts";
import type { EngineWork, Pulled, RemoteHost } from "./protocol.ts";
import { WorkHost } from "./work-host.ts";

/** Work that reports its progress. */
type Progressive<Input, Result> = (
  input: Input,
  signal: AbortSignal,
  onLoad: (event: LoadEvent) => void,
) => Promise<Result>;

/** Serves one engine, and the model library. */
export class EngineHost<Options> implements RemoteHost<EngineWork<Options>> {
  readonly #create: Progressive<Options, Engine>;
  readonly #library: Progressive<LibraryCall<never>, unknown>;
  readonly #works = new WorkHost<EngineWork<Options>>((work, signal) => this.#begin(work, signal));
  #engine: Engine | undefined;

  /**
   * @param create   loads a model
   * @param library  answers calls of the model library; without it, they fail with `internal`
   */
  constructor(create: Progressive<Options, Engine>, library: Progressive<LibraryCall<never>, unknown> = noLibrary) {
    this.#create = create;
    this.#library = library;
  }

  start(id: number, work: EngineWork<Options>): void {
    this.#works.start(id, work);
  }

  next(id: number): Promise<Pulled<unknown, unknown>> {
    return this.#works.next(id);
  }

  cancel(id: number): void {
    this.#works.cancel(id);
  }

  async *#begin(work: EngineWork<Options>, signal: AbortSignal): AsyncGenerator<EngineEvent, unknown> {
    switch (work.kind) {
      case "open":
        return yield* this.#open(work.options, signal);
      case "generate":
        return yield* this.#opened().generate(work.request, signal);
      case "info":
        return this.#opened().info;
      case "dispose":
        return this.#dispose();
      case "library":
        return yield* withEvents<LoadEvent, unknown>((emit) => this.#library(work.call, signal, emit), "latest");
      default:
        return work satisfies never;
    }
  }

  async *#open(options: Options, signal: AbortSignal): AsyncGenerator<LoadEvent, EngineInfo> {
    this.#engine = yield* withEvents<LoadEvent, Engine>((emit) => this.#create(options, signal, emit), "latest");
    return this.#engine.info;
  }

  async #dispose(): Promise<void> {
    this.#works.cancelAll();
    await this.#engine?.dispose();
    this.#engine = undefined;
  }

  #opened(): Engine {
    if (!this.#engine) throw new KleinbildError("disposed", "The engine was disposed of.");
    return this.#engine;
  }
}

/** The pixels of a picture: the engine has no more use for them, so a port moves them. */
export function pixelsToMove(event: unknown): Transferable[] {
  const { type, image } = event as { readonly type: EngineEvent["type"]; readonly image: PixelImage };
  return type === "result" ? [image.data.buffer] : [];
}

async function noLibrary(): Promise<never> {
  throw new KleinbildError("internal", "This host has no model library.");
}
