import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { copyMatrix } from "../gpu/chunked-matrix.ts";
import type { ChunkedMatrix, Tensor } from "../gpu/tensor.ts";
import type { ModulationSet, ModulationTable } from "./modulation.ts";
import type { BlockRange, PassOptions, Stream, TransformerModel } from "./model.ts";
import { freeKeysValues, type ReferenceKeysValues } from "./reference-cache.ts";
import { type Grid, gridTokens, referencePositions, targetPositions, textPositions } from "./rotary.ts";
import type { StepCacheOptions } from "./step-cache.ts";
import { StepCachePass } from "./step-cache-pass.ts";

/**
 * How references take part.
 * - `exact`: isolated references, whose keys and values are computed once and cached.
 * - `recompute`: references pass through the transformer in every step, as in the reference implementation without a cache.
 * - `step-one`: later steps use the keys and values of the first step, on weights that were not trained for it.
 */
export type ReferenceMode = "exact" | "recompute" | "step-one";

export interface ReferenceLatents {
  /** Tokens of all references in their order, [tokens, channels] f32. */
  readonly latents: ChunkedMatrix;
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
  readonly references?: ReferenceLatents | undefined;
  /** Cached keys and values of the references, in mode `exact`. */
  readonly cached?: ReferenceKeysValues | undefined;
  /** Reuse of blocks from one evaluation to the next. Default: none. */
  readonly stepCache?: StepCacheOptions | undefined;
  /** The step that each row of the table belongs to, for the step cache's window. Default: the row's number. */
  readonly stepOfRow?: readonly number[] | undefined;
}

export type PassTrace = NonNullable<PassOptions["trace"]>;

/** How the references take part in one evaluation. */
interface AttachedReferences extends Disposable {
  /** The references as a stream, if they are one. */
  readonly streams: readonly Stream[];
  /** Their keys and values: cached ones, or where to store them. Called when blocks run, as not all evaluations run any. */
  readonly keysValues: () => Promise<Pick<PassOptions, "cached" | "store">>;
}

/** One velocity after another for one request: text, target and references in one of the reference modes. */
export class Denoiser {
  readonly #options: DenoiserOptions;
  readonly #modulation: ModulationSet;
  readonly #rotary: { readonly text: Tensor; readonly target: Tensor };
  #selectedRow: number | undefined;
  /** Mode `step-one`: the keys and values of each of the two guidance passes. */
  readonly #firstStep = new Map<ChunkedMatrix, ReferenceKeysValues>();
  /** The step cache of each of the two guidance passes. */
  readonly #stepCaches = new Map<ChunkedMatrix, StepCachePass>();
  #skipped = 0;

  constructor(options: DenoiserOptions) {
    const { model, scope, table, grid, textLength } = options;
    this.#options = options;
    this.#modulation = table.allocate(scope);
    this.#rotary = {
      text: model.rotary(scope, textLength, () => textPositions(textLength)),
      target: model.rotary(scope, gridTokens(grid), () => targetPositions(grid)),
    };
  }

  /** Evaluations that reused the blocks of an earlier one. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * The velocity at the sigma of the table's `row`.
   *
   * @param latents  [tokens, channels] f32
   * @param text     [text length, D] f32: an embedded prompt; it also identifies the guidance pass
   * @returns        [tokens, channels] f32, in the denoiser's scope
   */
  async velocity(
    latents: ChunkedMatrix,
    text: ChunkedMatrix,
    row: number,
    options: Pick<PassOptions, "signal" | "trace"> = {},
  ): Promise<ChunkedMatrix> {
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
      hidden: copyMatrix(gpu.recorder, pass, text),
      rotary: this.#rotary.text,
      modulation: this.#modulation,
    };
    using references = await this.#attachReferences(pass, text, options);
    const streams = [words, target, ...references.streams];
    const run = async (range?: BlockRange): Promise<void> =>
      model.run(streams, { ...options, ...(await references.keysValues()), range });
    const step = this.#options.stepOfRow?.[row] ?? row;
    const stepCache = this.#stepCacheOf(text);
    if (!stepCache) await run();
    else if (await stepCache.evaluate({ scope: pass, step, streams, run })) this.#skipped++;
    return await model.velocity(scope, target);
  }

  /** Frees the cached keys and values of mode `step-one`, and the step caches. */
  dispose(): void {
    for (const cached of this.#firstStep.values()) freeKeysValues(this.#options.gpu.memory, cached);
    this.#firstStep.clear();
    for (const stepCache of this.#stepCaches.values()) stepCache.dispose();
    this.#stepCaches.clear();
  }

  #stepCacheOf(text: ChunkedMatrix): StepCachePass | undefined {
    const { stepCache } = this.#options;
    if (!stepCache) return undefined;
    const existing = this.#stepCaches.get(text);
    if (existing) return existing;
    const created = new StepCachePass({ ...this.#options, stepCache });
    this.#stepCaches.set(text, created);
    return created;
  }

  /** The references in the way of the mode. @param text  identifies the guidance pass */
  async #attachReferences(
    pass: MemoryScope,
    text: ChunkedMatrix,
    options: Pick<PassOptions, "signal">,
  ): Promise<AttachedReferences> {
    const { model, references, mode, isolated, cached } = this.#options;
    if (!references || cached) return attach([], { cached });
    if (isolated) return this.#attachIsolated(references, options);
    const earlier = this.#firstStep.get(text);
    if (earlier) return attach([], { cached: earlier });
    const stream = await referenceStream(this.#options, pass, references, this.#modulation);
    if (mode !== "step-one") return attach([stream], {});
    const store = model.allocateKeysValues(references.grids);
    this.#firstStep.set(text, store);
    return attach([stream], { store });
  }

  /** Isolated references, whose keys and values are computed before the first block that runs. */
  #attachIsolated(references: ReferenceLatents, { signal }: Pick<PassOptions, "signal">): AttachedReferences {
    let cached: ReferenceKeysValues | undefined;
    return {
      streams: [],
      keysValues: async () => {
        cached ??= await computeReferenceKeysValues(this.#options, references, { signal });
        return { cached };
      },
      [Symbol.dispose]: () => {
        if (cached) freeKeysValues(this.#options.gpu.memory, cached);
      },
    };
  }
}

function attach(streams: readonly Stream[], keysValues: Pick<PassOptions, "cached" | "store">): AttachedReferences {
  return { streams, keysValues: async () => keysValues, [Symbol.dispose]: () => {} };
}

/** The references-only pass: keys and values of every block. The caller owns the result. */
export async function computeReferenceKeysValues(
  denoising: Pick<DenoiserOptions, "gpu" | "model" | "table" | "sigmaZeroRow">,
  references: ReferenceLatents,
  options: Pick<PassOptions, "signal" | "trace"> = {},
): Promise<ReferenceKeysValues> {
  const { gpu, model, table, sigmaZeroRow } = denoising;
  using scope = gpu.memory.scope();
  const modulation = table.allocate(scope);
  table.select(sigmaZeroRow, modulation);
  const store = model.allocateKeysValues(references.grids);
  try {
    await model.run([await referenceStream(denoising, scope, references, modulation)], { ...options, store });
    return store;
  } catch (error) {
    freeKeysValues(gpu.memory, store);
    throw error;
  }
}

async function referenceStream(
  { model }: Pick<DenoiserOptions, "model">,
  scope: MemoryScope,
  { latents, grids }: ReferenceLatents,
  modulation: ModulationSet,
): Promise<Stream> {
  return {
    role: "reference",
    hidden: await model.embed(scope, latents, model.weights.imageIn),
    rotary: model.rotary(scope, latents.rows, () => referencePositions(grids)),
    modulation,
  };
}
