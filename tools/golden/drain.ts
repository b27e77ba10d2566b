import type { PixelImage } from "../../runtime/image/pixels.ts";
import type { LoadedModel } from "../../runtime/loaded-model/loaded-model.ts";
import { runPipeline } from "../../runtime/pipeline/run-pipeline.ts";
import type { PipelineRequest } from "../../runtime/pipeline/pipeline-request.ts";

/** Runs a pipeline to its picture and ignores its events. */
export async function drainPipeline(model: LoadedModel, request: PipelineRequest): Promise<PixelImage> {
  for await (const event of runPipeline(model, request)) if (event.type === "picture") return event.image;
  throw new Error("the pipeline gave no picture");
}
