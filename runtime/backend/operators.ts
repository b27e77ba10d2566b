import type { BackendName } from "./backend.ts";
import type { WeightFormat } from "./matrix.ts";
import { TILE_NAMES, type TileName } from "./wgsl/tiles.ts";

/**
 * A kind of dense operator, which has one implementation on a device. `convolution`, or a matrix product by the format of its
 * weights: `plain` (f16 or f32), `q8`, `q4`.
 */
export type Operator = "plain" | "q8" | "q4" | "convolution";
export const OPERATORS: readonly Operator[] = ["plain", "q8", "q4", "convolution"];
/** A kind of matrix product. */
export type LinearOperator = Exclude<Operator, "convolution">;

export function operatorOf(format: WeightFormat): LinearOperator {
  return format === "f32" || format === "f16" ? "plain" : format;
}

/** An implementation of a dense operator: onnxruntime, or the kernels of this package with certain tiles. */
export type Implementation = TileName | "ort";
export const IMPLEMENTATIONS: readonly Implementation[] = [...TILE_NAMES, "ort"];

export function backendOf(implementation: Implementation): BackendName {
  return implementation === "ort" ? "ort" : "wgsl";
}

/** The backend of each kind of operator. */
export type BackendsByOperator = Readonly<Record<Operator, BackendName>>;

/** One value for all kinds of operators. */
export function everyOperator<const T>(value: T): Readonly<Record<Operator, T>> {
  return { plain: value, q8: value, q4: value, convolution: value };
}

export function mapOperators<T, U>(
  { plain, q8, q4, convolution }: Readonly<Record<Operator, T>>,
  map: (value: T) => U,
): Readonly<Record<Operator, U>> {
  return { plain: map(plain), q8: map(q8), q4: map(q4), convolution: map(convolution) };
}
