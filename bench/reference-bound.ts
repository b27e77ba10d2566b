import { createBackend } from "../runtime/backend/create-backend.ts";
import type { BackendName } from "../runtime/backend/backend.ts";
import type { AdapterSummary } from "../runtime/gpu/adapter.ts";
import { Gpu } from "../runtime/gpu/device.ts";
import { assertFinite } from "../runtime/gpu/finite.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import { Denoiser, keepReferences, type References } from "../runtime/transformer/denoiser.ts";
import type { TransformerModel } from "../runtime/transformer/model.ts";
import { ModulationTable } from "../runtime/transformer/modulation.ts";
import { freeKeysValues, type ReferenceKeysValues } from "../runtime/transformer/reference-cache.ts";
import type { Grid } from "../runtime/transformer/rotary.ts";
import { KLEIN_4B } from "../tools/synthesize/klein-configs.ts";
import { CutTransformer } from "./cut-transformer.ts";
import { Marks } from "./marks.ts";
import { median } from "./statistics.ts";
import { type RequestTokens, type Savings, savings, savingsBound } from "./work.ts";

export interface ReferenceBoundOptions {
  readonly dtype?: ScalarType | undefined;
  readonly repeats: number;
  readonly backend: BackendName;
}

/** Kept references against the bound, for one number of references. */
export interface ReferenceBoundRow {
  readonly references: number;
  readonly tokens: RequestTokens;
  /** Seconds of the whole model's step and references pass, put together from its blocks. */
  readonly seconds: { readonly computed: number; readonly kept: number; readonly pass: number };
  readonly measured: Savings;
  /** By the counted work. */
  readonly bound: Savings;
  /** Measured by bound. */
  readonly share: Savings;
}

export interface ReferenceBoundReport {
  readonly adapter: AdapterSummary;
  readonly dtype: ScalarType;
  readonly backend: BackendName;
  readonly rows: readonly ReferenceBoundRow[];
}

const REFERENCES = [1, 2, 4];
const STEPS = 4;
/** Tokens of a picture of 1024 × 1024 and of a prompt, and on adapters that run on the CPU a sixteenth of each. */
const SIZES = {
  gpu: { grid: { width: 64, height: 64 }, text: 512 },
  software: { grid: { width: 16, height: 16 }, text: 32 },
} as const;
const SMALL = { grid: { width: 2, height: 2 }, text: 8 } as const;
type Size = { readonly grid: Grid; readonly text: number };
/** Evaluation of the table's only noise level, and the row of sigma 0. */
const SIGMAS = [1, 0];
const SIGMA_ZERO_ROW = 1;

/**
 * Kept reference keys and values against full recomputation, at the widths of klein 4B. One double and one single block
 * are timed inside the engine's own passes, all ways in turn, and their times multiplied by the blocks that the model has.
 * What a request does besides (prompt, modulation, autoencoder) is on neither side.
 */
export async function measureReferenceBound(
  webgpu: GPU,
  { dtype, repeats, backend: name }: ReferenceBoundOptions,
): Promise<ReferenceBoundReport> {
  const gpu = await Gpu.open(webgpu);
  const scalar = gpu.scalarType(dtype);
  const backend = await createBackend(name, gpu, scalar);
  try {
    return await gpu.checked("the benchmark", async () => {
      const cut = await CutTransformer.load(gpu, KLEIN_4B, scalar);
      const bench = new Bench(cut, cut.model(backend, 1), cut.model(backend, 2));
      await bench.round(SMALL, 1); // shaders are compiled
      const size = SIZES[gpu.adapter.software ? "software" : "gpu"];
      const rounds = REFERENCES.map((): Round[] => []);
      for (let round = 0; round < repeats; round++)
        for (const [i, count] of REFERENCES.entries()) rounds[i]!.push(await bench.round(size, count));
      const rows = REFERENCES.map((count, i) => summarize(size, count, rounds[i]!));
      return { adapter: gpu.adapter, dtype: scalar, backend: name, rows };
    });
  } finally {
    await backend.dispose();
    gpu.destroy();
  }
}

/** Seconds of the whole model. */
type Round = ReferenceBoundRow["seconds"];

class Bench {
  readonly #cut: CutTransformer;
  /** One double and one single block; the pass needs another, since its last one is cut short. */
  readonly #model: TransformerModel;
  readonly #passModel: TransformerModel;

  constructor(cut: CutTransformer, model: TransformerModel, passModel: TransformerModel) {
    this.#cut = cut;

    this.#model = model;
    this.#passModel = passModel;
  }

  /** The references pass, a step with what it keeps, and one that computes the references. */
  async round({ grid, text }: Size, count: number): Promise<Round> {
    const { gpu, config } = this.#cut;
    const { inChannels, textWidth, doubleBlocks, singleBlocks } = config.transformer;
    using scope = gpu.memory.scope();
    const { modulation } = this.#model.weights;
    const table = await ModulationTable.create(gpu, this.#model.backend, scope, modulation, config.transformer, SIGMAS);
    const tokens = grid.width * grid.height;
    const references: References = {
      latents: this.#cut.input(scope, count * tokens, inChannels),
      grids: Array.from({ length: count }, () => grid),
    };
    const latents = this.#cut.input(scope, tokens, inChannels);
    const states = this.#cut.input(scope, text, textWidth);
    const words = await this.#model.embed(scope, states, this.#model.weights.textIn);
    const common = { gpu, model: this.#model, scope, table, grid, textLength: text, sigmaZeroRow: SIGMA_ZERO_ROW };
    const step = async (kept?: ReferenceKeysValues): Promise<number> => {
      const mode = kept ? "exact" : "recompute";
      const denoiser = new Denoiser({ ...common, mode, isolated: false, references, kept });
      const marks = await Marks.start(gpu);
      const velocity = await denoiser.velocity(latents, words, 0, undefined, marks.mark);
      await marks.mark();
      const [double, single, final] = marks.seconds as readonly [number, number, number];
      await assertFinite(gpu, "a step of the benchmark", velocity.chunks);
      return doubleBlocks * double + singleBlocks * single + final;
    };

    const marks = await Marks.start(gpu);
    const pass = { ...common, model: this.#passModel };
    const kept = await keepReferences(pass, references, { trace: marks.mark });
    try {
      const [double, single, last] = marks.seconds as readonly [number, number, number];
      return {
        pass: doubleBlocks * double + (singleBlocks - 1) * single + last,
        kept: await step(kept),
        computed: await step(),
      };
    } finally {
      freeKeysValues(gpu.memory, kept);
    }
  }
}

function summarize({ grid, text }: Size, count: number, rounds: readonly Round[]): ReferenceBoundRow {
  const target = grid.width * grid.height;
  const tokens = { text, target, references: count * target, steps: STEPS };
  const of = (way: keyof Round): number => median(rounds.map((round) => round[way]));
  const seconds = { computed: of("computed"), kept: of("kept"), pass: of("pass") };
  const measured = savings(seconds, STEPS);
  const bound = savingsBound(KLEIN_4B.transformer, tokens);
  const share = {
    step: measured.step / bound.step,
    firstRequest: measured.firstRequest / bound.firstRequest,
    laterRequest: measured.laterRequest / bound.laterRequest,
  };
  return { references: count, tokens, seconds, measured, bound, share };
}
