/** A request of the test to the process with naga. It is JSON, so bytes are base64. */
export interface NagaRequest {
  readonly modules: readonly NagaModule[];
  readonly runs: readonly NagaRun[];
}

export interface NagaModule {
  readonly id: string;
  readonly code: string;
  /** Whether the code says `enable f16`. */
  readonly f16: boolean;
  /** One pipeline for each set of overrides. */
  readonly variants: readonly Readonly<Record<string, number>>[];
}

export interface NagaRun {
  readonly id: string;
  readonly code: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Contents of the storage bindings from 0 on. */
  readonly storage: readonly string[];
  /** Contents of the uniform binding after the storage bindings. */
  readonly parameters: string;
  readonly grid: readonly [number, number];
}

export interface NagaReply {
  /** The compiler of the shaders, and the adapter. */
  readonly adapter: string;
  /** Messages of the compiler and errors of pipelines, by module. Empty if there were none. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** The storage bindings after each run, or its error. */
  readonly runs: Readonly<Record<string, { readonly storage: readonly string[] } | { readonly error: string }>>;
}
