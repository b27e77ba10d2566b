/** An expected tensor and the actual one. */
export interface Comparison {
  readonly name: string;
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  /** Whether all values must be equal, as for token ids and sizes. */
  readonly exact?: boolean;
  /** Allowed largest error, instead of the tolerance of the case. For schedules and noise. */
  readonly maxAbs?: number;
}

/** The tolerance of a case. test/golden/README.md defines it. */
export interface Tolerance {
  readonly cosine?: number;
  readonly maxAbs?: number;
  readonly imageMaxAbs?: number;
  readonly levels?: number;
}

export interface Verdict {
  readonly passed: boolean;
  /** Lowest cosine similarity of all tensors. */
  readonly cosine: number;
  /** Largest error of all tensors. */
  readonly maxAbs: number;
  /** Problems, one for each wrong tensor. */
  readonly failures: readonly string[];
}

export function judge(comparisons: readonly Comparison[], tolerance: Tolerance): Verdict {
  const failures: string[] = [];
  let leastCosine = 1;
  let largestError = 0;
  if (comparisons.length === 0) failures.push("nothing was compared");
  for (const comparison of comparisons) {
    const { name, actual, expected } = comparison;
    if (actual.length !== expected.length) {
      failures.push(`${name}: ${actual.length} values instead of ${expected.length}`);
      continue;
    }
    const { cosine, maxAbs } = compare(actual, expected);
    leastCosine = Math.min(leastCosine, cosine);
    largestError = Math.max(largestError, maxAbs);
    const within = (value: number, limit: number | undefined): boolean => limit === undefined || value <= limit;
    if (comparison.exact && maxAbs !== 0) failures.push(`${name}: differs by ${maxAbs}`);
    if (tolerance.cosine !== undefined && !(cosine >= tolerance.cosine)) failures.push(`${name}: cosine ${cosine}`);
    if (!within(maxAbs, tolerance.maxAbs) || !within(maxAbs, comparison.maxAbs) || !within(maxAbs, tolerance.levels))
      failures.push(`${name}: max abs error ${maxAbs}`);
    if (name === "image" && !within(maxAbs, tolerance.imageMaxAbs)) failures.push(`${name}: max abs error ${maxAbs}`);
  }
  return { passed: failures.length === 0, cosine: leastCosine, maxAbs: largestError, failures };
}

/** Cosine similarity as vectors, and largest absolute error. NaN equals NaN, and differs infinitely from other values. */
function compare(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { readonly cosine: number; readonly maxAbs: number } {
  let dot = 0;
  let squaresActual = 0;
  let squaresExpected = 0;
  let maxAbs = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e || (Number.isNaN(a) && Number.isNaN(e))) {
      if (!Number.isFinite(e)) continue;
    } else if (!Number.isFinite(a) || !Number.isFinite(e)) return { cosine: -1, maxAbs: Infinity };
    dot += a * e;
    squaresActual += a * a;
    squaresExpected += e * e;
    maxAbs = Math.max(maxAbs, Math.abs(a - e));
  }
  if (squaresActual === 0 && squaresExpected === 0) return { cosine: 1, maxAbs };
  const cosine = dot / Math.sqrt(squaresActual * squaresExpected);
  return { cosine: Number.isNaN(cosine) ? -1 : cosine, maxAbs };
}
