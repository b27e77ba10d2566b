import { KleinbildError } from "../errors.ts";
import type { ImageInput } from "../image/read.ts";
import { type AccelerationOptions, type AccelerationPreset, resolveAcceleration } from "./acceleration.ts";
import { checkChoice, checkFields, checkInteger, clamp, invalid, nearestTo } from "./checks.ts";
import { type LoraInput, type ResolvedLora, resolveLoras } from "./loras.ts";
import type { NoiseKind } from "../sampling/noise.ts";
import { SCHEDULER_NAMES, type SchedulerName } from "../sampling/scheduler.ts";
import { parseSeed, randomSeed } from "../sampling/seed.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { StepCacheOptions } from "../transformer/step-cache.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";

export interface GenerateRequest {
  /** What the picture shows, or what to change in the references ("image 1" is the first). */
  readonly prompt: string;
  /** Pixels, multiples of 16 up to 8192, both or neither. Default: the first reference's prepared size, else the model's. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** 1 … 1000. Default: the model's. */
  readonly steps?: number | undefined;
  /** The solver and its noise levels, by the names of docs/schedulers.md. Default: `Default`, the model's own Euler. */
  readonly scheduler?: SchedulerName | undefined;
  /** Pictures to make, 1 … 20, with seeds counting up; prompt and references are encoded once. Default: 1. */
  readonly results?: number | undefined;
  /** 0 … 2⁶³ − 1; beyond 2⁵³ as bigint or decimal string. Default: a random unsigned 32-bit number. */
  readonly seed?: number | bigint | string | undefined;
  /** `counter` (default): independent of device and size; `torch`: the numbers of PyTorch's CPU generator. */
  readonly noise?: NoiseKind | undefined;
  /** Classifier-free guidance of undistilled models, 1 … 100; 1 or null: off. Default: the model's. */
  readonly guidance?: number | null | undefined;
  /** Whether guidance is ignored, as distilled weights need it. Default: what the model says of itself. */
  readonly distilled?: boolean | undefined;
  /** What guidance leads away from. */
  readonly negativePrompt?: string | undefined;
  /** Pictures to edit or combine, in order, at most four: encoded files or pixels. */
  readonly references?: readonly ImageInput[] | undefined;
  /** Default: `exact` where the weights are trained for it, else `recompute`. */
  readonly referenceMode?: ReferenceMode | undefined;
  /** Low-rank adapters, which add up. */
  readonly loras?: readonly LoraInput[] | undefined;
  /** Reuse between steps. Default: none, which changes no pixel. */
  readonly acceleration?: AccelerationPreset | AccelerationOptions | undefined;
  /** Whether step events carry a preview. Default: true. */
  readonly previews?: boolean | undefined;
}

/** A request with everything decided but the size, which may come from a reference. */
export interface ResolvedRequest {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly steps: number;
  readonly scheduler: SchedulerName;
  readonly results: number;
  /** Of the first picture. */
  readonly seed: bigint;
  readonly noise: NoiseKind;
  readonly guidance: number | null;
  readonly references: readonly ImageInput[];
  readonly referenceMode: ReferenceMode;
  readonly loras: readonly ResolvedLora[];
  /** As it was asked for, and what it means for this run. */
  readonly acceleration: GenerateRequest["acceleration"];
  readonly stepCache: StepCacheOptions | undefined;
  readonly previews: boolean;
  readonly warnings: readonly string[];
}

export const MAX_REFERENCES = 4;
const MAX_STEPS = 1000;
const MAX_RESULTS = 20;
const MAX_PIXELS_PER_SIDE = 8192;
/** Beyond what any model is used with; far larger ones only overflow. */
const MAX_GUIDANCE = 100;
const MODES: readonly ReferenceMode[] = ["exact", "recompute", "step-one"];
const NOISES: readonly NoiseKind[] = ["counter", "torch"];

const FIELDS = Object.keys({
  prompt: 0,
  width: 0,
  height: 0,
  steps: 0,
  scheduler: 0,
  results: 0,
  seed: 0,
  noise: 0,
  guidance: 0,
  distilled: 0,
  negativePrompt: 0,
  references: 0,
  referenceMode: 0,
  loras: 0,
  acceleration: 0,
  previews: 0,
} satisfies Record<keyof GenerateRequest, 0>);

/**
 * Checks a request against the model and fills in its defaults. An empty prompt is a prompt. A field that does not exist
 * is refused: a misspelt one would be ignored in silence.
 *
 * @throws KleinbildError `invalid-request`
 */
export function resolveRequest(request: GenerateRequest, config: ModelConfig): ResolvedRequest {
  checkFields("A request", request, FIELDS);
  const warnings: string[] = [];
  const { prompt, negativePrompt = "", references = [], noise = "counter", previews = true } = request;
  const { scheduler = "Default", results = 1, steps = config.defaultSteps } = request;
  if (typeof prompt !== "string") throw invalid("prompt", "a string", prompt);
  if (typeof negativePrompt !== "string") throw invalid("negativePrompt", "a string", negativePrompt);
  if (!Array.isArray(references) || references.length > MAX_REFERENCES)
    throw invalid("references", `a list of at most ${MAX_REFERENCES} pictures`, references, { max: MAX_REFERENCES });
  if (typeof previews !== "boolean") throw invalid("previews", "true or false", previews);
  checkInteger("steps", steps, 1, MAX_STEPS);
  const guidance = resolveGuidance(request, config, warnings);
  if (negativePrompt !== "" && guidance === null)
    warnings.push("negativePrompt has no effect: it counts only with guidance, which is off.");
  return {
    prompt,
    negativePrompt,
    size: resolveSize(request),
    steps,
    scheduler: checkChoice("scheduler", scheduler, SCHEDULER_NAMES),
    results: checkInteger("results", results, 1, MAX_RESULTS),
    seed: request.seed === undefined ? randomSeed() : parseSeed(request.seed),
    noise: checkChoice("noise", noise, NOISES),
    guidance,
    references,
    referenceMode: resolveMode(request.referenceMode, config),
    loras: resolveLoras(request.loras),
    acceleration: request.acceleration === "none" ? undefined : request.acceleration,
    stepCache: resolveAcceleration(request.acceleration, steps, config),
    previews,
    warnings,
  };
}

function resolveSize({ width, height }: GenerateRequest): ResolvedRequest["size"] {
  if (width === undefined && height === undefined) return undefined;
  if (width === undefined || height === undefined) {
    const missing = width === undefined ? "width" : "height";
    throw new KleinbildError("invalid-request", `width and height belong together; ${missing} is missing.`, {
      parameter: missing,
    });
  }
  const [least, most] = [PIXELS_PER_TOKEN, MAX_PIXELS_PER_SIDE];
  for (const [parameter, value] of Object.entries({ width, height })) {
    if (Number.isInteger(value) && value >= least && value <= most && value % PIXELS_PER_TOKEN === 0) continue;
    const nearest = (wanted: number): number =>
      clamp(Math.round(wanted / PIXELS_PER_TOKEN) * PIXELS_PER_TOKEN, least, most);
    const expected = `a multiple of ${PIXELS_PER_TOKEN} between ${least} and ${most}`;
    throw invalid(parameter, expected, value, { min: least, max: most, ...nearestTo(value, nearest) });
  }
  return { width, height };
}

function resolveGuidance(request: GenerateRequest, config: ModelConfig, warnings: string[]): number | null {
  const { guidance, distilled = config.distilled } = request;
  if (typeof distilled !== "boolean") throw invalid("distilled", "true or false", distilled);
  const wanted = guidance === undefined ? config.defaultGuidance : guidance;
  if (wanted === null) return null;
  if (typeof wanted !== "number" || !(wanted >= 1 && wanted <= MAX_GUIDANCE))
    throw invalid("guidance", `null or a number between 1 (off) and ${MAX_GUIDANCE}`, wanted, {
      min: 1,
      max: MAX_GUIDANCE,
      ...nearestTo(wanted, (value) => clamp(value, 1, MAX_GUIDANCE)),
    });
  if (wanted === 1) return null;
  if (!distilled) return wanted;
  if (guidance !== undefined)
    warnings.push(`guidance ${wanted} is ignored: ${config.name} is distilled and takes one pass a step.`);
  return null;
}

function resolveMode(mode: ReferenceMode | undefined, config: ModelConfig): ReferenceMode {
  const isolated = config.referenceAttention === "isolated";
  if (mode === undefined) return isolated ? "exact" : "recompute";
  checkChoice("referenceMode", mode, MODES);
  if (mode === (isolated ? "step-one" : "exact"))
    throw new KleinbildError(
      "invalid-request",
      isolated
        ? `referenceMode step-one is for weights without isolated references; ${config.name} takes exact or recompute.`
        : `referenceMode exact needs weights trained for isolated references; ${config.name} takes recompute or step-one.`,
      { parameter: "referenceMode" },
    );
  return mode;
}
