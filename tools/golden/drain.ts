import type { PixelImage } from "../../runtime/image/pixels.ts";
import type { Parts } from "../../runtime/parts.ts";
import { runPipeline } from "../../runtime/pipeline.ts";
import type { PipelineRequest } from "../../runtime/pipeline-request.ts";

/** The picture of a pipeline run, its events passed over. */
export async function drainPipeline(parts: Parts, request: PipelineRequest): Promise<PixelImage> {
  for await (const event of runPipeline(parts, request)) if (event.type === "picture") return event.image;
  throw new Error("the pipeline gave no picture");
}
