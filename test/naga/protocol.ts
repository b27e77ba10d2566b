/** What the test asks of the process that has naga: all of it is JSON, so bytes are base64. */
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
  /** Contents of the uniform binding behind them. */
  readonly parameters: string;
  readonly grid: readonly [number, number];
}

export interface NagaReply {
  /** What compiled the shaders, and on what. */
  readonly adapter: string;
  /** By module, messages of the compiler and errors of the pipelines; empty where all went well. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** By run, the storage bindings after the run, or what went wrong. */
  readonly runs: Readonly<Record<string, { readonly storage: readonly string[] } | { readonly error: string }>>;
}
