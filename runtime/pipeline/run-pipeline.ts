import { RunPrompts } from "./run-prompts.ts";
import { RunReferences } from "./run-references.ts";
import type { RunEvent, StageTimings } from "../events.ts";
import { assertFinite } from "../gpu/finite.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { joinMatrix, readMatrix } from "../gpu/chunked-matrix.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { lorasByWeights, WeightVariants } from "./weight-variants.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { Stage } from "./stages.ts";
import { Sampler } from "./sampler.ts";
import type { NoiseSource } from "../sampling/noise.ts";
import { enterStage, type ResidencyChoice } from "./enter-stage.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import { assertBandWidth } from "../vae/bands.ts";

/** A picture is done. */
export interface PictureEvent {
  readonly type: "picture";
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  readonly image: PixelImage;
  /** What all pictures of a request share counts for the first. */
  readonly timings: StageTimings;
  /** Whether kept keys and values of the references were used. */
  readonly cacheHit: boolean;
  /** Evaluations of the velocity that reused kept computations. */
  readonly skipped: number;
  readonly warnings: readonly string[];
}

/** A picture's clean latents, on their way to the autoencoder. */
interface Sampled {
  readonly result: number;
  /** [tokens, channels] f32 */
  readonly latents: Tensor;
  readonly skipped: number;
}

/**
 * Prompt → text states → (references → latents → kept K/V) → for each picture: latents, step by step → picture.
 *
 * @param memory  which parts stay from stage to stage: all unless given. Where the transformer does not stay for the
 *   decoding, all pictures are sampled first.
 */
export async function* runPipeline(
  parts: LoadedModel,
  request: PipelineRequest,
  signal?: AbortSignal,
  memory?: ResidencyChoice,
): AsyncGenerator<RunEvent | PictureEvent, void> {
  const { gpu } = parts;
  const enter = (stage: Stage, works = true): AsyncGenerator<RunEvent, void> =>
    enterStage(parts, stage, works, memory, signal);
  let started = performance.now();
  gpu.clock.reset();
  assertWidths(parts, request);
  using scope = gpu.memory.scope();
  const images = new RunReferences(parts, request.references, request.referenceMode, scope);
  try {
    const weights = [...lorasByWeights(parts, request).keys()];
    if (memory?.dropsOtherReferences) parts.referenceCache.keepOnly(new Set(weights.map((key) => images.keyOf(key))));
    const prompts = new RunPrompts(parts, request);
    yield* enter("prompt", prompts.needEncoder);
    const states = yield* prompts.encode(signal);
    const fitsPreviews = request.previews && !parts.preview.isReady;
    const encodes = images.needsLatents(weights);
    yield* enter("encode", fitsPreviews || encodes);
    if (fitsPreviews) await gpu.checked("previews", () => parts.preview.prepare(signal));
    if (encodes) await gpu.checked("encoding", () => gpu.clock.time("references", () => images.encode(signal)));
    yield* enter("references");
    // modulation, embedded prompts and references of every set of weights, up front
    using phases = await gpu.checked("conditions", () =>
      WeightVariants.create(parts, request, states, images, scope, signal),
    );
    const cacheHit = phases.all.every(({ references }) => references.hit);
    if (request.references.length > 0) yield { type: "encode", what: "references", reused: cacheHit };
    using clean = gpu.memory.scope();
    const sampled: Sampled[] = [];
    const decodesAtOnce = memory?.residency.decode.includes("transformer") ?? true;
    for (const [result, noise] of request.noises.entries()) {
      yield* enter("steps");
      sampled.push(yield* sample(parts, request, phases, clean, { result, noise }, signal));
      if (!decodesAtOnce && result < request.noises.length - 1) continue;
      yield* enter("decode");
      for (const { latents, skipped, ...picture } of sampled.splice(0)) {
        const decodeStarted = performance.now();
        const image = await gpu.checked("decode", () =>
          gpu.clock.time("decode", () => decode(parts, request, latents, signal)),
        );
        clean.release(latents);
        yield { type: "decode", ...picture, milliseconds: performance.now() - decodeStarted };
        const timings = { ...(await gpu.clock.collect()), total: performance.now() - started };
        const warnings = [...prompts.warnings, ...phases.warnings];
        yield { type: "picture", ...picture, image, timings, cacheHit, skipped, warnings };
        started = performance.now();
      }
    }
  } finally {
    parts.referenceCache.trim();
  }
}

/** Whether the binding limit lets pictures of these widths through the autoencoder. @throws KleinbildError `unsupported` */
function assertWidths({ config, scalar, gpu }: LoadedModel, { width, references }: PipelineRequest): void {
  const { maxBindingBytes } = gpu.memory;
  assertBandWidth(config.vae, "decode", width, scalar, maxBindingBytes);
  for (const picture of references) assertBandWidth(config.vae, "encode", picture.width, scalar, maxBindingBytes);
}

/** A picture's way from noise to clean latents, in `clean`; all else that it took is freed. */
async function* sample(
  parts: LoadedModel,
  request: PipelineRequest,
  phases: WeightVariants,
  clean: MemoryScope,
  { result, noise }: { readonly result: number; readonly noise: NoiseSource },
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, Sampled> {
  const { gpu } = parts;
  using room = gpu.memory.scope();
  const grid = { height: request.height / PIXELS_PER_TOKEN, width: request.width / PIXELS_PER_TOKEN };
  using sampler = new Sampler(parts, request, phases, room, grid, noise);
  yield* denoise(parts, request, sampler, result, signal);
  signal?.throwIfAborted();
  const latents = joinMatrix(gpu.recorder, clean, sampler.latents);
  gpu.recorder.flush(); // before the room is freed
  return { result, latents, skipped: sampler.skipped };
}

/** All evaluations of one picture, with an event after each step. */
async function* denoise(
  { gpu }: LoadedModel,
  { program, onLatents }: PipelineRequest,
  sampler: Sampler,
  result: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, void> {
  const steps = program.at(-1)!.step + 1;
  let stepStarted = performance.now();
  for (const [index, { step, sigma, endsStep }] of program.entries()) {
    signal?.throwIfAborted();
    const preview = await gpu.checked(`step ${step + 1}`, () =>
      gpu.clock.time("steps", () => sampler.evaluate(index, signal)),
    );
    onLatents?.(index, await readMatrix(gpu.recorder, sampler.latents));
    await gpu.recorder.settle();
    if (!endsStep) continue;
    const milliseconds = performance.now() - stepStarted;
    yield { type: "step", result, step: step + 1, steps, sigma, milliseconds, ...preview };
    stepStarted = performance.now();
  }
}

async function decode(
  { gpu, vae }: LoadedModel,
  request: PipelineRequest,
  latents: Tensor,
  signal?: AbortSignal,
): Promise<PixelImage> {
  using scope = gpu.memory.scope();
  const features = await vae.decode(scope, latents, request, signal);
  await assertFinite(gpu, "decoding", features.bands);
  return await vae.readPixels(scope, features);
}
