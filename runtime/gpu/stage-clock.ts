import type { GpuMemory } from "./memory.ts";
import type { Recorder } from "./recorder.ts";

const MAX_MARKS = 512;
const QUERY_USAGE = 0x0200 | 0x04; // QUERY_RESOLVE | COPY_SRC
const NANOSECONDS_PER_MS = 1e6;

/**
 * Time of stages on the GPU by timestamp queries, on the host's clock where the adapter has none.
 *
 * A mark is an empty compute pass that writes one timestamp; since the queue runs in order, the difference of two marks
 * covers everything submitted between them, the dense backend's submissions included.
 */
export class StageClock {
  readonly #device: GPUDevice;
  readonly #memory: GpuMemory;
  readonly #recorder: Recorder;
  readonly #queries: GPUQuerySet | undefined;
  readonly #stages: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  #marks = 0;

  constructor(device: GPUDevice, memory: GpuMemory, recorder: Recorder) {
    this.#device = device;
    this.#memory = memory;
    this.#recorder = recorder;
    if (device.features.has("timestamp-query"))
      this.#queries = device.createQuerySet({ label: "stage clock", type: "timestamp", count: MAX_MARKS });
  }

  /** Runs `work` and remembers its time under `name`; times of one name add up. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = await this.#mark();
    const value = await work();
    this.#stages.push({ name, start, end: await this.#mark() });
    return value;
  }

  /** Milliseconds by stage since the last call. Waits for the GPU. */
  async collect(): Promise<Readonly<Record<string, number>>> {
    const at = await this.#readMarks();
    const times: Record<string, number> = {};
    for (const { name, start, end } of this.#stages) times[name] = (times[name] ?? 0) + at(end) - at(start);
    this.#stages.length = 0;
    this.#marks = 0;
    return times;
  }

  async #mark(): Promise<number> {
    if (!this.#queries || this.#marks === MAX_MARKS) {
      await this.#recorder.settle();
      return -performance.now(); // negative: the host's clock, not a query's index
    }
    this.#recorder.flush();
    const index = this.#marks++;
    const encoder = this.#device.createCommandEncoder({ label: "stage clock" });
    const timestampWrites = { querySet: this.#queries, endOfPassWriteIndex: index };
    encoder.beginComputePass({ label: "stage clock", timestampWrites }).end();
    this.#device.queue.submit([encoder.finish()]);
    return index;
  }

  async #readMarks(): Promise<(mark: number) => number> {
    if (!this.#queries || this.#marks === 0) return (mark) => -mark;
    const bytes = this.#marks * 8;
    const buffer = this.#memory.allocate("transfer", "stage clock", bytes, QUERY_USAGE);
    try {
      const encoder = this.#device.createCommandEncoder({ label: "stage clock" });
      encoder.resolveQuerySet(this.#queries, 0, this.#marks, buffer, 0);
      this.#device.queue.submit([encoder.finish()]);
      const values = new BigUint64Array(await this.#recorder.read({ buffer, dtype: "u32", shape: [bytes / 4] }));
      return (mark) => (mark < 0 ? -mark : Number(values[mark]! - values[0]!) / NANOSECONDS_PER_MS);
    } finally {
      this.#memory.free(buffer);
    }
  }
}
