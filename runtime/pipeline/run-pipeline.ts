import type { DecodeEvent, LoadEvent, RunEvent, StageTimings } from "../events.ts";
import { assertFinite } from "../gpu/finite.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import { encodePrompts } from "./prompts.ts";
import { encodeReferences } from "./references.ts";
import { type SampledPicture, samplePicture } from "./sample-picture.ts";
import { type StageOptions, StageRunner } from "./stage-runner.ts";
import { assertBandWidth } from "../vae/bands.ts";
import { WeightVariants } from "./weight-variants.ts";

/** A picture is done. */
export interface PictureEvent {
  readonly type: "picture";
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  readonly image: PixelImage;
  /** The first picture's timings include the work that all pictures of the request share. */
  readonly timings: StageTimings;
  /** Whether the keys and values of the references were already in the cache. */
  readonly cacheHit: boolean;
  /** Evaluations of the velocity that reused cached computations. */
  readonly skipped: number;
  readonly warnings: readonly string[];
}

/**
 * Prompt → prompt embeddings → (references → latents → cached keys and values) → for each picture: latents, step by step →
 * picture.
 */
export async function* runPipeline(
  model: LoadedModel,
  request: PipelineRequest,
  options: StageOptions = {},
): AsyncGenerator<RunEvent | PictureEvent, void> {
  checkWidths(model, request);
  using stages = new StageRunner(model, options);
  const prompts = yield* encodePrompts(stages, model, request);
  yield* preparePreviews(stages, model, request);
  using references = yield* encodeReferences(stages, model, request);
  using variants = yield* stages.run({ stage: "references", name: "conditions" }, () =>
    WeightVariants.create(stages, model, request, { prompts, references }),
  );
  const { cacheHit } = variants;
  const warnings = [...prompts.warnings, ...variants.warnings];
  if (request.references.length > 0) yield { type: "encode", what: "references", reused: cacheHit };
  const noises = request.noises.map((noise, result) => ({ result, noise }));
  for (const batch of stages.batches(noises, "steps", "decode")) {
    const sampled = [];
    for (const noise of batch) sampled.push(yield* samplePicture(stages, model, request, variants, noise));
    for (const { result, latents, skipped } of sampled) {
      const image = yield* decodePicture(stages, model, request, { result, latents });
      yield { type: "picture", result, image, timings: await stages.timings(), cacheHit, skipped, warnings };
    }
  }
}

/** @throws KleinbildError `unsupported` when the binding limit does not let pictures of these widths through the autoencoder */
function checkWidths({ config, scalar, gpu }: LoadedModel, { width, references }: PipelineRequest): void {
  const { maxBindingBytes } = gpu.memory;
  assertBandWidth(config.vae, "decode", width, scalar, maxBindingBytes);
  for (const picture of references) assertBandWidth(config.vae, "encode", picture.width, scalar, maxBindingBytes);
}

/** Fits the preview model to the autoencoder, unless an earlier run did. */
async function* preparePreviews(
  stages: StageRunner,
  { preview }: Pick<LoadedModel, "preview">,
  { previews }: Pick<PipelineRequest, "previews">,
): AsyncGenerator<LoadEvent, void> {
  if (previews && !preview.isReady)
    yield* stages.run({ stage: "encode", name: "previews" }, () => preview.prepare(stages.signal));
}

/** Decodes a picture's latents, and frees them. */
async function* decodePicture(
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
