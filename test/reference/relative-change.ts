/** mean|a − b| / mean|b| */
export function relativeChange(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [difference, magnitude] = changeSums(a, b);
  return difference / magnitude;
}

/** Σ|a − b| and Σ|b|, in f64. */
export function changeSums(a: ArrayLike<number>, b: ArrayLike<number>): readonly [number, number] {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < b.length; i++) {
    difference += Math.abs(a[i]! - b[i]!);
    magnitude += Math.abs(b[i]!);
  }
  return [difference, magnitude];
}
