import * as v from "valibot";
import { KleinbildError } from "../errors.ts";
import type { StepCacheMethod, StepCacheOptions } from "../transformer/step-cache.ts";
import { choice, float, integer } from "../validation/field-kinds.ts";
import { parse } from "../validation/parse.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";

/** How steps reuse computations of earlier ones, which changes the picture somewhat; see docs/acceleration.md. */
export interface AccelerationOptions {
  /** `first-block`: First-Block Cache. `tea`: TeaCache, for models with fitted coefficients. `dual-block`: DBCache. */
  readonly method: "first-block" | "tea" | "dual-block";
  /** Threshold, for `tea` the distance, 0 … 1. Larger values reuse more, 0 nothing. Default: 0.25, for `tea` 0.5. */
  readonly threshold?: number | undefined;
  /** First step, from 0, that may reuse computations. Default: 0; the first evaluation never does. */
  readonly startStep?: number | undefined;
  /** The step before which reuse ends. Default: the number of steps. */
  readonly endStep?: number | undefined;
  /** Evaluations in a row that may reuse computations, 1 … 1000. Default: 3. */
  readonly maxConsecutive?: number | undefined;
  /** Only for `dual-block`: evaluations in a row that may reuse computations, 1 … 1000. Default: 5. */
  readonly skipInterval?: number | undefined;
  /** Only for `dual-block`: blocks at the start that are always computed, at least 1. Default: 1. */
  readonly firstBlocks?: number | undefined;
  /** Only for `dual-block`: blocks at the end that are always computed. Default: 0. */
  readonly lastBlocks?: number | undefined;
}

/** Settings for acceleration, from exact to fast; docs/acceleration.md has measurements. */
export type AccelerationPreset = "none" | "low" | "medium" | "high";

/** Measurements are in docs/acceleration.md. The first steps decide about the composition, so they are computed. */
const PRESET_OPTIONS = {
  low: { method: "first-block", threshold: 0.08, startStep: 4, maxConsecutive: 2 },
  medium: { method: "first-block", threshold: 0.15, startStep: 4, maxConsecutive: 2 },
  high: { method: "first-block", threshold: 0.25, startStep: 2, maxConsecutive: 3 },
} as const satisfies Readonly<Record<Exclude<AccelerationPreset, "none">, AccelerationOptions>>;

/** The options of a preset in a run of `steps`. */
export function presetOptions(preset: Exclude<AccelerationPreset, "none">, steps: number): AccelerationOptions {
  const options = PRESET_OPTIONS[preset];
  return { ...options, startStep: Math.min(options.startStep, steps - 1) };
}

const PRESETS = choice(["none", "low", "medium", "high"]);
const METHOD = v.looseObject({ method: choice(["first-block", "tea", "dual-block"]) });
const MAX_CONSECUTIVE = 1000;
const PARAMETER = "acceleration";

/**
 * What a request's `acceleration` means for a run of `steps`; undefined when nothing is reused.
 *
 * @throws KleinbildError `invalid-request`; `unsupported` for `tea` on a model without coefficients
 */
export function resolveAcceleration(
  acceleration: AccelerationPreset | AccelerationOptions | undefined,
  steps: number,
  config: ModelConfig,
): StepCacheOptions | undefined {
  if (acceleration === undefined) return undefined;
  if (typeof acceleration !== "string") return resolveOptions(acceleration, steps, config);
  const preset = parse(PRESETS, acceleration, { parameter: PARAMETER });
  return preset === "none" ? undefined : resolveOptions(presetOptions(preset, steps), steps, config);
}

function resolveOptions(options: AccelerationOptions, steps: number, config: ModelConfig): StepCacheOptions {
  const { method } = parse(METHOD, options, { parameter: PARAMETER });
  const common = commonFields(options, steps);
  const naming = { parameter: PARAMETER, what: method };
  if (method === "dual-block") {
    const fields = parse(v.strictObject({ ...common, ...dualBlockFields(options, config) }), options, naming);
    const { threshold, skipInterval, firstBlocks, lastBlocks } = fields;
    return { method: { kind: method, threshold, skipInterval, firstBlocks, lastBlocks }, ...windowOf(fields) };
  }
  const fields = parse(v.strictObject(common), options, naming);
  const cache: StepCacheMethod =
    method === "tea"
      ? { kind: method, distance: fields.threshold, coefficients: coefficientsOf(config) }
      : { kind: method, threshold: fields.threshold };
  return { method: cache, ...windowOf(fields) };
}

/** Fields of every method. The end of the window must be behind its start, which is checked first. */
function commonFields({ method, startStep }: AccelerationOptions, steps: number) {
  const start = Number.isInteger(startStep) ? startStep! : 0;
  return {
    method: choice([method]),
    threshold: v.optional(float({ min: 0, max: 1 }), method === "tea" ? 0.5 : 0.25),
    startStep: v.optional(integer({ min: 0, max: steps - 1 }), 0),
    endStep: v.optional(integer({ min: start + 1, max: steps }), steps),
    maxConsecutive: v.optional(integer({ min: 1, max: MAX_CONSECUTIVE }), 3),
  };
}

function dualBlockFields({ firstBlocks }: AccelerationOptions, { transformer }: ModelConfig) {
  const first = Number.isInteger(firstBlocks) ? firstBlocks! : 1;
  const blocks = transformer.doubleBlocks + transformer.singleBlocks;
  return {
    skipInterval: v.optional(integer({ min: 1, max: MAX_CONSECUTIVE }), 5),
    firstBlocks: v.optional(integer({ min: 1, max: blocks }), 1),
    lastBlocks: v.optional(integer({ min: 0, max: blocks - first }), 0),
  };
}

function windowOf({
  startStep,
  endStep,
  maxConsecutive,
}: Omit<StepCacheOptions, "method">): Omit<StepCacheOptions, "method"> {
  return { startStep, endStep, maxConsecutive };
}

function coefficientsOf({ name, teaCacheCoefficients }: ModelConfig): readonly number[] {
  if (teaCacheCoefficients) return teaCacheCoefficients;
  throw new KleinbildError(
    "unsupported",
    `${name} has no TeaCache coefficients; fit them with npm run fit-teacache, or use method first-block or dual-block.`,
    { parameter: "acceleration.method" },
  );
}
