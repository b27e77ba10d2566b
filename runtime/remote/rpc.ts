import * as Comlink from "comlink";
import { KleinbildError, type KleinbildErrorCode, type ErrorDetails } from "../errors.ts";
import type { Engine, EngineEvent, EngineInfo } from "../engine/engine.ts";
import type { LoadEvent } from "../events.ts";
import type { LibraryCall } from "../models/library-call.ts";
import type { GenerateRequest } from "../request/request.ts";

const MAX_CAUSES = 8;

/** Whichever error crossed the boundary, as plain data. */
interface ErrorEnvelope {
  readonly code: KleinbildErrorCode | undefined;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly details: ErrorDetails;
  readonly cause: ErrorEnvelope | undefined;
}

/** What `next` gives: one event, the end of the run with its result, or what it failed with. */
export type Pulled<Event, Result> =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "error"; readonly error: ErrorEnvelope };

/**
 * The engine as seen through a port. Long work is started under an id and pulled event by event, so that nothing but
 * plain data crosses and a child process's pipe serves as well as a worker's port.
 */
export interface RemoteEngine<Options> {
  open(id: number, options: Options): void;
  generate(id: number, request: GenerateRequest): void;
  nextLoad(id: number): Promise<Pulled<LoadEvent, EngineInfo>>;
  nextEvent(id: number): Promise<Pulled<EngineEvent, void>>;
  /** Starts work on stored models. */
  call(id: number, call: LibraryCall<never>): void;
  nextCall(id: number): Promise<Pulled<LoadEvent, unknown>>;
  /** Ends a run at its next abort point; its pull gives an error, which the caller replaces by its own signal's reason. */
  cancel(id: number): void;
  info(): Promise<EngineInfo | ErrorEnvelope>;
  dispose(): Promise<void>;
}

/** Work that reports how far it is. */
type Progressive<Input, Result> = (
  input: Input,
  signal: AbortSignal,
  onLoad: (event: LoadEvent) => void,
) => Promise<Result>;

/** Serves an engine that `create` makes, and the model library; runs in the worker or child process. */
export class EngineHost<Options> implements RemoteEngine<Options> {
  readonly #create: Progressive<Options, Engine>;
  readonly #library: Progressive<LibraryCall<never>, unknown>;
  readonly #aborts = new Map<number, AbortController>();
  readonly #loads = new Map<number, AsyncGenerator<LoadEvent, EngineInfo>>();
  readonly #runs = new Map<number, AsyncGenerator<EngineEvent, void>>();
  readonly #calls = new Map<number, AsyncGenerator<LoadEvent, unknown>>();
  #engine: Engine | undefined;

  constructor(create: Progressive<Options, Engine>, library: Progressive<LibraryCall<never>, unknown> = noLibrary) {
    this.#create = create;
    this.#library = library;
  }

  open(id: number, options: Options): void {
    this.#loads.set(id, this.#load(options, this.#signal(id)));
  }

  generate(id: number, request: GenerateRequest): void {
    this.#runs.set(id, this.#run(request, this.#signal(id)));
  }

  async nextLoad(id: number): Promise<Pulled<LoadEvent, EngineInfo>> {
    return this.#pull(id, this.#loads);
  }

  async nextEvent(id: number): Promise<Pulled<EngineEvent, void>> {
    const pulled = await this.#pull(id, this.#runs);
    return pulled.kind === "event" && pulled.event.type === "result"
      ? Comlink.transfer(pulled, [pulled.event.image.data.buffer as ArrayBuffer])
      : pulled;
  }

  call(id: number, call: LibraryCall<never>): void {
    this.#calls.set(id, withProgress(this.#library, call, this.#signal(id)));
  }

  async nextCall(id: number): Promise<Pulled<LoadEvent, unknown>> {
    return this.#pull(id, this.#calls);
  }

  cancel(id: number): void {
    this.#aborts.get(id)?.abort();
  }

  async info(): Promise<EngineInfo | ErrorEnvelope> {
    try {
      return this.#opened().info;
    } catch (error) {
      return packError(error);
    }
  }

  async dispose(): Promise<void> {
    for (const abort of this.#aborts.values()) abort.abort();
    await this.#engine?.dispose();
    this.#engine = undefined;
  }

  #opened(): Engine {
    if (!this.#engine) throw new KleinbildError("disposed", "The engine was disposed of.");
    return this.#engine;
  }

  async *#run(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<EngineEvent, void> {
    return yield* this.#opened().generate(request, signal);
  }

  #signal(id: number): AbortSignal {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    return abort.signal;
  }

  async #pull<Event, Result>(
    id: number,
    runs: Map<number, AsyncGenerator<Event, Result>>,
  ): Promise<Pulled<Event, Result>> {
    const pulled = await pull(runs.get(id), `run ${id}`);
    if (pulled.kind !== "event") this.#forget(id);
    return pulled;
  }

  #forget(id: number): void {
    this.#aborts.delete(id);
    this.#loads.delete(id);
    this.#runs.delete(id);
    this.#calls.delete(id);
  }

  async *#load(options: Options, signal: AbortSignal): AsyncGenerator<LoadEvent, EngineInfo> {
    this.#engine = yield* withProgress(this.#create, options, signal);
    return this.#engine.info;
  }
}

/** The next event of a run, or its end, as data that crosses. @param name  of the run, for when there is none */
async function pull<Event, Result>(
  run: AsyncGenerator<Event, Result> | undefined,
  name: string,
): Promise<Pulled<Event, Result>> {
  try {
    if (!run) throw new KleinbildError("internal", `There is no ${name}.`);
    const { done, value } = await run.next();
    return done ? { kind: "result", result: value } : { kind: "event", event: value };
  } catch (error) {
    return { kind: "error", error: packError(error) };
  }
}

/** Progress as it comes, then the result; what is not pulled in time is replaced by what is newer. */
async function* withProgress<Input, Result>(
  work: Progressive<Input, Result>,
  input: Input,
  signal: AbortSignal,
): AsyncGenerator<LoadEvent, Result> {
  let latest: LoadEvent | undefined;
  let wake = (): void => {};
  let settled = false;
  const result = work(input, signal, (event) => {
    latest = event;
    wake();
  });
  const settle = (): void => {
    settled = true;
    wake();
  };
  result.then(settle, settle); // a rejection is met at `await result` below
  while (!settled || latest) {
    if (!latest) await new Promise<void>((resolve) => (wake = resolve));
    const event = latest;
    latest = undefined;
    if (event) yield event;
  }
  return result;
}

async function noLibrary(): Promise<never> {
  throw new KleinbildError("internal", "This host has no model library.");
}

/** Serves `host` on an endpoint; in a worker, on its own port. */
export function exposeEngine<Options>(host: EngineHost<Options>, endpoint?: Comlink.Endpoint): void {
  Comlink.expose(host, endpoint);
}

export type Endpoint = Comlink.Endpoint;
export type EngineProxy<Options> = Comlink.Remote<RemoteEngine<Options>>;

/** The caller's side of `exposeEngine`. */
export function wrapEngine<Options>(endpoint: Endpoint): EngineProxy<Options> {
  return Comlink.wrap<RemoteEngine<Options>>(endpoint);
}

/** A worker's only run, seen through its port: started once, then pulled event by event. */
interface RemoteRun<Options, Event> {
  start(options: Options): void;
  next(): Promise<Pulled<Event, void>>;
}

/** Starts a run. */
type StartRun<Options, Event> = (options: Options) => AsyncGenerator<Event, void>;

/** Serves one run in a worker; what `run` throws at once is met by the first pull. */
export function exposeRun<Options, Event>(run: StartRun<Options, Event>): void {
  let running: AsyncGenerator<Event, void> | undefined;
  const host: RemoteRun<Options, Event> = {
    start(options) {
      running = (async function* (): AsyncGenerator<Event, void> {
        yield* run(options);
      })();
    },
    next: () => pull(running, "run"),
  };
  Comlink.expose(host);
}

/** The page's side of `exposeRun`. */
export function wrapRun<Options, Event>(worker: Worker): Comlink.Remote<RemoteRun<Options, Event>> {
  return Comlink.wrap<RemoteRun<Options, Event>>(worker);
}

/** @param depth  of causes above it; a chain of more than `MAX_CAUSES`, or a circular one, is cut */
export function packError(error: unknown, depth = 0): ErrorEnvelope {
  if (!(error instanceof Error))
    return { code: undefined, name: "Error", message: String(error), stack: undefined, details: {}, cause: undefined };
  const known = error instanceof KleinbildError ? error : undefined;
  return {
    code: known?.code,
    name: error.name,
    message: error.message,
    stack: error.stack,
    details: known?.details ?? {},
    cause: error.cause === undefined || depth === MAX_CAUSES ? undefined : packError(error.cause, depth + 1),
  };
}

/** The error with class, code, details, cause and the stack of where it was thrown. */
export function unpackError(envelope: ErrorEnvelope): Error {
  const options = envelope.cause ? { cause: unpackError(envelope.cause) } : undefined;
  const error = envelope.code
    ? new KleinbildError(envelope.code, envelope.message, envelope.details, options)
    : Object.assign(new Error(envelope.message, options), { name: envelope.name });
  if (envelope.stack !== undefined) error.stack = envelope.stack;
  return error;
}

export function isErrorEnvelope(value: EngineInfo | ErrorEnvelope): value is ErrorEnvelope {
  return "message" in value;
}
