import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { copyRows } from "../gpu/rows.ts";
import type { Rows, Tensor } from "../gpu/tensor.ts";
import type { ModulationSet, ModulationTable } from "./modulation.ts";
import type { PassOptions, Stream, TransformerModel } from "./model.ts";
import { freeKeysValues, type ReferenceKeysValues } from "./reference-cache.ts";
import { type Grid, referencePositions, targetPositions, textPositions } from "./rotary.ts";

/**
 * How references take part.
 * - `exact`: isolated references, whose keys and values are computed once and kept.
 * - `recompute`: everything anew in every step, as the reference implementation without a cache.
 * - `step-one`: keys and values of the first step are used for the later ones, on weights not trained for it.
 */
export type ReferenceMode = "exact" | "recompute" | "step-one";

export interface References {
  /** Tokens of all references in their order, [tokens, channels] f32. */
  readonly latents: Rows;
  readonly grids: readonly Grid[];
}

export interface DenoiserOptions {
  readonly gpu: Gpu;
  readonly model: TransformerModel;
  /** Lives as long as the denoiser. */
  readonly scope: MemoryScope;
  readonly table: ModulationTable;
  readonly grid: Grid;
  readonly textLength: number;
  readonly mode: ReferenceMode;
  /** References attend to references only, modulated at sigma 0, which is the row `sigmaZeroRow` of the table. */
  readonly isolated: boolean;
  readonly sigmaZeroRow: number;
  readonly references?: References | undefined;
  /** Kept keys and values of the references, in mode `exact`. */
  readonly kept?: ReferenceKeysValues | undefined;
}

export type PassTrace = NonNullable<PassOptions["trace"]>;

/** One velocity after another for one request: text, target and references in one of the reference modes. */
export class Denoiser {
  readonly #options: DenoiserOptions;
  readonly #modulation: ModulationSet;
  readonly #rotary: { readonly text: Tensor; readonly target: Tensor };
  #selectedRow: number | undefined;
  /** Mode `step-one`: what each of the two guidance passes keeps for itself. */
  readonly #firstStep = new Map<Rows, ReferenceKeysValues>();

  constructor(options: DenoiserOptions) {
    const { model, scope, table, grid, textLength } = options;
    this.#options = options;
    this.#modulation = table.allocate(scope);
    this.#rotary = {
      text: model.rotary(scope, textPositions(textLength)),
      target: model.rotary(scope, targetPositions(grid)),
    };
  }

  /**
   * The velocity at the sigma of the table's `row`.
   *
   * @param latents  [tokens, channels] f32
   * @param text     [text length, D] f32: the embedded text states; also the identity of a guidance pass
   * @returns        [tokens, channels] f32, in the denoiser's scope
   */
  async velocity(latents: Rows, text: Rows, row: number, signal?: AbortSignal, trace?: PassTrace): Promise<Rows> {
    const { gpu, model, scope } = this.#options;
    using pass = gpu.memory.scope();
    if (this.#selectedRow !== row) this.#options.table.select(row, this.#modulation);
    this.#selectedRow = row;
    const target: Stream = {
      role: "target",
      hidden: await model.embed(pass, latents, model.weights.imageIn),
      rotary: this.#rotary.target,
      modulation: this.#modulation,
    };
    const words: Stream = {
      role: "text",
      hidden: copyRows(gpu.recorder, pass, text),
      rotary: this.#rotary.text,
      modulation: this.#modulation,
    };
    await this.#run(pass, [words, target], text, { signal, trace });
    return await model.velocity(scope, target);
  }

  /** Frees what mode `step-one` kept. */
  dispose(): void {
    for (const kept of this.#firstStep.values()) freeKeysValues(this.#options.gpu.memory, kept);
    this.#firstStep.clear();
  }

  async #run(pass: MemoryScope, streams: readonly Stream[], text: Rows, options: PassOptions): Promise<void> {
    const { gpu, model, references, mode, isolated, kept } = this.#options;
    if (!references || kept) return model.run(streams, { ...options, kept });
    if (isolated) {
      const store = await keepReferences(this.#options, references, options.signal);
      try {
        return await model.run(streams, { ...options, kept: store });
      } finally {
        freeKeysValues(gpu.memory, store);
      }
    }
    const earlier = this.#firstStep.get(text);
    if (earlier) return model.run(streams, { ...options, kept: earlier });
    const joined = [...streams, await referenceStream(this.#options, pass, references, this.#modulation)];
    if (mode !== "step-one") return model.run(joined, options);
    const store = model.allocateKeysValues(references.grids);
    this.#firstStep.set(text, store);
    return model.run(joined, { ...options, store });
  }
}

/** The references-only pass: keys and values of every block. The caller owns the result. */
export async function keepReferences(
  options: Pick<DenoiserOptions, "gpu" | "model" | "table" | "sigmaZeroRow">,
  references: References,
  signal?: AbortSignal,
): Promise<ReferenceKeysValues> {
  const { gpu, model, table, sigmaZeroRow } = options;
  using scope = gpu.memory.scope();
  const modulation = table.allocate(scope);
  table.select(sigmaZeroRow, modulation);
  const store = model.allocateKeysValues(references.grids);
  try {
    await model.run([await referenceStream(options, scope, references, modulation)], { store, signal });
    return store;
  } catch (error) {
    freeKeysValues(gpu.memory, store);
    throw error;
  }
}

async function referenceStream(
  { model }: Pick<DenoiserOptions, "model">,
  scope: MemoryScope,
  { latents, grids }: References,
  modulation: ModulationSet,
): Promise<Stream> {
  return {
    role: "reference",
    hidden: await model.embed(scope, latents, model.weights.imageIn),
    rotary: model.rotary(scope, referencePositions(grids)),
    modulation,
  };
}
