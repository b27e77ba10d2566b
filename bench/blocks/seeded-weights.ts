import type { PackedRows, StoredTensor } from "../../runtime/weights/formats/tensor-file.ts";
import { inventory, type InventoryTensor, type WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { TensorView } from "../../runtime/weights/names/tensor-view.ts";
import { QUANTIZATION_BLOCK, quantizeRows } from "../../runtime/weights/quantize.ts";
import { TensorStore } from "../../runtime/weights/tensor-store.ts";
import { generator, hash, normal } from "../seeded-random.ts";

/** Random values are drawn once. Each tensor repeats them from its own offset. */
const POOL_VALUES = 1 << 18;
const CODES_PER_BYTE = 2;

/** Standard normal values, and the same values in 4 bits. */
interface Pool {
  readonly values: Float32Array<ArrayBuffer>;
  readonly packed: PackedRows;
}

/**
 * All tensors of a part of a model in their true shapes with seeded values, without a file. Block matrices are packed in 4
 * bits, all others are f32. Matrices preserve the variance of their input, so that activations stay finite.
 */
export function seededWeights(config: ModelConfig, part: WeightPart): TensorStore {
  const values = seededValues(POOL_VALUES);
  const pool: Pool = { values, packed: quantizeRows(values, 1, POOL_VALUES, 4) };
  const views = inventory(config, part).map((tensor) => [tensor.name, TensorView.of(seeded(tensor, pool))] as const);
  return new TensorStore("The seeded weights", new Map(views), {
    files: [],
    format: "safetensors",
    naming: "diffusers",
    unused: [],
    extra: [],
  });
}

/** Standard normal values, the same at every call. */
export function seededValues(count: number): Float32Array<ArrayBuffer> {
  const next = generator(1);
  return Float32Array.from({ length: count }, () => normal(next));
}

function seeded({ name, shape, role }: InventoryTensor, pool: Pool): StoredTensor {
  const rowValues = shape.slice(1).reduce((product, size) => product * size, 1);
  // norms are near one, biases near zero
  const mean = role === "vector" && !name.endsWith(".bias") ? 1 : 0;
  const spread = role === "vector" ? 0.01 : 1 / Math.sqrt(rowValues);
  const start = (hash(name) % (POOL_VALUES / QUANTIZATION_BLOCK)) * QUANTIZATION_BLOCK;
  const stored = {
    name,
    type: role === "block" ? "Q4" : "F32",
    shape,
    bytes: (shape[0]! * rowValues * (role === "block" ? 5 : 32)) / 8, // a 4-byte scale for 32 codes
    readRows: async (first: number, rows: number) =>
      repeated(pool.values, start + first * rowValues, rows * rowValues).map((value) => mean + spread * value),
  };
  if (role !== "block") return stored;
  const readPacked = async (first: number, rows: number): Promise<PackedRows> => {
    const [at, count] = [start + first * rowValues, rows * rowValues];
    const scales = repeated(pool.packed.scales, at / QUANTIZATION_BLOCK, count / QUANTIZATION_BLOCK);
    return {
      packed: repeated(pool.packed.packed, at / CODES_PER_BYTE, count / CODES_PER_BYTE),
      scales: scales.map((scale) => spread * scale),
    };
  };
  return { ...stored, packed: { format: "q4", readRows: readPacked } };
}

/** `count` values of the pool from index `at` on, repeated as often as needed. */
function repeated<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  pool: T,
  at: number,
  count: number,
): T {
  const values = new (pool.constructor as new (length: number) => T)(count);
  let from = at % pool.length;
  for (let filled = 0; filled < count;) {
    const piece = pool.subarray(from, Math.min(pool.length, from + count - filled)) as T;
    values.set(piece, filled);
    filled += piece.length;
    from = 0;
  }
  return values;
}
