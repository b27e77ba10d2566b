import { resolveWindow } from "./cache-window.ts";
import type { ImageInferenceOutput } from "./image-inference-schema.ts";
import type { ResolvedAcceleratorOptions, ResolvedImageInferenceTask } from "./image-inference-task.ts";
import type { ModelRules } from "./model-rules.ts";

/**
 * A checked task, with all that follows from it and its model filled in.
 *
 * @param guidanceGiven  whether the task itself has a `CFGScale`
 */
export function resolveTask(
  task: ImageInferenceOutput,
  rules: ModelRules,
  guidanceGiven: boolean,
): ResolvedImageInferenceTask {
  const { safety: _, ultralytics: __, advancedFeatures: ___, inputs, settings, lora, ...plain } = task;
  const trueCFGScale = settings?.trueCFGScale;
  const guidance = rules.distilled ? 1 : (trueCFGScale ?? task.CFGScale);
  return {
    ...plain,
    webhookURL: task.webhookURL,
    uploadEndpoint: task.uploadEndpoint,
    ttl: task.ttl,
    negativePrompt: task.negativePrompt,
    seed: task.seed,
    scheduler: task.scheduler,
    acceleration: task.acceleration,
    acceleratorOptions: resolveAccelerator(task),
    referenceImages: inputs?.referenceImages ?? [],
    trueCFGScale,
    guidance: guidance === 1 ? null : guidance,
    lora: lora ?? [],
    warnings: warningsOf(task, rules, guidanceGiven, guidance),
  };
}

function resolveAccelerator({
  acceleratorOptions,
  steps,
}: ImageInferenceOutput): ResolvedAcceleratorOptions | undefined {
  if (!acceleratorOptions) return undefined;
  const { cacheStartStepPercentage: _, cacheEndStepPercentage: __, ...options } = acceleratorOptions;
  const { start, end } = resolveWindow(acceleratorOptions, steps);
  return { ...options, cacheStartStep: start, cacheEndStep: end };
}

function warningsOf(task: ImageInferenceOutput, rules: ModelRules, guidanceGiven: boolean, guidance: number): string[] {
  const { acceleration, acceleratorOptions: options, negativePrompt, outputType, settings, ttl } = task;
  const distilled = `${rules.id} is distilled`;
  const warnings: string[] = [];
  if (rules.distilled && guidanceGiven)
    warnings.push(`CFGScale ${task.CFGScale} has no effect: ${distilled} and takes no guidance.`);
  if (rules.distilled && settings?.trueCFGScale !== undefined)
    warnings.push(`settings.trueCFGScale ${settings.trueCFGScale} has no effect: ${distilled} and takes no guidance.`);
  if (negativePrompt !== undefined && guidance === 1)
    warnings.push("negativePrompt has no effect: it counts only with guidance, which is off.");
  if (rules.distilled && acceleration !== undefined && acceleration !== "none")
    warnings.push(`acceleration ${acceleration} has no effect: ${distilled} and has no steps to spare.`);
  const cached = options && (options.fbCache || options.teaCache || options.dbCache);
  if (options && !cached && (rules.distilled || acceleration === undefined || acceleration === "none"))
    warnings.push("acceleratorOptions has no effect: none of fbCache, teaCache and dbCache is true.");
  if (ttl !== undefined && outputType !== "URL")
    warnings.push(`ttl has no effect: it is for outputType URL, and this is ${outputType}.`);
  return warnings;
}
