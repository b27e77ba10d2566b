import type { BackendName } from "./backend.ts";
import type { WeightFormat } from "./matrix.ts";

/** Operators that an implementation is chosen for: products by the format of their weights, and convolutions. */
export const OPERATORS = ["plain", "q8", "q4", "convolution"] as const;
export type Operator = (typeof OPERATORS)[number];
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
