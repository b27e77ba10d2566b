import type { Gpu } from "../../runtime/gpu/device.ts";

/** Measures seconds between marks. A mark waits until the GPU has finished all earlier work. */
export class Marks {
  readonly #gpu: Gpu;
  readonly #seconds: number[] = [];
  #last = 0;

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  static async start(gpu: Gpu): Promise<Marks> {
    const marks = new Marks(gpu);
    await gpu.recorder.settle();
    marks.#last = performance.now();
    return marks;
  }

  readonly mark = async (): Promise<void> => {
    await this.#gpu.recorder.settle();
    const now = performance.now();
    this.#seconds.push((now - this.#last) / 1000);
    this.#last = now;
  };

  get seconds(): readonly number[] {
    return this.#seconds;
  }
}
