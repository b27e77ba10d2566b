import { combine } from "../../kernels/index.ts";
import { foldGrid, type Recorder } from "../gpu/recorder.ts";
import { elementCount, type Rows } from "../gpu/tensor.ts";

/** target = a · target + b · x, for f32 matrices cut alike. */
export function accumulateRows(recorder: Recorder, target: Rows, a: number, x: Rows, b: number): void {
  for (const [i, accumulator] of target.chunks.entries()) {
    const count = elementCount(accumulator.shape);
    recorder.dispatch(combine, {
      bindings: { x: x.chunks[i]!, accumulator },
      parameters: { count, a, b },
      grid: foldGrid(Math.ceil(count / 64)),
    });
  }
}

/** Classifier-free guidance (Ho & Salimans 2022): unconditional += guidance · (conditional − unconditional). */
export function guide(recorder: Recorder, unconditional: Rows, conditional: Rows, guidance: number): void {
  accumulateRows(recorder, unconditional, 1 - guidance, conditional, guidance);
}
