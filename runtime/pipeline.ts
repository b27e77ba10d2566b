import { encodeReferences } from "./encode-references.ts";
import type { GenerateEvent, StageTimings } from "./events.ts";
import { assertFinite } from "./gpu/finite.ts";
import type { MemoryScope } from "./gpu/memory.ts";
import { copyRows, joinRows, readRows, writeRows } from "./gpu/rows.ts";
import type { Rows } from "./gpu/tensor.ts";
import type { PixelImage } from "./image/pixels.ts";
import type { Parts } from "./parts.ts";
import { accumulateRows, eulerStep, guide } from "./sampling/euler.ts";
import { makeNoise, type NoiseKind } from "./sampling/noise.ts";
import { Denoiser, type ReferenceMode } from "./transformer/denoiser.ts";
import { ModulationTable } from "./transformer/modulation.ts";
import { type Grid, gridTokens } from "./transformer/rotary.ts";
import { PIXELS_PER_TOKEN } from "./vae/autoencoder.ts";

/** A request with nothing left to decide. */
export interface PipelineRequest {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly width: number;
  readonly height: number;
  /** `steps + 1` noise levels, falling to 0. */
  readonly sigmas: Float32Array;
  /** What the noise is drawn from, or the noise itself, [tokens, channels]. */
  readonly noise: { readonly kind: NoiseKind; readonly seed: bigint } | Float32Array;
  /** Null: one pass a step. */
  readonly guidance: number | null;
  /** Prepared pictures, in order. */
  readonly references: readonly PixelImage[];
  readonly referenceMode: ReferenceMode;
  readonly previews: boolean;
  /** Sees the latents [tokens, channels] after each step, from 0. */
  readonly onLatents?: ((step: number, latents: Float32Array) => void) | undefined;
}

export interface PipelineResult {
  readonly image: PixelImage;
  readonly timings: StageTimings;
  /** Whether kept keys and values of the references were used. */
  readonly cacheHit: boolean;
  readonly warnings: readonly string[];
}

/** Prompt → text states → (references → latents → kept K/V) → latents, step by step → picture. */
export async function* runPipeline(
  parts: Parts,
  request: PipelineRequest,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent, PipelineResult> {
  const { gpu, transformer, rowsPerChunk } = parts;
  const { recorder, clock } = gpu;
  const started = performance.now();
  clock.reset();
  const grid: Grid = { height: request.height / PIXELS_PER_TOKEN, width: request.width / PIXELS_PER_TOKEN };
  const steps = request.sigmas.length - 1;
  using scope = gpu.memory.scope();
  parts.vae.assertWidth(request.width, "decode");
  for (const { width } of request.references) parts.vae.assertWidth(width, "encode");

  const warnings: string[] = [];
  const embedPrompt = async (
    what: "prompt" | "negativePrompt",
    prompt: string,
  ): Promise<{ readonly text: Rows; readonly reused: boolean }> => {
    const tokens = parts.tokenizer.encode(prompt, parts.config.textLength);
    if (tokens.truncated)
      warnings.push(
        `${what} has ${tokens.tokens} tokens with its frame; the model takes ${parts.config.textLength}, the rest was cut.`,
      );
    const { states, reused } = await clock.time("prompt", () => parts.textStates.get(tokens, signal));
    return { text: await transformer.embed(scope, states, transformer.weights.textIn), reused };
  };
  const positive = await gpu.checked("text encoding", () => embedPrompt("prompt", request.prompt));
  yield { type: "encode", what: "prompt", reused: positive.reused };
  const negative =
    request.guidance === null
      ? undefined
      : await gpu.checked("text encoding", () => embedPrompt("negativePrompt", request.negativePrompt));
  if (negative) yield { type: "encode", what: "negativePrompt", reused: negative.reused };

  // the modulation of every step, and of sigma 0 for isolated references, up front
  const sigmas = [...request.sigmas.subarray(0, steps), 0];
  const table = await gpu.checked("modulation", () =>
    ModulationTable.create(gpu, transformer.backend, scope, transformer.weights.modulation, transformer.config, sigmas),
  );
  const isolated = parts.config.referenceAttention === "isolated";
  const referencePass = { gpu, model: transformer, table, sigmaZeroRow: steps };
  const encoded = await gpu.checked("references", () =>
    clock.time("references", () => encodeReferences(parts, request, scope, referencePass, signal)),
  );
  if (request.references.length > 0) yield { type: "encode", what: "references", reused: encoded.hit };

  const latents = scope.rows("latents", "f32", gridTokens(grid), transformer.config.inChannels, rowsPerChunk);
  writeRows(recorder, latents, drawNoise(request, grid, transformer.config.inChannels));
  const denoiser = new Denoiser({
    ...referencePass,
    scope,
    grid,
    textLength: parts.config.textLength,
    mode: request.referenceMode,
    isolated,
    references: encoded.references,
    kept: encoded.kept,
  });
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const stepStarted = performance.now();
      const [sigma, next] = [request.sigmas[step]!, request.sigmas[step + 1]!];
      const preview = await gpu.checked(`step ${step + 1}`, () =>
        clock.time("steps", async () => {
          const velocity = await denoiser.velocity(latents, positive.text, step, signal);
          if (negative && request.guidance !== null) {
            const unconditional = await denoiser.velocity(latents, negative.text, step, signal);
            guide(recorder, unconditional, velocity, request.guidance);
            scope.releaseRows(velocity);
            return finishStep(parts, scope, request, grid, latents, unconditional, sigma, next, signal);
          }
          return finishStep(parts, scope, request, grid, latents, velocity, sigma, next, signal);
        }),
      );
      request.onLatents?.(step, await readRows(recorder, latents));
      await recorder.settle();
      yield { type: "step", step: step + 1, steps, sigma, milliseconds: performance.now() - stepStarted, ...preview };
    }
    signal?.throwIfAborted();
    const decodeStarted = performance.now();
    const image = await gpu.checked("decode", () =>
      clock.time("decode", () => decode(parts, request, latents, signal)),
    );
    yield { type: "decode", milliseconds: performance.now() - decodeStarted };
    const timings = { ...(await clock.collect()), total: performance.now() - started };
    return { image, timings, cacheHit: encoded.hit, warnings };
  } finally {
    denoiser.dispose();
    parts.referenceCache.trim();
  }
}

function drawNoise({ noise }: PipelineRequest, grid: Grid, channels: number): Float32Array {
  return noise instanceof Float32Array ? noise : makeNoise(noise.kind, noise.seed, grid, channels);
}

/** latents at the next sigma; returns a preview of the predicted clean picture when one is asked for. */
async function finishStep(
  parts: Parts,
  scope: MemoryScope,
  request: PipelineRequest,
  grid: Grid,
  latents: Rows,
  velocity: Rows,
  sigma: number,
  next: number,
  signal?: AbortSignal,
): Promise<{ readonly preview?: PixelImage }> {
  const { recorder } = parts.gpu;
  const clean = request.previews ? copyRows(recorder, scope, latents) : undefined;
  eulerStep(recorder, latents, velocity, sigma, next);
  if (clean) accumulateRows(recorder, clean, 1, velocity, -sigma);
  scope.releaseRows(velocity);
  await assertFinite(parts.gpu, `the step from sigma ${sigma}`, latents.chunks);
  if (!clean) return {};
  const values = await readRows(recorder, clean);
  scope.releaseRows(clean);
  return { preview: await parts.preview.render(values, grid, signal) };
}

async function decode(
  parts: Parts,
  request: PipelineRequest,
  latents: Rows,
  signal?: AbortSignal,
): Promise<PixelImage> {
  const { gpu, vae } = parts;
  using scope = gpu.memory.scope();
  const tokens = joinRows(gpu.recorder, scope, latents);
  const features = await vae.decode(scope, tokens, request, signal);
  await assertFinite(gpu, "decoding", features.bands);
  return await vae.readPixels(scope, features);
}
