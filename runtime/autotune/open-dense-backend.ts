import type { BackendOption, DenseBackend } from "../backend/backend.ts";
import { ComposedBackend } from "../backend/composed-backend.ts";
import { createBackend, createOrtOnNullDevice } from "../backend/create-backend.ts";
import {
  type BackendsByOperator,
  everyOperator,
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
import { backendOf, type Implementation } from "./implementation.ts";
import { convolutionOperands, productOperands } from "./operands.ts";
import { type MakeOperands, OperatorBenchmark } from "./operator-benchmark.ts";
import { tuningKey, type TunedOperator, type TuningStorage, TuningCache } from "./tuning-cache.ts";

export interface DenseBackendOptions {
  readonly gpu: Gpu;
  readonly scalar: ScalarType;
  readonly backend: BackendOption;
  readonly quantization: Quantization;
  /** Its widths are those of the trials. */
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

/** The implementation of an operator, and how it was chosen. */
export interface OperatorReport extends TunedOperator {
  /** Whether the choice was read from the tuning cache, so that nothing was timed. */
  readonly remembered: boolean;
}

export interface TunedBackend {
  readonly backend: DenseBackend;
  readonly backends: BackendsByOperator;
  readonly report: DenseReport;
  /** The same on a device that does nothing (`Gpu.standIn`). */
  onNullDevice(gpu: Gpu): Promise<DenseBackend>;
}

/** GPU time of all trials together, about; what candidates take to compile comes on top. */
const BUDGET_MS = 1500;
/** Products: rows grow from the smallest to the largest, then outputs to the width of the model. */
const ROWS = { least: 64, most: 1024 } as const;
const LEAST_OUTS = 256;
/** Convolutions: the height of the map grows. */
const MAP = { width: 64, leastHeight: 8, mostHeight: 256 } as const;

/**
 * The dense backend of an engine: with `auto` and `wgsl`, what is right and fastest on this adapter for each kind of operator,
 * as remembered or by trial. onnxruntime is loaded only for `ort`, where a trial compares with it, and where it has won. Where
 * it has won and cannot be loaded any more, the choice is made anew for this engine, and the report says what it failed with.
 *
 * @throws KleinbildError `unsupported` when onnxruntime was asked for and cannot be loaded, or when nothing computes rightly;
 *   the reason of `signal`
 */
export async function openDenseBackend(setup: DenseBackendOptions): Promise<TunedBackend> {
  const choosing = new Autotuner(setup);
  const { quantization, signal } = setup;
  const operators: readonly Operator[] = ["plain", ...(quantization === "none" ? [] : [quantization]), "convolution"];
  try {
    const report: Partial<Record<Operator, OperatorReport>> = {};
    for (const operator of operators) {
      signal?.throwIfAborted();
      report[operator] = await choosing.choose(operator, BUDGET_MS / operators.length);
    }
    return { ...(await choosing.open(report)), report };
  } catch (error) {
    await choosing.dispose();
    throw error;
  }
}

class Autotuner {
  readonly #setup: DenseBackendOptions;
  readonly #remembered: TuningCache;
  #ort: Promise<DenseBackend> | undefined;

  constructor(setup: DenseBackendOptions) {
    this.#setup = setup;
    this.#remembered = new TuningCache(setup.tuningCache);
  }

  async choose(operator: Operator, budgetMs: number): Promise<OperatorReport> {
    const { gpu, scalar, ortWasmUrl } = this.#setup;
    const candidates = this.#candidates();
    if (candidates.length === 1) return { implementation: candidates[0]!, candidates: [], remembered: false };
    const { shape, make } = operator === "convolution" ? this.#convolutions(candidates) : this.#products(operator);
    const key = tuningKey(gpu, { operator, scalar, candidates, shape, ortWasmUrl });
    const kept = await this.#remembered.get(key, candidates);
    const isLost = kept !== undefined && !(await this.#isThere(kept.implementation));
    if (kept && !isLost) return { ...kept, remembered: true };
    const trial = await OperatorBenchmark.create(gpu, make, candidates[0]!, (name) => this.#backend(name));
    try {
      const what = operator === "convolution" ? "a convolution" : `a product with ${operator} weights`;
      const { fastest: implementation, candidates: tried } = await fastest(what, candidates, trial, budgetMs);
      const chosen = { implementation, candidates: tried };
      if (!isLost) await this.#remembered.set(key, chosen); // else what is lost may be back at the next start
      return { ...chosen, remembered: false };
    } finally {
      trial.dispose();
    }
  }

  /** The backend that computes each operator with what was chosen; those that the model has not, as the plain ones. */
  async open(report: DenseReport): Promise<Omit<TunedBackend, "report">> {
    const { gpu, scalar } = this.#setup;
    const chosen = { ...everyOperator(report.plain!.implementation) };
    for (const operator of OPERATORS) chosen[operator] = report[operator]?.implementation ?? chosen.plain;
    const backends = mapOperators(chosen, backendOf);
    const usesOrt = Object.values(backends).includes("ort");
    const tiles = mapOperators(chosen, (name) => (name === "ort" ? defaultTile(gpu.adapter) : name));
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

  /** Frees what onnxruntime holds. */
  async dispose(): Promise<void> {
    const ort = await this.#ort?.catch(() => undefined); // who asked for it was told
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

  async #isThere(name: Implementation): Promise<boolean> {
    return name !== "ort" || this.#loadOrt().then(Boolean, () => false);
  }

  async #backend(name: Implementation): Promise<DenseBackend> {
    const { gpu, scalar } = this.#setup;
    return name === "ort" ? this.#loadOrt() : new WgslBackend(gpu, scalar, everyOperator(name));
  }

  #products(operator: LinearOperator): SizedTrial {
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

  #convolutions(candidates: readonly Implementation[]): SizedTrial {
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

interface SizedTrial {
  /** At its largest. */
  readonly shape: Readonly<Record<string, number>>;
  readonly make: MakeOperands;
}
