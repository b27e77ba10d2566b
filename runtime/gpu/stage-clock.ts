import type { GpuMemory } from "./memory.ts";
import type { Recorder } from "./recorder.ts";

/** Marks of a query set; another is made when they are used up. 512 results of 8 bytes keep offsets at multiples of 256. */
const MARKS_PER_SET = 512;
const BYTES_PER_MARK = 8;
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
  readonly #hasTimestamps: boolean;
  readonly #querySets: GPUQuerySet[] = [];
  readonly #stages: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  #marks = 0;

  constructor(device: GPUDevice, memory: GpuMemory, recorder: Recorder) {
    this.#device = device;
    this.#memory = memory;
    this.#recorder = recorder;
    this.#hasTimestamps = device.features.has("timestamp-query");
  }

  /** Runs `work` and remembers its time under `name`; times of one name add up. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = await this.#mark();
    const value = await work();
    this.#stages.push({ name, start, end: await this.#mark() });
    return value;
  }

  /** Milliseconds by stage since the last call or `reset`. Waits for the GPU. */
  async collect(): Promise<Readonly<Record<string, number>>> {
    const at = await this.#readMarks();
    const times: Record<string, number> = {};
    for (const { name, start, end } of this.#stages) times[name] = (times[name] ?? 0) + at(end) - at(start);
    this.reset();
    return times;
  }

  /** Forgets what was timed: a run that failed does not count in the next. */
  reset(): void {
    this.#stages.length = 0;
    this.#marks = 0;
  }

  /** The number of a timestamp, or the host's time where there are none. */
  async #mark(): Promise<number> {
    if (!this.#hasTimestamps) {
      await this.#recorder.settle();
      return performance.now();
    }
    this.#recorder.flush();
    const mark = this.#marks++;
    const encoder = this.#device.createCommandEncoder({ label: "stage clock" });
    const querySet = this.#querySet(Math.floor(mark / MARKS_PER_SET));
    const timestampWrites = { querySet, endOfPassWriteIndex: mark % MARKS_PER_SET };
    encoder.beginComputePass({ label: "stage clock", timestampWrites }).end();
    this.#device.queue.submit([encoder.finish()]);
    return mark;
  }

  #querySet(index: number): GPUQuerySet {
    this.#querySets[index] ??= this.#device.createQuerySet({
      label: "stage clock",
      type: "timestamp",
      count: MARKS_PER_SET,
    });
    return this.#querySets[index];
  }

  /** Milliseconds of a mark since some moment. */
  async #readMarks(): Promise<(mark: number) => number> {
    if (!this.#hasTimestamps || this.#marks === 0) return (mark) => mark;
    const bytes = this.#marks * BYTES_PER_MARK;
    const buffer = this.#memory.allocate("transfer", "stage clock", bytes, QUERY_USAGE);
    try {
      const encoder = this.#device.createCommandEncoder({ label: "stage clock" });
      for (let first = 0; first < this.#marks; first += MARKS_PER_SET) {
        const count = Math.min(MARKS_PER_SET, this.#marks - first);
        encoder.resolveQuerySet(this.#querySet(first / MARKS_PER_SET), 0, count, buffer, first * BYTES_PER_MARK);
      }
      this.#device.queue.submit([encoder.finish()]);
      const values = new BigUint64Array(await this.#recorder.read({ buffer, dtype: "u32", shape: [bytes / 4] }));
      return (mark) => Number(values[mark]! - values[0]!) / NANOSECONDS_PER_MS;
    } finally {
      this.#memory.free(buffer);
    }
  }
}
