import type { Recorder } from "../gpu/recorder.ts";
import { accumulateMatrix } from "../gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";

/** Classifier-free guidance (Ho & Salimans 2022): unconditional += guidance · (conditional − unconditional). */
export function guide(
  recorder: Recorder,
  unconditional: ChunkedMatrix,
  conditional: ChunkedMatrix,
  guidance: number,
): void {
  accumulateMatrix(recorder, unconditional, 1 - guidance, conditional, guidance);
}
