import type { DenseBackend } from "../backend/backend.ts";
import type { Implementation } from "../backend/operators.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { f16ToF32 } from "../weights/float.ts";
import type { Measurement } from "./fastest.ts";
import type { Operands } from "./operands.ts";

/** A run takes about this long, so that the cost of a submission and the coarse clock of a browser matter little. */
const RUN_MS = 8;
/** Of the largest value expected; onnxruntime accumulates in f16. */
const TOLERANCE = { f32: 1e-4, f16: 2e-2 } as const;
/** Runs of one size before the next: the first of them compiles. */
const PROBES = 2;
/** The largest operands may be too fast to time: then at most this many runs count as one. Timestamps are multiples of 0.1 ms. */
const MOST_RUNS = 64;

/** Operands of a size: 1, 2, 4 … times the work of the smallest. */
export type MakeOperands = (size: number) => Operands;

/** An operator on the GPU, of a size that takes some milliseconds. */
export class OperatorBenchmark implements Measurement<Implementation> {
  readonly #gpu: Gpu;
  readonly #operands: Operands;
  readonly #backendOf: (name: Implementation) => Promise<DenseBackend>;
  #runs = 1;

  private constructor(gpu: Gpu, operands: Operands, backendOf: (name: Implementation) => Promise<DenseBackend>) {
    this.#gpu = gpu;
    this.#operands = operands;
    this.#backendOf = backendOf;
  }

  /** @param probe  the implementation that finds the size; if it fails, the smallest size is used */
  static async create(
    gpu: Gpu,
    make: MakeOperands,
    probe: Implementation,
    backendOf: (name: Implementation) => Promise<DenseBackend>,
  ): Promise<OperatorBenchmark> {
    const smallest = new OperatorBenchmark(gpu, make(1), backendOf);
    const milliseconds = await smallest.#probe(probe);
    if (milliseconds === undefined) return smallest;
    const size = 2 ** Math.floor(Math.log2(RUN_MS / Math.max(milliseconds, RUN_MS / 2 ** 12)));
    if (size <= 1) return smallest;
    smallest.dispose();
    const benchmark = new OperatorBenchmark(gpu, make(size), backendOf);
    const largest = await benchmark.#probe(probe);
    if (largest !== undefined) benchmark.#runs = Math.min(MOST_RUNS, Math.max(1, Math.floor(RUN_MS / largest)));
    return benchmark;
  }

  /** Milliseconds of a run; undefined if it fails, for which `check` gives the reason later. */
  async #probe(name: Implementation): Promise<number | undefined> {
    try {
      await this.check(name);
      return Math.min(...(await times(PROBES, () => this.time(name))));
    } catch (error) {
      if (error instanceof KleinbildError && error.code === "device-lost") throw error;
      return undefined;
    }
  }

  async check(name: Implementation): Promise<void> {
    const { output, expected } = this.#operands;
    await this.#gpu.checked("autotuning", async () => {
      this.#gpu.recorder.clear(output);
      await this.#operands.run(await this.#backendOf(name));
      const bytes = await this.#gpu.recorder.read(output);
      const values = output.dtype === "f16" ? f16ToF32(new Uint16Array(bytes)) : new Float32Array(bytes);
      const largest = Math.max(...[...expected.values()].map(Math.abs));
      const tolerance = TOLERANCE[output.dtype === "f16" ? "f16" : "f32"] * largest;
      for (const [at, value] of expected)
        if (!(Math.abs(values[at]! - value) <= tolerance))
          throw new KleinbildError("internal", `computed ${values[at]} instead of ${value}`);
    });
  }

  async time(name: Implementation): Promise<number> {
    const { clock } = this.#gpu;
    const backend = await this.#backendOf(name);
    clock.reset();
    await clock.time("autotuning", async () => {
      for (let i = 0; i < this.#runs; i++) await this.#operands.run(backend);
    });
    return (await clock.collect())["autotuning"]! / this.#runs;
  }

  dispose(): void {
    this.#operands.dispose();
  }
}

async function times(count: number, run: () => Promise<number>): Promise<readonly number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push(await run());
  return all;
}
