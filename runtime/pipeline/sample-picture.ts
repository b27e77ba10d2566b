import type { LoadEvent, StepEvent } from "../events.ts";
import { accumulateMatrix, copyMatrix, joinMatrix, readMatrix, writeMatrix } from "../gpu/chunked-matrix.ts";
import { assertFinite } from "../gpu/finite.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { ChunkedMatrix, Tensor } from "../gpu/tensor.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { StageRunner } from "./stage-runner.ts";
import type { WeightVariant, WeightVariants } from "./weight-variants.ts";
import type { NoiseSource } from "../sampling/noise.ts";
import { SolverRun } from "../sampling/solver-run.ts";
import { Denoiser } from "../transformer/denoiser.ts";
import { type Grid, gridTokens } from "../transformer/rotary.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";

/** A picture's clean latents, on their way to the autoencoder. */
export interface SampledPicture {
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  /** [tokens, channels] f32, in the scope of the run's stages */
  readonly latents: Tensor;
  /** Evaluations of the velocity that reused cached computations. */
  readonly skipped: number;
}

type SamplingModel = Pick<LoadedModel, "gpu" | "config" | "preview" | "rowsPerChunk">;

/** Takes one picture from its noise to clean latents, with an event after each step. */
export async function* samplePicture(
  stages: StageRunner,
  model: SamplingModel,
  request: PipelineRequest,
  variants: WeightVariants,
  { result, noise }: { readonly result: number; readonly noise: NoiseSource },
): AsyncGenerator<LoadEvent | StepEvent, SampledPicture> {
  const { recorder, memory } = model.gpu;
  const { program, mostEvaluations, onLatents } = request;
  const steps = program.at(-1)!.step + 1;
  using scope = memory.scope();
  using sampler = yield* stages.run(
    { stage: "steps", name: "noise" },
    async () => new Sampler({ model, request, variants, noise, scope }),
  );
  let stepStarted = performance.now();
  for (const [index, { step, sigma, endsStep }] of program.slice(0, mostEvaluations).entries()) {
    stages.signal?.throwIfAborted();
    const preview = yield* stages.run({ stage: "steps", name: `step ${step + 1}`, timing: "steps" }, () =>
      sampler.evaluate(index, stages.signal),
    );
    onLatents?.(index, await readMatrix(recorder, sampler.latents));
    await recorder.settle();
    if (!endsStep) continue;
    const milliseconds = performance.now() - stepStarted;
    yield { type: "step", result, step: step + 1, steps, sigma, milliseconds, ...(preview && { preview }) };
    stepStarted = performance.now();
  }
  stages.signal?.throwIfAborted();
  const latents = joinMatrix(recorder, stages.scope, sampler.latents);
  recorder.flush(); // before the sampler's scope is freed
  return { result, latents, skipped: sampler.skipped };
}

interface SamplerOptions {
  readonly model: SamplingModel;
  readonly request: PipelineRequest;
  readonly variants: WeightVariants;
  readonly noise: NoiseSource;
  /** Of this picture. */
  readonly scope: MemoryScope;
}

/** Classifier-free guidance (Ho & Salimans 2022): unconditional += guidance · (conditional − unconditional). */
export function guide(
  recorder: Recorder,
  unconditional: ChunkedMatrix,
  conditional: ChunkedMatrix,
  guidance: number,
): void {
  accumulateMatrix(recorder, unconditional, 1 - guidance, conditional, guidance);
}

/** The latents of one picture, and the evaluations that change them. */
class Sampler implements Disposable {
  /** [tokens, channels] f32 */
  readonly latents: ChunkedMatrix;
  readonly #options: SamplerOptions;
  readonly #grid: Grid;
  readonly #solver: SolverRun;
  readonly #denoisers: ReadonlyMap<WeightVariant, Denoiser>;

  constructor(options: SamplerOptions) {
    const { model, request, variants, noise, scope } = options;
    const { recorder } = model.gpu;
    this.#options = options;
    this.#grid = { height: request.height / PIXELS_PER_TOKEN, width: request.width / PIXELS_PER_TOKEN };
    const { inChannels } = model.config.transformer;
    this.latents = scope.matrix("latents", "f32", gridTokens(this.#grid), inChannels, model.rowsPerChunk);
    writeMatrix(recorder, this.latents, noise.initial());
    this.#solver = new SolverRun({ recorder, scope, latents: this.latents, program: request.program });
    this.#denoisers = new Map(variants.all.map((variant) => [variant, this.#denoiser(variant)]));
  }

  /** Evaluations that reused cached computations. */
  get skipped(): number {
    return [...this.#denoisers.values()].reduce((sum, { skipped }) => sum + skipped, 0);
  }

  /**
   * Performs evaluation number `index` of the program.
   * @returns at the end of a step, a preview of the predicted clean picture where the request asks for previews
   */
  async evaluate(index: number, signal?: AbortSignal): Promise<PixelImage | undefined> {
    const { model, request, variants, noise, scope } = this.#options;
    const { gpu, preview } = model;
    const evaluation = request.program[index]!;
    const variant = variants.at(index);
    const denoiser = this.#denoisers.get(variant)!;
    let velocity = await denoiser.velocity(this.latents, variant.positive, index, { signal });
    if (variant.negative && request.guidance !== null) {
      const conditional = velocity;
      velocity = await denoiser.velocity(this.latents, variant.negative, index, { signal });
      guide(gpu.recorder, velocity, conditional, request.guidance);
      scope.releaseMatrix(conditional);
    }
    const clean = request.previews && evaluation.endsStep ? this.#predictClean(velocity, evaluation.sigma) : undefined;
    this.#solver.apply(evaluation, velocity, evaluation.needsNoise ? noise.next() : undefined);
    scope.releaseMatrix(velocity);
    await assertFinite(gpu, `the evaluation at sigma ${evaluation.sigma}`, this.latents.chunks);
    if (!clean) return undefined;
    const values = await readMatrix(gpu.recorder, clean);
    scope.releaseMatrix(clean);
    return preview.render(values, this.#grid, signal);
  }

  /** Frees the buffers of the denoisers that are not in the scope. */
  [Symbol.dispose](): void {
    for (const denoiser of this.#denoisers.values()) denoiser.dispose();
  }

  /** x0 = x − σ · velocity, [tokens, channels] f32. */
  #predictClean(velocity: ChunkedMatrix, sigma: number): ChunkedMatrix {
    const { model, scope } = this.#options;
    const clean = copyMatrix(model.gpu.recorder, scope, this.latents);
    accumulateMatrix(model.gpu.recorder, clean, 1, velocity, -sigma);
    return clean;
  }

  #denoiser({ transformer, modulation, references, cached }: WeightVariant): Denoiser {
    const { model, request, scope } = this.#options;
    const { program, referenceMode, stepCache } = request;
    return new Denoiser({
      gpu: model.gpu,
      model: transformer,
      table: modulation,
      sigmaZeroRow: program.length,
      scope,
      grid: this.#grid,
      textLength: model.config.textLength,
      mode: referenceMode,
      isolated: model.config.referenceAttention === "isolated",
      references,
      cached,
      stepCache,
      stepOfRow: program.map(({ step }) => step),
    });
  }
}
