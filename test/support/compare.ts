import { expect } from "vitest";

/** Cosine similarity of two arrays seen as vectors; 1 when both are all zeros. */
export function cosine(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let dot = 0;
  let normActual = 0;
  let normExpected = 0;
  for (let i = 0; i < expected.length; i++) {
    dot += actual[i]! * expected[i]!;
    normActual += actual[i]! ** 2;
    normExpected += expected[i]! ** 2;
  }
  if (normActual === 0 && normExpected === 0) return 1;
  return dot / Math.sqrt(normActual * normExpected);
}

export function maxAbsError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= worst)) worst = error; // NaN wins
  }
  return worst;
}

/** Expects every value within `absolute + relative · |expected|`, and reports the worst one. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 0, relative = 0 }: { readonly absolute?: number; readonly relative?: number },
): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= absolute + relative * Math.abs(expected[i]!)))
      expect.fail(`index ${i}: ${actual[i]} is not close to ${expected[i]} (error ${error})`);
  }
}

/** Deterministic values in −1…1 for tests (a linear congruential generator, Numerical Recipes' constants). */
export function randomValues(count: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Byte for byte; `toEqual` takes seconds for a megabyte. */
export function expectSameBytes(actual: ArrayBufferView, expected: ArrayBufferView, message?: string): void {
  const bytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  expect(Buffer.compare(bytes(actual), bytes(expected)), message).toBe(0);
}
