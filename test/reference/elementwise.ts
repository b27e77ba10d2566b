/** a · accumulator + b · x */
export function accumulate(
  accumulator: ArrayLike<number>,
  x: ArrayLike<number>,
  a: number,
  b: number,
): readonly number[] {
  return Array.from(accumulator, (value, i) => a * value + b * x[i]!);
}

/** x + scale · gate ⊙ y over rows of `columns`; without a gate, it is one. */
export function gatedAdd(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  gate: ArrayLike<number> | undefined,
  columns: number,
  scale: number,
): readonly number[] {
  return Array.from(x, (value, i) => value + scale * (gate ? gate[i % columns]! : 1) * y[i]!);
}

/** A table [rows, chunks · width] with 1 added to chunk `scaleIndex` of every `period` chunks. */
export function modulate(
  table: ArrayLike<number>,
  chunks: number,
  width: number,
  period: number,
  scaleIndex: number,
): readonly number[] {
  const out = Array.from(table);
  for (let row = 0; row * chunks * width < out.length; row++)
    for (let chunk = scaleIndex; chunk < chunks; chunk += period)
      for (let i = 0; i < width; i++) out[(row * chunks + chunk) * width + i]! += 1;
  return out;
}

/** `target` [rows, targetColumns] with x [rows, columns] from column `start` on. */
export function placeColumns(
  target: ArrayLike<number>,
  targetColumns: number,
  x: ArrayLike<number>,
  columns: number,
  start: number,
): readonly number[] {
  const out = Array.from(target);
  for (let row = 0; row * columns < x.length; row++)
    for (let c = 0; c < columns; c++) out[row * targetColumns + start + c] = x[row * columns + c]!;
  return out;
}
