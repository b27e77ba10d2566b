import { type BackendsByOperator, mapOperators, type LinearOperator } from "../backend/operators.ts";
import { BYTES_PER_ELEMENT, type ScalarType } from "../gpu/tensor.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { QUANTIZATION_BLOCK } from "../weights/quantize.ts";
import { PlannedMemory } from "./ledger.ts";
import { OrtPool } from "./ort-pool.ts";
import { cutRows, type PlannedDense, type PlannedMatrix } from "./planned-dense.ts";
import { PlannedComposed } from "./planned-composed.ts";
import { PlannedOrt } from "./planned-ort.ts";
import { PlannedWgsl } from "./planned-wgsl.ts";

/** How a model is to be loaded. */
export interface PlanSetup {
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly backends: BackendsByOperator;
  readonly maxBindingBytes: number;
  readonly rowsPerChunk: number;
}

const BITS = { q8: 8, q4: 4 } as const;

/** Bytes of a row of a matrix's values: quantized where it may be and its columns are whole blocks. */
export function rowBytes(
  { scalar, quantization }: Pick<PlanSetup, "scalar" | "quantization">,
  columns: number,
  quantizable: boolean,
): number {
  return quantizable && quantization !== "none" && columns % QUANTIZATION_BLOCK === 0
    ? (columns * BITS[quantization]) / 8
    : columns * BYTES_PER_ELEMENT[scalar];
}

/** The planned counterparts of a loaded model's GPU side. */
export class PlanContext {
  readonly setup: PlanSetup;
  readonly memory = new PlannedMemory();
  readonly dense: PlannedDense;

  constructor(setup: PlanSetup) {
    this.setup = setup;
    const { backends, scalar } = setup;
    const wgsl = new PlannedWgsl(scalar);
    let ort: PlannedOrt | undefined;
    this.dense = new PlannedComposed(
      mapOperators(backends, (name) =>
        name === "wgsl" ? wgsl : (ort ??= new PlannedOrt(new OrtPool(this.memory), scalar)),
      ),
    );
  }

  /** A transfer to the host, through a buffer of its size. */
  readBack(bytes: number): void {
    this.memory.allocate("transfer", bytes);
    this.memory.free("transfer", bytes);
  }

  /** What `assertFinite` allocates. */
  finiteCheck(): void {
    using scope = this.memory.scope("transfer");
    this.readBack(scope.tensor("u32", [1]));
  }

  /** A matrix that is quantized where the model is. @param cutAs  columns of the widest matrix that is cut alike */
  block(out: number, columns: number, rank = 0, cutAs = columns): PlannedMatrix {
    const { quantization } = this.setup;
    const format = quantization !== "none" && columns % QUANTIZATION_BLOCK === 0 ? quantization : "plain";
    return this.#matrix(out, columns, format, rowBytes(this.setup, cutAs, true), rank);
  }

  /** A matrix that is never quantized. */
  kept(out: number, columns: number, rank = 0): PlannedMatrix {
    return this.#matrix(out, columns, "plain", rowBytes(this.setup, columns, false), rank);
  }

  #matrix(out: number, columns: number, format: LinearOperator, bytes: number, rank: number): PlannedMatrix {
    return { out, in: columns, format, pieces: cutRows(out, bytes, this.setup.maxBindingBytes), rank };
  }
}
