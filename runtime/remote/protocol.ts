import type { EngineEvent, EngineInfo } from "../engine/engine.ts";
import type { LoadEvent } from "../events.ts";
import type { LibraryCall } from "../models/models.ts";
import type { GenerateRequest } from "../request/request.ts";
import type { ErrorEnvelope } from "./error-envelope.ts";

/** What `next` gives: one event, or how the work ended. */
export type Pulled<Event, Result> =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "error"; readonly error: ErrorEnvelope };

/**
 * A worker or child process that does work for its caller. Work is started under an id of the caller's choice and pulled
 * event by event. Only plain data crosses, so the pipe of a child process serves as well as the port of a worker.
 */
export interface RemoteHost<Work> {
  start(id: number, work: Work): void | Promise<void>;
  /** Waits for the next event of the work `id`, or for its end. After the end, the id is unknown. */
  next(id: number): Promise<Pulled<unknown, unknown>>;
  /** Ends the work at its next abort point: `next` then gives an error. Ignores ids that are unknown. */
  cancel(id: number): void | Promise<void>;
}

/** What the host of an engine does. */
export type EngineWork<Options> =
  /** Loads a model; the other kinds but `library` need one. */
  | { readonly kind: "open"; readonly options: Options }
  | { readonly kind: "generate"; readonly request: GenerateRequest }
  | { readonly kind: "info" }
  /** Ends all other work and frees the engine. */
  | { readonly kind: "dispose" }
  /** Work on models that needs no engine. */
  | { readonly kind: "library"; readonly call: LibraryCall<never> };

/** The events of each kind of work, and its result. */
export interface EngineOutcomes {
  readonly open: { readonly event: LoadEvent; readonly result: EngineInfo };
  readonly generate: { readonly event: EngineEvent; readonly result: void };
  readonly info: { readonly event: never; readonly result: EngineInfo };
  readonly dispose: { readonly event: never; readonly result: void };
  readonly library: { readonly event: LoadEvent; readonly result: unknown };
}
