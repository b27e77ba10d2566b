import type { GpuMemory } from "./memory.ts";
import type { Recorder } from "./recorder.ts";

/** Marks in a query set. Another set is created when they are used up. 512 results of 8 bytes keep offsets at multiples of 256. */
const MARKS_PER_SET = 512;
const BYTES_PER_MARK = 8;
const QUERY_USAGE = 0x0200 | 0x04; // QUERY_RESOLVE | COPY_SRC
const NANOSECONDS_PER_MS = 1e6;

/**
 * Times stages by timestamp queries on the GPU, or by the host's clock if the adapter has no timestamps.
 *
 * A mark is an empty compute pass that writes one timestamp. The queue runs in order, so the difference of two marks covers
 * everything that was submitted between them, onnxruntime's submissions included.
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

  /** Runs `work` and adds its time to the stage `name`. */
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

  /** Drops all times, so that a failed run does not count in the next. */
  reset(): void {
    this.#stages.length = 0;
    this.#marks = 0;
  }

  /** The number of a timestamp, or the host's time if the adapter has no timestamps. */
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

  /** A function from marks to milliseconds since the first mark. */
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
