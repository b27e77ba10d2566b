import type { DecodeEvent, LoadEvent } from "../events.ts";
import { assertFinite } from "../gpu/finite.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { SampledPicture } from "./sample-picture.ts";
import type { StageRunner } from "./stage-runner.ts";

/** Decodes a picture's latents, and frees them. */
export async function* decodePicture(
  stages: StageRunner,
  model: Pick<LoadedModel, "gpu" | "vae">,
  size: Pick<PipelineRequest, "width" | "height">,
  { result, latents }: Pick<SampledPicture, "result" | "latents">,
): AsyncGenerator<LoadEvent | DecodeEvent, PixelImage> {
  const { gpu } = model;
  let milliseconds = 0;
  const image = yield* stages.run({ stage: "decode", name: "decode", timing: "decode" }, async () => {
    const started = performance.now();
    using scope = gpu.memory.scope();
    const features = await model.vae.decode(scope, latents, size, stages.signal);
    await assertFinite(gpu, "decoding", features.bands);
    const pixels = await model.vae.readPixels(scope, features);
    milliseconds = performance.now() - started;
    return pixels;
  });
  stages.scope.release(latents);
  yield { type: "decode", result, milliseconds };
  return image;
}
