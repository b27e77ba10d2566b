import type { RunEvent, StageTimings } from "./events.ts";
import { assertFinite } from "./gpu/finite.ts";
import { joinRows, readRows } from "./gpu/rows.ts";
import type { Rows } from "./gpu/tensor.ts";
import type { PixelImage } from "./image/pixels.ts";
import type { Parts } from "./parts.ts";
import { Phases, type PromptStates } from "./phases.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import { Sampler } from "./sampler.ts";
import { PIXELS_PER_TOKEN } from "./vae/autoencoder.ts";

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

/** Prompt → text states → (references → latents → kept K/V) → for each picture: latents, step by step → picture. */
export async function* runPipeline(
  parts: Parts,
  request: PipelineRequest,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent | PictureEvent, void> {
  const { gpu } = parts;
  let started = performance.now();
  gpu.clock.reset();
  parts.vae.assertWidth(request.width, "decode");
  for (const { width } of request.references) parts.vae.assertWidth(width, "encode");
  using scope = gpu.memory.scope();
  try {
    const { states, warnings } = yield* encodePrompts(parts, request, signal);
    // modulation, embedded prompts and references of every set of weights, up front
    using phases = await gpu.checked("conditions", () => Phases.create(parts, request, states, scope, signal));
    const cacheHit = phases.all.every(({ references }) => references.hit);
    if (request.references.length > 0) yield { type: "encode", what: "references", reused: cacheHit };
    for (const [result, noise] of request.noises.entries()) {
      using room = gpu.memory.scope();
      const grid = { height: request.height / PIXELS_PER_TOKEN, width: request.width / PIXELS_PER_TOKEN };
      using sampler = new Sampler(parts, request, phases, room, grid, noise);
      yield* denoise(parts, request, sampler, result, signal);
      signal?.throwIfAborted();
      const decodeStarted = performance.now();
      const image = await gpu.checked("decode", () =>
        gpu.clock.time("decode", () => decode(parts, request, sampler.latents, signal)),
      );
      yield { type: "decode", result, milliseconds: performance.now() - decodeStarted };
      const timings = { ...(await gpu.clock.collect()), total: performance.now() - started };
      const said = [...warnings, ...phases.warnings];
      yield { type: "picture", result, image, timings, cacheHit, skipped: sampler.skipped, warnings: said };
      started = performance.now();
    }
  } finally {
    parts.referenceCache.trim();
  }
}

/** The text states of the prompts, from those kept or computed. They stay valid while the run asks for no others. */
async function* encodePrompts(
  { gpu, tokenizer, textStates, config }: Parts,
  { prompt, negativePrompt, guidance }: PipelineRequest,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, { readonly states: PromptStates; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const encode = async (
    what: "prompt" | "negativePrompt",
    text: string,
  ): Promise<{ readonly states: Rows; readonly reused: boolean }> => {
    const tokens = tokenizer.encode(text, config.textLength);
    if (tokens.truncated)
      warnings.push(
        `${what} has ${tokens.tokens} tokens with its frame; the model takes ${config.textLength}, the rest was cut.`,
      );
    return gpu.checked("text encoding", () => gpu.clock.time("prompt", () => textStates.get(tokens, signal)));
  };
  const positive = await encode("prompt", prompt);
  yield { type: "encode", what: "prompt", reused: positive.reused };
  const negative = guidance === null ? undefined : await encode("negativePrompt", negativePrompt);
  if (negative) yield { type: "encode", what: "negativePrompt", reused: negative.reused };
  return { states: { positive: positive.states, negative: negative?.states }, warnings };
}

/** All evaluations of one picture, with an event after each step. */
async function* denoise(
  { gpu }: Parts,
  { plan, onLatents }: PipelineRequest,
  sampler: Sampler,
  result: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, void> {
  const steps = plan.at(-1)!.step + 1;
  let stepStarted = performance.now();
  for (const [index, { step, sigma, endsStep }] of plan.entries()) {
    signal?.throwIfAborted();
    const preview = await gpu.checked(`step ${step + 1}`, () =>
      gpu.clock.time("steps", () => sampler.evaluate(index, signal)),
    );
    onLatents?.(index, await readRows(gpu.recorder, sampler.latents));
    await gpu.recorder.settle();
    if (!endsStep) continue;
    const milliseconds = performance.now() - stepStarted;
    yield { type: "step", result, step: step + 1, steps, sigma, milliseconds, ...preview };
    stepStarted = performance.now();
  }
}

async function decode(
  { gpu, vae }: Parts,
  request: PipelineRequest,
  latents: Rows,
  signal?: AbortSignal,
): Promise<PixelImage> {
  using scope = gpu.memory.scope();
  const tokens = joinRows(gpu.recorder, scope, latents);
  const features = await vae.decode(scope, tokens, request, signal);
  await assertFinite(gpu, "decoding", features.bands);
  return await vae.readPixels(scope, features);
}
