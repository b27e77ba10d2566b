import { Gpu, type GpuOptions } from "../runtime/gpu/device.ts";
import type { ResolvedChoice, ShapeSet } from "./options.ts";
import type { BenchPlatform } from "./platform.ts";
import type { BenchmarkRow } from "./report/report.ts";
import { measureRoofline, type Roofline } from "./roofline/probes.ts";

/** Measures something and adds its results as rows. */
export type BenchCase = (run: CaseRun) => Promise<void>;

/** The context of a case: its platform and options, and where its rows and notes go. */
export class CaseRun {
  readonly platform: BenchPlatform;
  readonly choice: ResolvedChoice;
  readonly signal: AbortSignal | undefined;
  readonly rows: BenchmarkRow[] = [];
  readonly notes: string[] = [];
  readonly #shared: SharedRun;
  readonly #endMs: number;
  readonly #onRow: (row: BenchmarkRow) => void;

  /** @param endMs  value of `performance.now()` after which no further measurement starts */
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
   * Whether another measurement may start. If not, a note in the report says so.
   * @throws the signal's reason
   */
  hasTime(): boolean {
    this.signal?.throwIfAborted();
    if (performance.now() < this.#endMs) return true;
    const note = `Cut short to keep the run within ${this.choice.seconds} s.`;
    if (!this.notes.includes(note)) this.addNote(note);
    return false;
  }

  /** Runs `work` on its own device. */
  async withGpu<T>(options: GpuOptions, work: (gpu: Gpu) => Promise<T>): Promise<T> {
    const gpu = await Gpu.open(this.platform.gpu, options);
    try {
      return await work(gpu);
    } finally {
      gpu.destroy();
    }
  }

  /** Measures the roofline at the first call, for all cases. */
  roofline(): Promise<Roofline> {
    this.#shared.roofline ??= this.withGpu({}, measureRoofline);
    return this.#shared.roofline;
  }

  shapesFor({ adapter }: Pick<Gpu, "adapter">): ShapeSet {
    return this.choice.shapes ?? (adapter.software ? "software" : "gpu");
  }
}

/** Shared by all cases of a run. */
export interface SharedRun {
  readonly platform: BenchPlatform;
  readonly choice: ResolvedChoice;
  readonly signal: AbortSignal | undefined;
  roofline: Promise<Roofline> | undefined;
}
