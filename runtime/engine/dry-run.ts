import type { PipelineVariant } from "../gpu/pipelines.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { runPipeline } from "../pipeline/run-pipeline.ts";
import { resolveRequest } from "../request/resolve-request.ts";
import { resolveRun } from "../request/resolve-run.ts";
import { WEIGHT_PARTS } from "../weights/inventory.ts";

/** Longest side of the picture: enough rows everywhere for the largest tiles. */
const MAX_PIXELS = 256;

/**
 * The pipelines that a picture and an edit use. An edit runs on a null device, with weights of the right shapes and no values:
 * it asks for the same pipelines as on the real device.
 */
export async function dryRun(
  model: Pick<LoadedModel, "onNullDevice">,
  signal?: AbortSignal,
): Promise<readonly PipelineVariant[]> {
  const nullModel = await model.onNullDevice();
  const { config, gpu } = nullModel;
  await nullModel.load(WEIGHT_PARTS, { signal });
  const side = Math.min(config.defaultSize, MAX_PIXELS);
  const reference = { width: side, height: side, data: new Uint8ClampedArray(side * side * 4) };
  const request = resolveRequest({ prompt: "", width: side, height: side, references: [reference] }, config);
  const events = runPipeline(nullModel, resolveRun(request, config, [reference], [], [0n]), { signal });
  while (!(await events.next()).done);
  await nullModel.dispose();
  return gpu.pipelines.variants;
}
