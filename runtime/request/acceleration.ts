import { KleinbildError } from "../errors.ts";
import { checkChoice, checkFields, checkInteger, checkNumber } from "./checks.ts";
import type { StepCacheMethod, StepCacheOptions } from "../transformer/step-cache.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";

/** How evaluations of the velocity are spared, at some cost in likeness; see docs/acceleration.md. */
export interface AccelerationOptions {
  /** `first-block`: First-Block Cache; `tea`: TeaCache, for models with fitted coefficients; `dual-block`: DBCache. */
  readonly method: "first-block" | "tea" | "dual-block";
  /** 0 … 1: larger reuses more; 0 never. For `tea` the distance. Default: 0.25, for `tea` 0.5. */
  readonly threshold?: number | undefined;
  /** The first step, from 0, that may reuse. Default: 0; the first evaluation never does. */
  readonly startStep?: number | undefined;
  /** The step before which reuse ends. Default: all steps. */
  readonly endStep?: number | undefined;
  /** 1 …: evaluations in a row that may reuse. Default: 3. */
  readonly maxConsecutive?: number | undefined;
  /** `dual-block`: 1 …: evaluations in a row that may reuse, as `maxConsecutive`. Default: 5. */
  readonly skipInterval?: number | undefined;
  /** `dual-block`: blocks at the start and at the end that are never skipped. Default: 1 and 0. */
  readonly firstBlocks?: number | undefined;
  readonly lastBlocks?: number | undefined;
}

export type AccelerationPreset = "none" | "low" | "medium" | "high";

/** Measured in docs/acceleration.md. The first steps decide about the composition and are computed. */
const PRESET_OPTIONS = {
  low: { method: "first-block", threshold: 0.08, startStep: 4, maxConsecutive: 2 },
  medium: { method: "first-block", threshold: 0.15, startStep: 4, maxConsecutive: 2 },
  high: { method: "first-block", threshold: 0.25, startStep: 2, maxConsecutive: 3 },
} as const satisfies Readonly<Record<Exclude<AccelerationPreset, "none">, AccelerationOptions>>;

/** What a preset stands for in a run of `steps`. */
export function presetOptions(preset: Exclude<AccelerationPreset, "none">, steps: number): AccelerationOptions {
  const options = PRESET_OPTIONS[preset];
  return { ...options, startStep: Math.min(options.startStep, steps - 1) };
}

const PRESETS: readonly AccelerationPreset[] = ["none", "low", "medium", "high"];
const METHODS = ["first-block", "tea", "dual-block"] as const;
const COMMON_FIELDS = ["method", "threshold", "startStep", "endStep", "maxConsecutive"];
const DUAL_BLOCK_FIELDS = ["skipInterval", "firstBlocks", "lastBlocks"];
const DEFAULTS = { threshold: 0.25, distance: 0.5, maxConsecutive: 3, skipInterval: 5, firstBlocks: 1, lastBlocks: 0 };
const MAX_CONSECUTIVE = 1000;

/**
 * What a request's `acceleration` means for a run of `steps`; undefined where nothing is spared.
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
  const preset = checkChoice("acceleration", acceleration, PRESETS);
  return preset === "none" ? undefined : resolveOptions(presetOptions(preset, steps), steps, config);
}

function resolveOptions(options: AccelerationOptions, steps: number, config: ModelConfig): StepCacheOptions {
  checkFields("acceleration", options, [...COMMON_FIELDS, ...DUAL_BLOCK_FIELDS], "acceleration");
  checkChoice("acceleration.method", options.method, METHODS);
  if (options.method !== "dual-block") checkFields(options.method, options, COMMON_FIELDS, "acceleration");
  const { startStep = 0, endStep = steps, maxConsecutive = DEFAULTS.maxConsecutive } = options;
  checkInteger("acceleration.startStep", startStep, 0, steps - 1);
  return {
    method: resolveMethod(options, config),
    startStep,
    endStep: checkInteger("acceleration.endStep", endStep, startStep + 1, steps),
    maxConsecutive: checkInteger("acceleration.maxConsecutive", maxConsecutive, 1, MAX_CONSECUTIVE),
  };
}

function resolveMethod(options: AccelerationOptions, config: ModelConfig): StepCacheMethod {
  const { method, threshold = method === "tea" ? DEFAULTS.distance : DEFAULTS.threshold } = options;
  checkNumber("acceleration.threshold", threshold, 0, 1);
  switch (method) {
    case "first-block":
      return { kind: method, threshold };
    case "tea": {
      const { teaCacheCoefficients: coefficients } = config;
      if (!coefficients)
        throw new KleinbildError(
          "unsupported",
          `${config.name} has no TeaCache coefficients; fit them with tools/fit-teacache.mjs, or take method first-block or dual-block.`,
          { parameter: "acceleration.method" },
        );
      return { kind: method, distance: threshold, coefficients };
    }
    case "dual-block": {
      const { skipInterval = DEFAULTS.skipInterval } = options;
      const { firstBlocks = DEFAULTS.firstBlocks, lastBlocks = DEFAULTS.lastBlocks } = options;
      const blocks = config.transformer.doubleBlocks + config.transformer.singleBlocks;
      return {
        kind: method,
        threshold,
        skipInterval: checkInteger("acceleration.skipInterval", skipInterval, 1, MAX_CONSECUTIVE),
        firstBlocks: checkInteger("acceleration.firstBlocks", firstBlocks, 1, blocks),
        lastBlocks: checkInteger("acceleration.lastBlocks", lastBlocks, 0, blocks - firstBlocks),
      };
    }
    default:
      return method satisfies never;
  }
}
