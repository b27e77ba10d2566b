import type { BackendOption, DenseBackend } from "../backend/backend.ts";
import { ComposedBackend } from "../backend/composed-backend.ts";
import { createBackend, createOrtOnNullDevice } from "../backend/create-backend.ts";
import {
  backendOf,
  type BackendsByOperator,
  everyOperator,
  type Implementation,
  mapOperators,
  type Operator,
  OPERATORS,
  type LinearOperator,
} from "../backend/operators.ts";
import { defaultTile, tilesFor } from "../backend/wgsl/tiles.ts";
import { WgslBackend } from "../backend/wgsl/wgsl-backend.ts";
import type { Gpu } from "../gpu/device.ts";
import { BYTES_PER_ELEMENT, type ScalarType } from "../gpu/tensor.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { fastest } from "./fastest.ts";
import { convolutionOperands, productOperands } from "./operands.ts";
import { type MakeOperands, OperatorBenchmark } from "./operator-benchmark.ts";
import { tuningKey, type TunedOperator, type TuningStorage, TuningCache } from "./tuning-cache.ts";

export interface DenseBackendOptions {
  readonly gpu: Gpu;
  readonly scalar: ScalarType;
  readonly backend: BackendOption;
  readonly quantization: Quantization;
  /** Its widths decide the sizes of the operands that are timed. */
  readonly config: {
    readonly transformer: Pick<ModelConfig["transformer"], "hidden">;
    readonly vae: Pick<ModelConfig["vae"], "decoderChannels">;
  };
  readonly ortWasmUrl?: string | undefined;
  readonly tuningCache?: TuningStorage | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The implementation of each kind of operator that the model has. */
export type DenseReport = Readonly<Partial<Record<Operator, OperatorReport>>>;

/** The implementation of an operator, and the results of all candidates. */
export interface OperatorReport extends TunedOperator {
  /** Whether the result comes from the tuning cache, so that nothing was timed. */
  readonly remembered: boolean;
}

export interface TunedBackend {
  readonly backend: DenseBackend;
  readonly backends: BackendsByOperator;
  readonly report: DenseReport;
  /** The same backend on the null device (`Gpu.onNullDevice`). */
  onNullDevice(gpu: Gpu): Promise<DenseBackend>;
}

/** GPU time of all measurements together, approximately. The time to compile candidates comes on top. */
const BUDGET_MS = 1500;
/** Products: rows grow from the smallest to the largest, then outputs to the width of the model. */
const ROWS = { least: 64, most: 1024 } as const;
const LEAST_OUTS = 256;
/** Convolutions: the height of the map grows. */
const MAP = { width: 64, leastHeight: 8, mostHeight: 256 } as const;

/**
 * The dense backend of an engine. With `auto` and `wgsl`, each kind of operator gets the fastest correct implementation on
 * this adapter, from the tuning cache or measured now. onnxruntime is loaded for `ort`, to be measured, and if it is the
 * fastest. If the cache names onnxruntime and it cannot be loaded any more, the operator is measured again for this engine,
 * and the report has the error.
 *
 * @throws KleinbildError `unsupported` when the backend is `ort` and onnxruntime cannot be loaded, or when no implementation
 *   of an operator is correct; the reason of `signal`
 */
export async function openDenseBackend(setup: DenseBackendOptions): Promise<TunedBackend> {
  const autotuner = new Autotuner(setup);
  const { quantization, signal } = setup;
  const operators: readonly Operator[] = ["plain", ...(quantization === "none" ? [] : [quantization]), "convolution"];
  try {
    const report: Partial<Record<Operator, OperatorReport>> = {};
    for (const operator of operators) {
      signal?.throwIfAborted();
      report[operator] = await autotuner.tune(operator, BUDGET_MS / operators.length);
    }
    return { ...(await autotuner.open(report)), report };
  } catch (error) {
    await autotuner.dispose();
    throw error;
  }
}

class Autotuner {
  readonly #setup: DenseBackendOptions;
  readonly #cache: TuningCache;
  #ort: Promise<DenseBackend> | undefined;

  constructor(setup: DenseBackendOptions) {
    this.#setup = setup;
    this.#cache = new TuningCache(setup.tuningCache);
  }

  async tune(operator: Operator, budgetMs: number): Promise<OperatorReport> {
    const { gpu, scalar, ortWasmUrl } = this.#setup;
    const candidates = this.#candidates();
    if (candidates.length === 1) return { implementation: candidates[0]!, candidates: [], remembered: false };
    const { shape, make } = operator === "convolution" ? this.#convolutions(candidates) : this.#products(operator);
    const key = tuningKey(gpu, { operator, scalar, candidates, shape, ortWasmUrl });
    const cached = await this.#cache.get(key, candidates);
    if (cached && (await this.#isAvailable(cached.implementation))) return { ...cached, remembered: true };
    const benchmark = await OperatorBenchmark.create(gpu, make, candidates[0]!, (name) => this.#backend(name));
    try {
      const description = operator === "convolution" ? "a convolution" : `a product with ${operator} weights`;
      const result = await fastest(description, candidates, benchmark, budgetMs);
      const tuned = { implementation: result.fastest, candidates: result.candidates };
      // an implementation that is unavailable now may be back at the next start
      if (!cached) await this.#cache.set(key, tuned);
      return { ...tuned, remembered: false };
    } finally {
      benchmark.dispose();
    }
  }

  /** A backend with the implementations of `report`. Operators that the model does not have are computed like plain ones. */
  async open(report: DenseReport): Promise<Omit<TunedBackend, "report">> {
    const { gpu, scalar } = this.#setup;
    const implementations = { ...everyOperator(report.plain!.implementation) };
    for (const operator of OPERATORS)
      implementations[operator] = report[operator]?.implementation ?? implementations.plain;
    const backends = mapOperators(implementations, backendOf);
    const usesOrt = Object.values(backends).includes("ort");
    const tiles = mapOperators(implementations, (name) => (name === "ort" ? defaultTile(gpu.adapter) : name));
    const compose = (on: Gpu, ort: DenseBackend | undefined): DenseBackend => {
      const wgsl = new WgslBackend(on, scalar, tiles);
      return ort ? new ComposedBackend(mapOperators(backends, (name) => (name === "ort" ? ort : wgsl))) : wgsl;
    };
    if (!usesOrt) await this.dispose();
    return {
      backend: compose(gpu, usesOrt ? await this.#loadOrt() : undefined),
      backends,
      onNullDevice: async (on) => compose(on, usesOrt ? await createOrtOnNullDevice(on, scalar) : undefined),
    };
  }

  /** Frees the memory of onnxruntime. */
  async dispose(): Promise<void> {
    const ort = await this.#ort?.catch(() => undefined); // its error was reported where it was loaded
    await ort?.dispose();
  }

  #candidates(): readonly Implementation[] {
    const { gpu, scalar, backend } = this.#setup;
    const tiles = tilesFor(gpu.adapter, gpu.device.limits, scalar);
    switch (backend) {
      case "auto":
        return [...tiles, "ort"];
      case "wgsl":
        return tiles;
      case "ort":
        return ["ort"];
      default:
        return backend satisfies never;
    }
  }

  #loadOrt(): Promise<DenseBackend> {
    const { gpu, scalar, ortWasmUrl } = this.#setup;
    return (this.#ort ??= createBackend("ort", gpu, scalar, ortWasmUrl));
  }

  async #isAvailable(name: Implementation): Promise<boolean> {
    return name !== "ort" || this.#loadOrt().then(Boolean, () => false);
  }

  async #backend(name: Implementation): Promise<DenseBackend> {
    const { gpu, scalar } = this.#setup;
    return name === "ort" ? this.#loadOrt() : new WgslBackend(gpu, scalar, everyOperator(name));
  }

  #products(operator: LinearOperator): SizedOperands {
    const { gpu, scalar, config } = this.#setup;
    const width = Math.ceil(config.transformer.hidden / 32) * 32;
    const mostRows = Math.floor(gpu.memory.maxBindingBytes / (width * BYTES_PER_ELEMENT[scalar]));
    const shape = { columns: width, rows: Math.min(ROWS.most, mostRows), outs: Math.min(width, mostRows) };
    const format = operator === "plain" ? scalar : operator;
    const make: MakeOperands = (size) => {
      const rows = Math.min(ROWS.least * size, shape.rows);
      const outs = Math.min(LEAST_OUTS * Math.max(1, (size * ROWS.least) / ROWS.most), shape.outs);
      return productOperands(gpu, scalar, format, { rows, columns: width, outs: Math.floor(outs / 4) * 4 });
    };
    return { shape, make };
  }

  #convolutions(candidates: readonly Implementation[]): SizedOperands {
    const { gpu, scalar, config } = this.#setup;
    const channels = Math.min(...config.vae.decoderChannels);
    const rowBytes = MAP.width * channels * BYTES_PER_ELEMENT[scalar];
    const fitting = Math.floor(gpu.memory.maxBindingBytes / rowBytes) - 2;
    const shape = { channels, width: MAP.width, height: Math.max(1, Math.min(MAP.mostHeight, fitting)) };
    const layouts = candidates.includes("ort") ? (["ohwi", "oihw"] as const) : (["ohwi"] as const);
    const make: MakeOperands = (size) =>
      convolutionOperands(gpu, scalar, layouts, { ...shape, height: Math.min(MAP.leastHeight * size, shape.height) });
    return { shape, make };
  }
}

interface SizedOperands {
  /** Of the largest operands. */
  readonly shape: Readonly<Record<string, number>>;
  readonly make: MakeOperands;
}
