import { assertFinite } from "../gpu/finite.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { accumulateMatrix, copyMatrix, readMatrix, writeMatrix } from "../gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { WeightVariant, WeightVariants } from "./weight-variants.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import { guide } from "../sampling/guidance.ts";
import type { NoiseSource } from "../sampling/noise.ts";
import { SolverRun } from "../sampling/solver-run.ts";
import { Denoiser } from "../transformer/denoiser.ts";
import { type Grid, gridTokens } from "../transformer/rotary.ts";

/** The way of one picture from its noise to clean latents. */
export class Sampler {
  /** [tokens, channels] f32 */
  readonly latents: ChunkedMatrix;
  readonly #parts: LoadedModel;
  readonly #request: PipelineRequest;
  readonly #phases: WeightVariants;
  readonly #scope: MemoryScope;
  readonly #grid: Grid;
  readonly #noise: NoiseSource;
  readonly #solver: SolverRun;
  readonly #denoisers = new Map<WeightVariant, Denoiser>();

  /** @param scope  of this picture */
  constructor(
    parts: LoadedModel,
    request: PipelineRequest,
    phases: WeightVariants,
    scope: MemoryScope,
    grid: Grid,
    noise: NoiseSource,
  ) {
    const { gpu, transformer, rowsPerChunk } = parts;
    this.#parts = parts;
    this.#request = request;
    this.#phases = phases;
    this.#scope = scope;
    this.#grid = grid;
    this.#noise = noise;
    this.latents = scope.matrix("latents", "f32", gridTokens(grid), transformer.config.inChannels, rowsPerChunk);
    writeMatrix(gpu.recorder, this.latents, noise.initial());
    this.#solver = new SolverRun({ recorder: gpu.recorder, scope, latents: this.latents, program: request.program });
    for (const phase of phases.all) this.#denoisers.set(phase, this.#denoiser(phase));
  }

  /** Evaluations that reused kept computations, as far as `stepCache` let them. */
  get skipped(): number {
    return [...this.#denoisers.values()].reduce((sum, { skipped }) => sum + skipped, 0);
  }

  /** Evaluation number `index` of the plan; at the end of a step with a preview of the predicted clean picture. */
  async evaluate(index: number, signal?: AbortSignal): Promise<{ readonly preview?: PixelImage }> {
    const { gpu, preview } = this.#parts;
    const evaluation = this.#request.program[index]!;
    const velocity = await this.#velocity(index, signal);
    let clean: ChunkedMatrix | undefined;
    if (this.#request.previews && evaluation.endsStep) {
      clean = copyMatrix(gpu.recorder, this.#scope, this.latents);
      accumulateMatrix(gpu.recorder, clean, 1, velocity, -evaluation.sigma);
    }
    this.#solver.apply(evaluation, velocity, evaluation.needsNoise ? this.#noise.next() : undefined);
    this.#scope.releaseMatrix(velocity);
    await assertFinite(gpu, `the evaluation at sigma ${evaluation.sigma}`, this.latents.chunks);
    if (!clean) return {};
    const values = await readMatrix(gpu.recorder, clean);
    this.#scope.releaseMatrix(clean);
    return { preview: await preview.render(values, this.#grid, signal) };
  }

  /** Frees what the denoisers keep outside of the scope. */
  [Symbol.dispose](): void {
    for (const denoiser of this.#denoisers.values()) denoiser.dispose();
  }

  async #velocity(index: number, signal?: AbortSignal): Promise<ChunkedMatrix> {
    const { guidance } = this.#request;
    const phase = this.#phases.at(index);
    const denoiser = this.#denoisers.get(phase)!;
    const conditional = await denoiser.velocity(this.latents, phase.positive, index, signal);
    if (!phase.negative || guidance === null) return conditional;
    const unconditional = await denoiser.velocity(this.latents, phase.negative, index, signal);
    guide(this.#parts.gpu.recorder, unconditional, conditional, guidance);
    this.#scope.releaseMatrix(conditional);
    return unconditional;
  }

  #denoiser({ model, table, references }: WeightVariant): Denoiser {
    const { gpu, config } = this.#parts;
    const { program, referenceMode, stepCache } = this.#request;
    return new Denoiser({
      gpu,
      model,
      table,
      sigmaZeroRow: program.length,
      scope: this.#scope,
      grid: this.#grid,
      textLength: config.textLength,
      mode: referenceMode,
      isolated: config.referenceAttention === "isolated",
      references: references.references,
      cached: references.cached,
      stepCache,
      stepOfRow: program.map(({ step }) => step),
    });
  }
}
