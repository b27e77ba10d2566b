import { KleinbildError } from "../errors.ts";
import type { ImageInput } from "../image/read.ts";
import type { NoiseKind } from "../sampling/noise.ts";
import type { SchedulerName } from "../sampling/scheduler.ts";
import { parseSeed, randomSeed } from "../sampling/seed.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { StepCacheOptions } from "../transformer/step-cache.ts";
import { parse } from "../validation/parse.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { resolveAcceleration } from "./acceleration.ts";
import { nameLoras, type ResolvedLora } from "./loras.ts";
import type { GenerateRequest } from "./request.ts";
import { type RequestFields, requestSchema } from "./request-schema.ts";

/** A request with its defaults. Only the size may be open, because it can come from a reference. */
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
  /** As in the request; undefined: none. */
  readonly acceleration: GenerateRequest["acceleration"];
  /** What `acceleration` means for this run. */
  readonly stepCache: StepCacheOptions | undefined;
  readonly previews: boolean;
  readonly warnings: readonly string[];
}

/**
 * Checks a request against the model and fills in its defaults. An empty prompt is a prompt.
 *
 * @throws KleinbildError `invalid-request` for the first problem
 */
export function resolveRequest(request: GenerateRequest, config: ModelConfig): ResolvedRequest {
  const fields = parse(requestSchema(config), request, { what: "A request" });
  const { prompt, negativePrompt, steps, scheduler, results, noise, references, previews } = fields;
  const acceleration = fields.acceleration === "none" ? undefined : fields.acceleration;
  const warnings: string[] = [];
  const guidance = resolveGuidance(fields, config, warnings);
  if (negativePrompt !== "" && guidance === null)
    warnings.push("negativePrompt has no effect: it counts only with guidance, which is off.");
  return {
    prompt,
    negativePrompt,
    size: resolveSize(fields),
    steps,
    scheduler,
    results,
    seed: fields.seed === undefined ? randomSeed() : parseSeed(fields.seed),
    noise,
    guidance,
    references,
    referenceMode: resolveMode(fields.referenceMode, config),
    loras: nameLoras(fields.loras),
    acceleration,
    stepCache: resolveAcceleration(acceleration, steps, config),
    previews,
    warnings,
  };
}

function resolveSize({ width, height }: RequestFields): ResolvedRequest["size"] {
  if (width === undefined && height === undefined) return undefined;
  if (width !== undefined && height !== undefined) return { width, height };
  const missing = width === undefined ? "width" : "height";
  throw new KleinbildError("invalid-request", `width and height belong together; ${missing} is missing.`, {
    parameter: missing,
  });
}

function resolveGuidance(fields: RequestFields, config: ModelConfig, warnings: string[]): number | null {
  const { guidance, distilled } = fields;
  const wanted = guidance === undefined ? config.defaultGuidance : guidance;
  if (wanted === null || wanted === 1) return null;
  if (!distilled) return wanted;
  if (guidance !== undefined)
    warnings.push(`guidance ${wanted} is ignored: ${config.name} is distilled and takes one pass a step.`);
  return null;
}

function resolveMode(mode: ReferenceMode | undefined, config: ModelConfig): ReferenceMode {
  const isolated = config.referenceAttention === "isolated";
  if (mode === undefined) return isolated ? "exact" : "recompute";
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
