import type { PipelineVariant } from "../gpu/pipelines.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { runPipeline } from "../pipeline/run-pipeline.ts";
import { resolveRequest } from "../request/resolve-request.ts";
import { resolveRun } from "../request/resolve-run.ts";
import { WEIGHT_PARTS } from "../weights/inventory.ts";

/** Pixels of a side: enough rows everywhere for the largest tiles. */
const MOST_PIXELS = 256;

/**
 * The pipelines that a picture and an edit take: an edit runs on a device that does nothing, with weights of the right shapes
 * and no values, so that what it asks for is what the real one will.
 */
export async function dryRun(parts: LoadedModel, signal?: AbortSignal): Promise<readonly PipelineVariant[]> {
  const standIn = await parts.onNullDevice();
  const { config, gpu } = standIn;
  await standIn.load(WEIGHT_PARTS, { signal });
  const side = Math.min(config.defaultSize, MOST_PIXELS);
  const reference = { width: side, height: side, data: new Uint8ClampedArray(side * side * 4) };
  const request = resolveRequest({ prompt: "", width: side, height: side, references: [reference] }, config);
  const events = runPipeline(standIn, resolveRun(request, config, [reference], [], [0n]), signal);
  while (!(await events.next()).done);
  await standIn.dispose();
  return gpu.pipelines.variants;
}
