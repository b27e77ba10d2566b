export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The least-squares polynomial for points, by Householder's QR decomposition of the Vandermonde matrix. x is divided by its
 * largest magnitude, because columns of high degree would nearly vanish otherwise.
 *
 * @returns degree + 1 coefficients, highest power first
 * @throws Error when there are not more distinct x than `degree`
 */
export function fitPolynomial(points: readonly Point[], degree: number): number[] {
  const columns = degree + 1;
  const distinct = new Set(points.map(({ x }) => x)).size;
  if (distinct < columns)
    throw new Error(`A polynomial of degree ${degree} needs ${columns} different x; got ${distinct}.`);
  const scale = Math.max(...points.map(({ x }) => Math.abs(x))) || 1;
  const matrix = points.map(({ x }) => Array.from({ length: columns }, (_, power) => (x / scale) ** (degree - power)));
  const target = points.map(({ y }) => y);
  for (let column = 0; column < columns; column++) reflect(matrix, target, column);
  const coefficients = Array.from<number>({ length: columns }).fill(0);
  for (let row = degree; row >= 0; row--) {
    let rest = target[row]!;
    for (let column = row + 1; column < columns; column++) rest -= matrix[row]![column]! * coefficients[column]!;
    coefficients[row] = rest / matrix[row]![row]!;
  }
  return coefficients.map((coefficient, i) => coefficient / scale ** (degree - i));
}

/** The value at x. Coefficients start with the highest power. */
export function evaluatePolynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** Applies the Householder reflection that clears a column below the diagonal, to matrix and target. */
function reflect(matrix: number[][], target: number[], column: number): void {
  const length = Math.hypot(...matrix.slice(column).map((row) => row[column]!));
  const pivot = matrix[column]![column]!;
  const normal = matrix.map((row, i) => (i < column ? 0 : row[column]!));
  normal[column] = pivot + (pivot < 0 ? -length : length);
  const square = normal.reduce((sum, value) => sum + value * value, 0);
  if (square === 0) return;
  const mirror = (values: (row: number) => number, put: (row: number, value: number) => void): void => {
    let product = 0;
    for (let row = column; row < normal.length; row++) product += normal[row]! * values(row);
    for (let row = column; row < normal.length; row++) put(row, values(row) - (2 * product * normal[row]!) / square);
  };
  for (let other = column; other < matrix[0]!.length; other++)
    mirror(
      (row) => matrix[row]![other]!,
      (row, value) => void (matrix[row]![other] = value),
    );
  mirror(
    (row) => target[row]!,
    (row, value) => void (target[row] = value),
  );
}
