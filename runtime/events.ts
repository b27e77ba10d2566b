import type { MemoryReport } from "./gpu/memory.ts";
import type { AdapterSummary } from "./gpu/adapter.ts";
import type { PixelImage } from "./image/pixels.ts";

export type ModelPart = "tokenizer" | "textEncoder" | "transformer" | "vae";

/** Weights on their way: into the store, to the kernels' layout, to the GPU. */
export interface LoadEvent {
  readonly type: "load";
  readonly stage: "download" | "repack" | "gpu";
  readonly part: ModelPart;
  /** Bytes that have arrived in this stage, of those that are needed, as they lie in the files. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

/** The prompt or the references were encoded, or were found kept from an earlier request (`reused`). */
export interface EncodeEvent {
  readonly type: "encode";
  readonly what: "prompt" | "negativePrompt" | "references";
  readonly reused: boolean;
}

export interface StepEvent {
  readonly type: "step";
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  /** From 1 to `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Noise level that the step started from. */
  readonly sigma: number;
  readonly milliseconds: number;
  /** The predicted picture at an eighth of its size. */
  readonly preview?: PixelImage;
}

export interface DecodeEvent {
  readonly type: "decode";
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  readonly milliseconds: number;
}

/** What a run tells of its progress. */
export type RunEvent = LoadEvent | EncodeEvent | StepEvent | DecodeEvent;

/** Milliseconds of each stage, on the GPU where it has timestamps. */
export type StageTimings = Readonly<Partial<Record<"prompt" | "references" | "steps" | "decode" | "total", number>>>;

/** Everything about a picture but the picture. */
export interface RunReport {
  readonly model: string;
  /** What computed the dense layers; `mixed` where products and convolutions went to different ones. */
  readonly backend: "ort" | "wgsl" | "mixed";
  readonly dtype: "f32" | "f16";
  readonly quantization: "none" | "q8" | "q4";
  /** Decimal; the seed used, also when none was given. */
  readonly seed: string;
  readonly noise: "counter" | "torch";
  readonly steps: number;
  /** By its name in docs/schedulers.md. */
  readonly scheduler: string;
  /** Null: one pass an evaluation. */
  readonly guidance: number | null;
  /** Absent without references. */
  readonly referenceMode?: "exact" | "recompute" | "step-one";
  /** Names, in the order of the request. */
  readonly loras: readonly string[];
  /** Transformer passes that the run took, two an evaluation with guidance, and how many of them reused kept work. */
  readonly passes: { readonly total: number; readonly skipped: number };
  readonly referenceCache: {
    /** Whether this run found its references' keys and values kept. */
    readonly hit: boolean;
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
    readonly entries: number;
    readonly bytes: number;
    readonly budgetBytes: number;
  };
  /** What all pictures of a request share counts for the first. */
  readonly timings: StageTimings;
  /** Peaks are those of this run. */
  readonly memory: MemoryReport;
  readonly adapter: AdapterSummary;
  readonly warnings: readonly string[];
}
