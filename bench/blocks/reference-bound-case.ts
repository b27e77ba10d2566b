import { assertFinite } from "../../runtime/gpu/finite.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { Denoiser, computeReferenceKeysValues, type ReferenceLatents } from "../../runtime/transformer/denoiser.ts";
import type { TransformerModel } from "../../runtime/transformer/model.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { freeKeysValues, type ReferenceKeysValues } from "../../runtime/transformer/reference-cache.ts";
import type { Grid } from "../../runtime/transformer/rotary.ts";
import { KLEIN_4B } from "../klein-configs.ts";
import { CutTransformer } from "./cut-transformer.ts";
import { Marks } from "./marks.ts";
import type { CaseRun } from "../bench-case.ts";
import { ownKernels } from "../own-kernels.ts";
import type { ShapeSet } from "../options.ts";
import type { BenchmarkRow, Figure } from "../report/report.ts";
import { figure } from "../statistics.ts";
import { type Savings, savings, savingsBound } from "./work.ts";

/** Seconds of a step and a references pass of the whole model, extrapolated from its blocks. */
interface Round {
  readonly computed: number;
  readonly cached: number;
  readonly pass: number;
}

const REFERENCES = [1, 2, 4];
const STEPS = 4;
/** Tokens of a picture of 1024 × 1024 and of a prompt; a sixteenth of each on adapters that run on the CPU. */
const SIZES = {
  gpu: { grid: { width: 64, height: 64 }, text: 512 },
  software: { grid: { width: 16, height: 16 }, text: 32 },
  tiny: { grid: { width: 2, height: 2 }, text: 8 },
} as const satisfies Record<ShapeSet, Size>;
type Size = { readonly grid: Grid; readonly text: number };
/** One noise level, and sigma 0 for references. */
const SIGMAS = [1, 0];
const SIGMA_ZERO_ROW = 1;

/**
 * Compares cached reference keys and values with their computation in every step, at the widths of klein 4B. One double and one
 * single block are timed inside the engine's own passes, and multiplied by the number of blocks of the model. The time of the
 * double block includes the embedding of latents, which is a 300th of it. Other work of a request (prompt, modulation,
 * autoencoder) is not counted.
 */
export async function referenceBoundCase(run: CaseRun): Promise<void> {
  await run.withGpu({}, async (gpu) => {
    const scalar = gpu.scalarType(run.choice.dtype);
    const backend = await ownKernels(run, gpu, scalar);
    try {
      await gpu.checked("the benchmark", async () => {
        const cut = await CutTransformer.load(gpu, KLEIN_4B, scalar);
        const bench = new Bench(cut, cut.model(backend, 1), cut.model(backend, 2));
        await bench.round(SIZES.tiny, 1); // compiles shaders
        const size = SIZES[run.shapesFor(gpu)];
        for (const [i, count] of REFERENCES.entries()) {
          if (i > 0 && !run.hasTime()) break;
          const rounds: Round[] = [];
          for (let round = 0; round < run.choice.repeats; round++) rounds.push(await bench.round(size, count));
          run.addRow(describe(size, count, scalar, rounds));
        }
      });
    } finally {
      await backend.dispose();
    }
  });
  run.addNote("Times of the whole model are extrapolated from one double and one single block.");
}

class Bench {
  readonly #cut: CutTransformer;
  /** One double and one single block. The references pass needs a second single block, because its last block computes less. */
  readonly #model: TransformerModel;
  readonly #passModel: TransformerModel;

  constructor(cut: CutTransformer, model: TransformerModel, passModel: TransformerModel) {
    this.#cut = cut;
    this.#model = model;
    this.#passModel = passModel;
  }

  /** Times a references pass, a step with its cached keys and values, and a step that computes the references. */
  async round({ grid, text }: Size, count: number): Promise<Round> {
    const { gpu, config } = this.#cut;
    const { inChannels, textWidth, doubleBlocks, singleBlocks } = config.transformer;
    using scope = gpu.memory.scope();
    const table = await ModulationTable.create(this.#model, { scope, sigmas: SIGMAS });
    const tokens = grid.width * grid.height;
    const references: ReferenceLatents = {
      latents: this.#cut.input(scope, count * tokens, inChannels),
      grids: Array.from({ length: count }, () => grid),
    };
    const latents = this.#cut.input(scope, tokens, inChannels);
    const states = this.#cut.input(scope, text, textWidth);
    const words = await this.#model.embed(scope, states, this.#model.weights.textIn);
    const common = { gpu, model: this.#model, scope, table, grid, textLength: text, sigmaZeroRow: SIGMA_ZERO_ROW };
    const step = async (cached?: ReferenceKeysValues): Promise<number> => {
      const mode = cached ? "exact" : "recompute";
      const denoiser = new Denoiser({ ...common, mode, isolated: false, references, cached });
      const marks = await Marks.start(gpu);
      const velocity = await denoiser.velocity(latents, words, 0, { trace: marks.mark });
      await marks.mark();
      const [double, single, final] = marks.seconds as readonly [number, number, number];
      await assertFinite(gpu, "a step of the benchmark", velocity.chunks);
      return doubleBlocks * double + singleBlocks * single + final;
    };

    const marks = await Marks.start(gpu);
    const pass = { ...common, model: this.#passModel };
    const cached = await computeReferenceKeysValues(pass, references, { trace: marks.mark });
    try {
      const [double, single, last] = marks.seconds as readonly [number, number, number];
      return {
        pass: doubleBlocks * double + (singleBlocks - 1) * single + last,
        cached: await step(cached),
        computed: await step(),
      };
    } finally {
      freeKeysValues(gpu.memory, cached);
    }
  }
}

function describe({ grid, text }: Size, count: number, type: ScalarType, rounds: readonly Round[]): BenchmarkRow {
  const target = grid.width * grid.height;
  const tokens = { text, target, references: count * target, steps: STEPS };
  // ratios within a round, because the load of the machine changes more between rounds
  const saved = rounds.map((round) => savings(round, STEPS));
  const bound = savingsBound(KLEIN_4B.transformer, tokens);
  const seconds = (way: keyof Round): Figure =>
    figure(
      rounds.map((round) => round[way]),
      "s",
    );
  const measured = (of: keyof Savings): Readonly<Record<string, Figure>> => {
    const times = figure(
      saved.map((each) => each[of]),
      "times faster",
    );
    return {
      [NAMES[of]]: times,
      [`bound of ${NAMES[of]}`]: { value: bound[of], unit: "times faster", derived: true },
      [`reached of ${NAMES[of]}`]: { value: (100 * times.value) / bound[of], unit: "%", derived: true },
    };
  };
  return {
    labels: {
      references: String(count),
      "tokens (text + target + references)": `${text} + ${target} + ${count * target}`,
      type,
    },
    figures: {
      "computed step": seconds("computed"),
      "cached step": seconds("cached"),
      "references pass": seconds("pass"),
      ...measured("step"),
      ...measured("firstRequest"),
      ...measured("laterRequest"),
    },
  };
}

const NAMES = { step: "a step", firstRequest: "first request", laterRequest: "later request" } as const;
