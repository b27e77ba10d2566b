import { f32ToF16 } from "../../runtime/weights/float.ts";

/** The lowest and highest of some values, and the one of largest magnitude. */
export interface Range {
  readonly least: number;
  readonly most: number;
  readonly extreme: number;
}

export function rangeOf(values: Float32Array, start: number, count: number): Range {
  let least = Infinity;
  let most = -Infinity;
  for (let i = start; i < start + count; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return { least, most, extreme: Math.abs(least) > Math.abs(most) ? least : most };
}

/** Writes a number as f16, low byte first. Returns the rounded value. */
export function putF16(bytes: Uint8Array, at: number, value: number): number {
  const [bits] = f32ToF16(Float32Array.of(value));
  bytes[at] = bits! & 255;
  bytes[at + 1] = bits! >> 8;
  return f16(bits!);
}

function f16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Rounds to nearest, clamped to 0 … most. */
export function clampCode(value: number, most: number): number {
  return Math.max(0, Math.min(most, Math.round(value)));
}

export const divide = (a: number, b: number): number => (b === 0 ? 0 : a / b);
