import type { PixelImage } from "../../runtime/image/pixels.ts";
import type { Parts } from "../../runtime/parts.ts";
import { type PipelineRequest, runPipeline } from "../../runtime/pipeline.ts";

/** The picture of a pipeline run, its events passed over. */
export async function drainPipeline(parts: Parts, request: PipelineRequest): Promise<PixelImage> {
  const run = runPipeline(parts, request);
  for (;;) {
    const { done, value } = await run.next();
    if (done) return value.image;
  }
}
