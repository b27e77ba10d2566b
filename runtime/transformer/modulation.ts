import { modulation as modulationKernel, silu } from "../../kernels/index.ts";
import type { DenseBackend } from "../backend/backend.ts";
import type { Matrix } from "../backend/matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { elementGrid } from "../gpu/workgroups.ts";
import { elementCount, type Tensor } from "../gpu/tensor.ts";
import type { TransformerConfig } from "../weights/config/model-config.ts";
import type { ModulationWeights } from "./weights.ts";

/** Shift, 1 + scale and gate of one normalisation, each [D] f32. */
export interface Modulation {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** The vectors that one sigma modulates every block with; they are shared by all blocks. */
export interface ModulationSet {
  readonly image: readonly [attention: Modulation, feedForward: Modulation];
  readonly text: readonly [attention: Modulation, feedForward: Modulation];
  readonly single: Modulation;
  readonly final: Pick<Modulation, "shift" | "scale">;
}

/** Vectors as the weights give them, before 1 is added to the scales: [sigmas, width] f32, for tracing. */
export interface RawModulation {
  readonly time: Tensor;
  readonly image: Tensor;
  readonly text: Tensor;
  readonly single: Tensor;
}

const TIME_SCALE = 1000;
const MAX_PERIOD = 10_000;

/**
 * Sinusoid of 1000 σ, cosines first: [sigmas, channels] (Vaswani et al. 2017, section 3.5, with flipped halves).
 */
export function timeFeatures(sigmas: readonly number[], channels: number): Float32Array<ArrayBuffer> {
  const half = channels / 2;
  const features = new Float32Array(sigmas.length * channels);
  sigmas.forEach((sigma, row) => {
    for (let i = 0; i < half; i++) {
      const angle = TIME_SCALE * sigma * Math.exp((-Math.log(MAX_PERIOD) * i) / half);
      features[row * channels + i] = Math.cos(angle);
      features[row * channels + half + i] = Math.sin(angle);
    }
  });
  return features;
}

/** [sigmas, width] f32 each, 1 added to the scales. */
interface Tables {
  readonly image: Tensor;
  readonly text: Tensor;
  readonly single: Tensor;
  readonly final: Tensor;
}

/** The transformer that a table belongs to. */
export interface ModulatedModel {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  readonly config: Pick<TransformerConfig, "hidden" | "timeChannels">;
  readonly weights: { readonly modulation: ModulationWeights };
}

export interface ModulationTableOptions {
  /** Holds the table. */
  readonly scope: MemoryScope;
  /** A row of the table each. */
  readonly sigmas: readonly number[];
  /** Called with the vectors as the weights give them. */
  readonly trace?: ((raw: RawModulation) => Promise<void>) | undefined;
}

/** The modulation of every sigma of a run, computed up front, so that a step only copies its vectors. */
export class ModulationTable {
  readonly #gpu: Gpu;
  readonly #width: number;
  readonly #tables: Tables;

  private constructor(gpu: Gpu, width: number, tables: Tables) {
    this.#gpu = gpu;
    this.#width = width;
    this.#tables = tables;
  }

  /** Computes the modulation of all sigmas. */
  static async create(
    { gpu, backend, config, weights: { modulation: weights } }: ModulatedModel,
    { scope, sigmas, trace }: ModulationTableOptions,
  ): Promise<ModulationTable> {
    const width = config.hidden;
    const project = async (x: Tensor, weight: Matrix): Promise<Tensor> => {
      const y = scope.tensor(weight.name, "f32", [sigmas.length, weight.out]);
      await backend.linear(scope, { x, weights: [weight], outputs: [y] });
      return y;
    };
    const activate = (x: Tensor): Tensor => {
      const y = scope.tensor("silu", "f32", x.shape);
      const count = elementCount(x.shape);
      const grid = elementGrid(silu, count);
      gpu.recorder.dispatch(silu, { bindings: { x, y }, parameters: { count }, grid });
      return y;
    };
    const features = scope.tensor("time features", "f32", [sigmas.length, config.timeChannels]);
    gpu.recorder.write(features, () => timeFeatures(sigmas, config.timeChannels));
    const time = await project(activate(await project(features, weights.timeIn)), weights.timeOut);
    const activated = activate(time);
    const raw = {
      time,
      image: await project(activated, weights.image),
      text: await project(activated, weights.text),
      single: await project(activated, weights.single),
    };
    await trace?.(raw);
    /** Adds 1 to the scales: chunk `scaleIndex` of every `period` chunks of `width` columns. */
    const addOne = (table: Tensor, period: number, scaleIndex: number): Tensor => {
      const out = scope.tensor("modulation", "f32", table.shape);
      const count = elementCount(table.shape);
      gpu.recorder.dispatch(modulationKernel, {
        bindings: { table, out },
        parameters: { count, width, period, scale_index: scaleIndex },
        grid: elementGrid(modulationKernel, count),
      });
      return out;
    };
    return new ModulationTable(gpu, width, {
      image: addOne(raw.image, 3, 1),
      text: addOne(raw.text, 3, 1),
      single: addOne(raw.single, 3, 1),
      final: addOne(await project(activated, weights.final), 2, 0),
    });
  }

  /** Vectors for `select` to fill. */
  allocate(scope: MemoryScope): ModulationSet {
    const vector = (): Tensor => scope.tensor("modulation vector", "f32", [this.#width]);
    const triple = (): Modulation => ({ shift: vector(), scale: vector(), gate: vector() });
    return {
      image: [triple(), triple()],
      text: [triple(), triple()],
      single: triple(),
      final: { shift: vector(), scale: vector() },
    };
  }

  /** Fills `target` with the vectors of sigma number `row`. */
  select(row: number, target: ModulationSet): void {
    const d = this.#width;
    const fill = (table: Tensor, first: number, vectors: readonly Tensor[]): void => {
      const start = row * table.shape[1]! + first * d;
      vectors.forEach((vector, i) => this.#gpu.recorder.copy(table, start + i * d, vector, 0, d));
    };
    const order = ({ shift, scale, gate }: Modulation): readonly Tensor[] => [shift, scale, gate];
    fill(this.#tables.image, 0, target.image.flatMap(order));
    fill(this.#tables.text, 0, target.text.flatMap(order));
    fill(this.#tables.single, 0, order(target.single));
    fill(this.#tables.final, 0, [target.final.scale, target.final.shift]);
  }
}
