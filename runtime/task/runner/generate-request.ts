import type { ImageInput } from "../../image/read.ts";
import type { GenerateRequest } from "../../request/request.ts";
import { type AccelerationOptions, presetOptions } from "../../request/acceleration.ts";
import type { LoraInput } from "../../request/loras.ts";
import type { ResolvedAcceleratorOptions, ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { ModelManifest } from "./model-registry.ts";

/** The engine's request for a task. */
export function toGenerateRequest(
  task: ResolvedImageInferenceTask,
  { distilled }: ModelManifest,
  references: readonly ImageInput[],
  loras: readonly LoraInput[],
): GenerateRequest {
  const { guidance } = task;
  return {
    prompt: task.positivePrompt,
    negativePrompt: guidance === null ? undefined : task.negativePrompt,
    width: task.width,
    height: task.height,
    steps: task.steps,
    scheduler: task.scheduler,
    results: task.numberResults,
    seed: task.seed,
    guidance,
    distilled: false, // the model id decides about guidance, also with substitute weights
    references,
    loras,
    acceleration: distilled ? undefined : toAcceleration(task),
    previews: false,
  };
}

/** The cache that the options choose, otherwise the preset's. The window and the limit apply to both. */
function toAcceleration({
  acceleration,
  acceleratorOptions: options,
  steps,
}: ResolvedImageInferenceTask): GenerateRequest["acceleration"] {
  if (!options) return acceleration;
  const method =
    methodOf(options) ??
    (acceleration === undefined || acceleration === "none" ? undefined : presetOptions(acceleration, steps));
  if (!method) return undefined;
  const { cacheStartStep, cacheEndStep = steps, cacheMaxConsecutiveSteps } = options;
  return {
    ...method,
    startStep: cacheStartStep ?? Math.min(method.startStep ?? 0, cacheEndStep - 1),
    endStep: cacheEndStep,
    maxConsecutive: cacheMaxConsecutiveSteps,
  };
}

function methodOf(options: ResolvedAcceleratorOptions): AccelerationOptions | undefined {
  if (options.fbCache) return { method: "first-block", threshold: options.fbCacheThreshold };
  if (options.teaCache) return { method: "tea", threshold: options.teaCacheDistance };
  if (!options.dbCache) return undefined;
  return { method: "dual-block", threshold: options.dbCacheThreshold, skipInterval: options.dbCacheSkipInterval };
}
