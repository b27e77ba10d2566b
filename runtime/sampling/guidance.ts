import type { Recorder } from "../gpu/recorder.ts";
import { accumulateRows } from "../gpu/rows.ts";
import type { Rows } from "../gpu/tensor.ts";

/** Classifier-free guidance (Ho & Salimans 2022): unconditional += guidance · (conditional − unconditional). */
export function guide(recorder: Recorder, unconditional: Rows, conditional: Rows, guidance: number): void {
  accumulateRows(recorder, unconditional, 1 - guidance, conditional, guidance);
}
