import type { DenseBackend } from "../../runtime/backend/backend.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix, ScalarType } from "../../runtime/gpu/tensor.ts";
import { rowsPerChunk } from "../../runtime/loaded-model/rows-per-chunk.ts";
import { TransformerModel } from "../../runtime/transformer/model.ts";
import { loadTransformerWeights, type TransformerWeights } from "../../runtime/transformer/weights.ts";
import { WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { seededValues, seededWeights } from "./seeded-weights.ts";

/**
 * A transformer with one double block, one single block and all layers outside the blocks, with seeded weights in 4 bits. The
 * blocks of a model are alike, so this is enough to extrapolate the time of the whole model.
 */
export class CutTransformer {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly weights: TransformerWeights;
  readonly #scalar: ScalarType;
  readonly #loader: WeightLoader;

  private constructor(
    gpu: Gpu,
    config: ModelConfig,
    scalar: ScalarType,
    loader: WeightLoader,
    weights: TransformerWeights,
  ) {
    this.gpu = gpu;
    this.config = config;
    this.#scalar = scalar;
    this.#loader = loader;
    this.weights = weights;
  }

  static async load(gpu: Gpu, config: ModelConfig, scalar: ScalarType): Promise<CutTransformer> {
    const transformer = { ...config.transformer, doubleBlocks: 1, singleBlocks: 1 };
    const store = seededWeights({ ...config, transformer }, "transformer");
    const loader = new WeightLoader({ gpu, store, part: "transformer", scalar, quantization: "q4" });
    const weights = await loadTransformerWeights(loader, transformer);
    return new CutTransformer(gpu, config, scalar, loader, weights);
  }

  /** A model of one double block, and the single block repeated `singleBlocks` times. */
  model(backend: DenseBackend, singleBlocks: number): TransformerModel {
    const { config, gpu, weights } = this;
    const cut = { ...config.transformer, doubleBlocks: 1, singleBlocks };
    const single = Array.from({ length: singleBlocks }, () => weights.single[0]!);
    const scalar = this.#scalar;
    return new TransformerModel({
      gpu,
      backend,
      scalar,
      config: cut,
      weights: { ...weights, single },
      rowsPerChunk: rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes),
    });
  }

  /** Seeded normal values [rows, columns] in f32, for latents and prompt embeddings. */
  input(scope: MemoryScope, rows: number, columns: number): ChunkedMatrix {
    const chunk = rowsPerChunk(this.config, this.#scalar, this.gpu.memory.maxBindingBytes);
    const target = scope.matrix("bench input", "f32", rows, columns, chunk);
    writeMatrix(this.gpu.recorder, target, seededValues(rows * columns));
    return target;
  }

  dispose(): void {
    this.#loader.dispose();
  }
}
