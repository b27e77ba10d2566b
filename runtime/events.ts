import type { MemoryReport } from "./gpu/memory.ts";
import type { AdapterSummary } from "./gpu/adapter.ts";
import type { PixelImage } from "./image/pixels.ts";

/** A part of a model. */
export type ModelPart = "tokenizer" | "textEncoder" | "transformer" | "vae";

/** Weights arrived: in the store, in the layout of the kernels, or on the GPU. */
export interface LoadEvent {
  /** Always `load`. */
  readonly type: "load";
  /** `download` and `repack` fill the store, `gpu` uploads weights. */
  readonly stage: "download" | "repack" | "gpu";
  /** The part of the model that the bytes belong to. */
  readonly part: ModelPart;
  /** Bytes that have arrived in this stage, counted as in the files. */
  readonly loadedBytes: number;
  /** Bytes that this stage needs. */
  readonly totalBytes: number;
}

/** A prompt or the references were encoded. */
export interface EncodeEvent {
  /** Always `encode`. */
  readonly type: "encode";
  /** What was encoded. */
  readonly what: "prompt" | "negativePrompt" | "references";
  /** Whether the result was cached from an earlier request. */
  readonly reused: boolean;
}

/** A denoising step is done. */
export interface StepEvent {
  /** Always `step`. */
  readonly type: "step";
  /** Index of the picture in the request, from 0. */
  readonly result: number;
  /** Number of the step, from 1 to `steps`. */
  readonly step: number;
  /** Number of steps of the picture. */
  readonly steps: number;
  /** Noise level at which the step started. */
  readonly sigma: number;
  /** Time of the step. */
  readonly milliseconds: number;
  /** The predicted picture at an eighth of its size, unless `previews` is false. */
  readonly preview?: PixelImage;
}

/** The latents of a picture were decoded to pixels. */
export interface DecodeEvent {
  /** Always `decode`. */
  readonly type: "decode";
  /** Index of the picture in the request, from 0. */
  readonly result: number;
  /** Time of the decoding. */
  readonly milliseconds: number;
}

/** Progress of a run; switch on `type`. */
export type RunEvent = LoadEvent | EncodeEvent | StepEvent | DecodeEvent;

/** Milliseconds of each stage, measured on the GPU if it has timestamps. Stages that did not run are absent. */
export type StageTimings = Readonly<Partial<Record<"prompt" | "references" | "steps" | "decode" | "total", number>>>;

/** How a picture was made. */
export interface RunReport {
  /** Name of the model. */
  readonly model: string;
  /** What computed the dense layers; `mixed` if matrix products and convolutions used different backends. */
  readonly backend: "ort" | "wgsl" | "mixed";
  /** Scalar type of activations within blocks. */
  readonly dtype: "f32" | "f16";
  /** How the matrices of blocks are stored on the GPU. */
  readonly quantization: "none" | "q8" | "q4";
  /** Seed of this picture in decimal digits, also when it was random. */
  readonly seed: string;
  /** Source of the noise. */
  readonly noise: "counter" | "torch";
  /** Number of denoising steps. */
  readonly steps: number;
  /** The solver and its noise levels, by a name of docs/schedulers.md. */
  readonly scheduler: string;
  /** Classifier-free guidance; null: none, so that each evaluation takes one pass. */
  readonly guidance: number | null;
  /** How references took part; absent without references. */
  readonly referenceMode?: "exact" | "recompute" | "step-one";
  /** Names of the LoRAs, in the order of the request. */
  readonly loras: readonly string[];
  /** Transformer passes: all of them (two for each evaluation with guidance), and those that reused computations. */
  readonly passes: {
    /** All passes. With guidance an evaluation takes two. */
    readonly total: number;
    /** Passes that reused results. */
    readonly skipped: number;
  };
  /** Cached keys and values of references. Counts are those since the model was loaded. */
  readonly referenceCache: {
    /** Whether this run found its references in the cache. */
    readonly hit: boolean;
    /** Lookups that found their entry. */
    readonly hits: number;
    /** Lookups that found none. */
    readonly misses: number;
    /** Entries that were dropped. */
    readonly evictions: number;
    /** Entries in the cache. */
    readonly entries: number;
    /** GPU memory of the entries. */
    readonly bytes: number;
    /** Most bytes of the cache. */
    readonly budgetBytes: number;
  };
  /** Time of each stage. Stages that the pictures of a request share are counted for the first. */
  readonly timings: StageTimings;
  /** GPU memory. Peaks were reached in this run. */
  readonly memory: MemoryReport;
  /** The adapter in use. */
  readonly adapter: AdapterSummary;
  /** Sentences about what had no effect, or was done differently. */
  readonly warnings: readonly string[];
}
