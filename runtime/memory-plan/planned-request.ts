import type { ModelConfig } from "../weights/config/model-config.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";

/** Width and height in pixels. */
export interface Size {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
}

/** What a request's memory depends on. */
export interface PlannedRequest extends Size {
  /** Sizes of the references, as they are encoded. */
  readonly references: readonly Size[];
  /** How references take part. */
  readonly referenceMode: ReferenceMode;
  /** Whether each evaluation takes two passes. */
  readonly guidance: boolean;
  /** Whether step events carry previews. */
  readonly previews: boolean;
  /** Number of pictures. */
  readonly pictures: number;
  /** Evaluations of the velocity. */
  readonly evaluations: number;
  /** Matrices as large as the latents that the solver keeps. */
  readonly solverRegisters: number;
  /** Streams whose changes a step cache keeps; `none` without a step cache. */
  readonly stepCache: "none" | "target" | "all";
  /** Sets of weights that LoRAs make: 2 where one of them acts on some noise levels only, else 1. */
  readonly weightVariants: number;
  /** Bytes of all LoRAs together on the GPU. */
  readonly loraBytes: number;
  /** Ranks of the LoRAs that act at once, added up. */
  readonly loraRank: number;
}

/** The request with the model's defaults for missing fields. Sizes are rounded up to whole tokens. */
export function completeRequest(config: ModelConfig, request: Partial<PlannedRequest> = {}): PlannedRequest {
  const complete = {
    width: config.defaultSize,
    height: config.defaultSize,
    references: [],
    referenceMode: config.referenceAttention === "isolated" ? "exact" : "recompute",
    guidance: config.defaultGuidance !== null,
    previews: true,
    pictures: 1,
    evaluations: config.defaultSteps,
    solverRegisters: 0,
    stepCache: "none",
    weightVariants: 1,
    loraBytes: 0,
    loraRank: 0,
    ...request,
  } satisfies PlannedRequest;
  return { ...complete, ...wholeTokens(complete), references: complete.references.map(wholeTokens) };
}

function wholeTokens({ width, height }: Size): Size {
  const round = (pixels: number): number => Math.ceil(pixels / PIXELS_PER_TOKEN) * PIXELS_PER_TOKEN;
  return { width: round(width), height: round(height) };
}
