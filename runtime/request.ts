import { KleinbildError } from "./errors.ts";
import type { ImageInput } from "./image/read.ts";
import type { NoiseKind } from "./sampling/noise.ts";
import { parseSeed, randomSeed } from "./sampling/seed.ts";
import type { ReferenceMode } from "./transformer/denoiser.ts";
import { PIXELS_PER_TOKEN } from "./vae/autoencoder.ts";
import type { ModelConfig } from "./weights/model-config.ts";

export interface GenerateRequest {
  /** What the picture shows, or what to change in the references ("image 1" is the first). */
  readonly prompt: string;
  /** Pixels, multiples of 16, both or neither. Default: the first reference's prepared size, else the model's. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Default: the model's. */
  readonly steps?: number | undefined;
  /** 0 … 2⁶³ − 1; beyond 2⁵³ as bigint or decimal string. Default: a random unsigned 32-bit number. */
  readonly seed?: number | bigint | string | undefined;
  /** `counter` (default): independent of device and size; `torch`: the numbers of PyTorch's CPU generator. */
  readonly noise?: NoiseKind | undefined;
  /** Classifier-free guidance of undistilled models; 1 or null: off. Default: the model's. */
  readonly guidance?: number | null | undefined;
  /** What guidance leads away from. */
  readonly negativePrompt?: string | undefined;
  /** Pictures to edit or combine, in order: encoded files or pixels. */
  readonly references?: readonly ImageInput[] | undefined;
  /** Default: `exact` where the weights are trained for it, else `recompute`. */
  readonly referenceMode?: ReferenceMode | undefined;
  /** Whether step events carry a preview. Default: true. */
  readonly previews?: boolean | undefined;
}

/** A request with everything decided but the size, which may come from a reference. */
export interface ResolvedRequest {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly steps: number;
  readonly seed: bigint;
  readonly noise: NoiseKind;
  readonly guidance: number | null;
  readonly references: readonly ImageInput[];
  readonly referenceMode: ReferenceMode;
  readonly previews: boolean;
  readonly warnings: readonly string[];
}

export const MAX_REFERENCES = 4;
const MAX_STEPS = 1000;
const MAX_PIXELS_PER_SIDE = 8192;
const MODES: readonly ReferenceMode[] = ["exact", "recompute", "step-one"];

/** Checks a request against the model and fills in its defaults. @throws KleinbildError `invalid-request` */
export function resolveRequest(request: GenerateRequest, config: ModelConfig): ResolvedRequest {
  const warnings: string[] = [];
  if (typeof request.prompt !== "string")
    throw invalid("prompt", `prompt must be a string; got ${typeof request.prompt}.`);
  const { negativePrompt = "", references = [], noise = "counter", previews = true } = request;
  if (typeof negativePrompt !== "string")
    throw invalid("negativePrompt", `negativePrompt must be a string; got ${typeof negativePrompt}.`);
  if (!Array.isArray(references) || references.length > MAX_REFERENCES)
    throw invalid("references", `references must be a list of at most ${MAX_REFERENCES} pictures.`, {
      max: MAX_REFERENCES,
    });
  if (noise !== "counter" && noise !== "torch")
    throw invalid("noise", `noise must be "counter" or "torch"; got ${String(noise)}.`);
  const steps = request.steps ?? config.defaultSteps;
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS)
    throw invalid("steps", `steps must be a whole number between 1 and ${MAX_STEPS}; got ${steps}.`, {
      min: 1,
      max: MAX_STEPS,
    });
  const guidance = resolveGuidance(request, config, warnings);
  if (negativePrompt !== "" && guidance === null)
    warnings.push("negativePrompt has no effect: it counts only with guidance, which is off.");
  return {
    prompt: request.prompt,
    negativePrompt,
    size: resolveSize(request),
    steps,
    seed: request.seed === undefined ? randomSeed() : parseSeed(request.seed),
    noise,
    guidance,
    references,
    referenceMode: resolveMode(request.referenceMode, config),
    previews,
    warnings,
  };
}

function resolveSize({ width, height }: GenerateRequest): ResolvedRequest["size"] {
  if (width === undefined && height === undefined) return undefined;
  if (width === undefined || height === undefined) {
    const missing = width === undefined ? "width" : "height";
    throw invalid(missing, `width and height belong together; ${missing} is missing.`);
  }
  for (const [parameter, value] of Object.entries({ width, height })) {
    const nearest = Math.max(PIXELS_PER_TOKEN, Math.round(value / PIXELS_PER_TOKEN) * PIXELS_PER_TOKEN);
    if (
      !Number.isInteger(value) ||
      value < PIXELS_PER_TOKEN ||
      value > MAX_PIXELS_PER_SIDE ||
      value % PIXELS_PER_TOKEN !== 0
    )
      throw invalid(
        parameter,
        `${parameter} must be a multiple of ${PIXELS_PER_TOKEN} between ${PIXELS_PER_TOKEN} and ${MAX_PIXELS_PER_SIDE}; got ${value}.`,
        Number.isFinite(value) ? { nearest: Math.min(nearest, MAX_PIXELS_PER_SIDE) } : {},
      );
  }
  return { width, height };
}

function resolveGuidance({ guidance }: GenerateRequest, config: ModelConfig, warnings: string[]): number | null {
  const wanted = guidance === undefined ? config.defaultGuidance : guidance;
  if (wanted === null) return null;
  if (!Number.isFinite(wanted) || wanted < 1)
    throw invalid("guidance", `guidance must be a number of at least 1 (1: off); got ${wanted}.`, { min: 1 });
  if (wanted === 1) return null;
  if (!config.distilled) return wanted;
  warnings.push(`guidance ${wanted} is ignored: ${config.name} is distilled and takes one pass a step.`);
  return null;
}

function resolveMode(mode: ReferenceMode | undefined, config: ModelConfig): ReferenceMode {
  const isolated = config.referenceAttention === "isolated";
  if (mode === undefined) return isolated ? "exact" : "recompute";
  if (!MODES.includes(mode))
    throw invalid("referenceMode", `referenceMode must be one of ${MODES.join(", ")}; got ${mode}.`);
  if (mode === "exact" && !isolated)
    throw invalid(
      "referenceMode",
      `referenceMode exact needs weights trained for isolated references; ${config.name} takes recompute or step-one.`,
    );
  if (mode === "step-one" && isolated)
    throw invalid(
      "referenceMode",
      `referenceMode step-one is for weights without isolated references; ${config.name} takes exact or recompute.`,
    );
  return mode;
}

function invalid(parameter: string, message: string, details: Record<string, number> = {}): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter, ...details });
}
