import type { BackendName } from "./backend.ts";
import type { WeightFormat } from "./matrix.ts";

/**
 * A kind of dense operator, for which one implementation is chosen. `convolution`, or a matrix product by the format of its
 * weights: `plain` (f16 or f32), `q8`, `q4`.
 */
export type Operator = "plain" | "q8" | "q4" | "convolution";
export const OPERATORS: readonly Operator[] = ["plain", "q8", "q4", "convolution"];
/** Those that are matrix products. */
export type LinearOperator = Exclude<Operator, "convolution">;

export function operatorOf(format: WeightFormat): LinearOperator {
  return format === "f32" || format === "f16" ? "plain" : format;
}

/** Which backend computes which operator. */
export type BackendsByOperator = Readonly<Record<Operator, BackendName>>;

/** The same for all of them. */
export function everyOperator<const T>(value: T): Readonly<Record<Operator, T>> {
  return { plain: value, q8: value, q4: value, convolution: value };
}

export function mapOperators<T, U>(
  { plain, q8, q4, convolution }: Readonly<Record<Operator, T>>,
  map: (value: T) => U,
): Readonly<Record<Operator, U>> {
  return { plain: map(plain), q8: map(q8), q4: map(q4), convolution: map(convolution) };
}
