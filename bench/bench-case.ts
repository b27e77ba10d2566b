import { Gpu, type GpuOptions } from "../runtime/gpu/device.ts";
import type { ResolvedChoice, ShapeSet } from "./options.ts";
import type { BenchPlatform } from "./platform.ts";
import type { BenchmarkRow } from "./report/report.ts";
import { measureRoofline, type Roofline } from "./roofline/probes.ts";

/** Measures something and tells of it row by row. */
export type BenchCase = (run: CaseRun) => Promise<void>;

/** What a case is given. */
export class CaseRun {
  readonly platform: BenchPlatform;
  readonly choice: ResolvedChoice;
  readonly signal: AbortSignal | undefined;
  readonly rows: BenchmarkRow[] = [];
  readonly notes: string[] = [];
  readonly #shared: SharedRun;
  readonly #endMs: number;
  readonly #onRow: (row: BenchmarkRow) => void;

  /** @param endMs  when nothing more is begun, by `performance.now()` */
  constructor(shared: SharedRun, endMs: number, onRow: (row: BenchmarkRow) => void) {
    this.platform = shared.platform;
    this.choice = shared.choice;
    this.signal = shared.signal;
    this.#shared = shared;
    this.#endMs = endMs;
    this.#onRow = onRow;
  }

  addRow(row: BenchmarkRow): void {
    this.rows.push(row);
    this.#onRow(row);
  }

  addNote(note: string): void {
    this.notes.push(note);
  }

  /**
   * Whether something more may be begun; if not, the report says so.
   * @throws the signal's reason
   */
  hasTime(): boolean {
    this.signal?.throwIfAborted();
    if (performance.now() < this.#endMs) return true;
    const note = `Cut short to keep the run within ${this.choice.seconds} s.`;
    if (!this.notes.includes(note)) this.addNote(note);
    return false;
  }

  /** Runs `work` on a device of its own. */
  async withGpu<T>(options: GpuOptions, work: (gpu: Gpu) => Promise<T>): Promise<T> {
    const gpu = await Gpu.open(this.platform.gpu, options);
    try {
      return await work(gpu);
    } finally {
      gpu.destroy();
    }
  }

  /** Measured once, whichever case needs it first. */
  roofline(): Promise<Roofline> {
    this.#shared.roofline ??= this.withGpu({}, measureRoofline);
    return this.#shared.roofline;
  }

  shapesFor({ adapter }: Pick<Gpu, "adapter">): ShapeSet {
    return this.choice.shapes ?? (adapter.software ? "software" : "gpu");
  }
}

/** What all cases of a run have in common. */
export interface SharedRun {
  readonly platform: BenchPlatform;
  readonly choice: ResolvedChoice;
  readonly signal: AbortSignal | undefined;
  roofline: Promise<Roofline> | undefined;
}
