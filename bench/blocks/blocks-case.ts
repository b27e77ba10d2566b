import { BACKENDS, type BackendName, type DenseBackend } from "../../runtime/backend/backend.ts";
import { createBackend } from "../../runtime/backend/create-backend.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { KLEIN_4B, KLEIN_9B } from "../klein-configs.ts";
import { decoderPart } from "./decoder-part.ts";
import type { ModelPart, Size } from "./model-part.ts";
import { figure, median } from "../statistics.ts";
import type { CaseRun } from "../bench-case.ts";
import { ownKernels } from "../own-kernels.ts";
import type { BenchmarkRow, Figure } from "../report/report.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { ShapeSet } from "../options.ts";
import { wake } from "../wake.ts";
import { textPart } from "./text-part.ts";
import { transformerPart } from "./transformer-part.ts";

/** Measurements of one component of a model on one backend. */
interface BlockRow {
  readonly model: string;
  readonly backend: BackendName;
  readonly component: string;
  /** Number of these components in the whole model. */
  readonly count: number;
  /** Size of the measured input: tokens or pixels. */
  readonly measuredWith: string;
  /** Bytes of one component's weights on the GPU. */
  readonly weightBytes: number;
  /** Seconds of one component in each round. */
  readonly seconds: readonly number[];
  /** Operations per second. A multiply-add counts as two. */
  readonly rate: number;
  /** Seconds of all these components for a picture of 512 × 512 or 1024 × 1024 with 512 text tokens, at the measured rate. */
  readonly whole: Readonly<Record<"512" | "1024", number>>;
  /** Whether every step runs it. */
  readonly inStep: boolean;
}

/** Measured sizes: the true size on a GPU, and a size that takes seconds on a CPU. */
const MEASURED: Readonly<Record<ShapeSet, Size>> = {
  gpu: { text: 512, side: 1024, decodedSide: 1024 },
  software: { text: 32, side: 128, decodedSide: 64 },
  tiny: { text: 8, side: 32, decodedSide: 32 },
};
const WHOLE: Readonly<Record<keyof BlockRow["whole"], Size>> = {
  "512": { text: 512, side: 512, decodedSide: 512 },
  "1024": { text: 512, side: 1024, decodedSide: 1024 },
};
const WARM_UP: Size = { text: 8, side: 32, decodedSide: 32 };

/** Times single blocks of klein 4B and 9B with seeded weights in 4 bits, on both backends in turn. Both models have the same autoencoder. */
export async function blocksCase(run: CaseRun): Promise<void> {
  await run.withGpu({}, async (gpu) => {
    const scalar = gpu.scalarType(run.choice.dtype);
    const { ortWasmUrl } = run.platform;
    const backends: Record<BackendName, DenseBackend> = {
      ort: await createBackend("ort", gpu, scalar, ortWasmUrl),
      wgsl: await ownKernels(run, gpu, scalar),
    };
    const size = run.shapesFor(gpu);
    const parts: readonly [ModelConfig, typeof transformerPart][] = [
      [KLEIN_4B, transformerPart],
      [KLEIN_4B, textPart],
      [KLEIN_9B, transformerPart],
      [KLEIN_9B, textPart],
      [{ ...KLEIN_4B, name: "both" }, decoderPart],
    ];
    const rows: BlockRow[] = [];
    try {
      for (const [config, load] of parts) {
        if (rows.length > 0 && !run.hasTime()) break;
        await gpu.checked("the benchmark", async () => {
          const part = await load({ gpu, config, scalar, backends });
          for (const row of await timePart(gpu, config.name, part, MEASURED[size], run.choice.repeats)) {
            rows.push(row);
            run.addRow(describe(row, scalar));
          }
          await gpu.recorder.settle();
          part.dispose();
        });
      }
    } finally {
      for (const backend of Object.values(backends)) await backend.dispose();
    }
    for (const row of stepEstimates(rows, scalar)) run.addRow(row);
    run.addNote("Times of whole pictures and steps are extrapolated from the rate of single blocks.");
  });
}

async function timePart(
  gpu: Gpu,
  model: string,
  part: ModelPart,
  measured: Size,
  repeats: number,
): Promise<BlockRow[]> {
  const times: Record<BackendName, (readonly number[])[]> = { ort: [], wgsl: [] };
  for (const backend of BACKENDS) await part.run(backend, WARM_UP); // compiles shaders
  await wake(gpu, async () => {
    for (const backend of BACKENDS) await part.run(backend, measured);
  });
  for (let round = 0; round < repeats; round++)
    for (const backend of BACKENDS) times[backend].push(await part.run(backend, measured));
  return BACKENDS.flatMap((backend) =>
    part.components.map(({ name, count, inStep, unit, weightBytes, work }, i): BlockRow => {
      const seconds = times[backend].map((each) => each[i]!);
      const rate = work(measured) / median(seconds);
      const whole = { "512": (count * work(WHOLE["512"])) / rate, "1024": (count * work(WHOLE["1024"])) / rate };
      const measuredWith = unit(measured);
      return { model, backend, component: name, count, measuredWith, weightBytes, seconds, rate, whole, inStep };
    }),
  );
}

function describe(row: BlockRow, type: ScalarType): BenchmarkRow {
  const { model, backend, component, count, measuredWith, weightBytes, seconds, rate, whole } = row;
  return {
    labels: { model, piece: component, "of them": String(count), "timed with": measuredWith, type, backend },
    figures: {
      "weights of one": { value: weightBytes / 1e6, unit: "MB" },
      one: figure(seconds, "s"),
      rate: { value: rate / 1e9, unit: "GFLOP/s", derived: true },
      "all at 512²": { value: whole["512"], unit: "s", derived: true },
      "all at 1024²": { value: whole["1024"], unit: "s", derived: true },
    },
  };
}

/** Estimates the time of a whole step from its components. */
function stepEstimates(rows: readonly BlockRow[], type: ScalarType): BenchmarkRow[] {
  const steps = rows.filter(({ inStep }) => inStep);
  const models = new Set(steps.map(({ model }) => model));
  return [...models].flatMap((model) =>
    BACKENDS.map((backend) => {
      const pieces = steps.filter((row) => row.model === model && row.backend === backend);
      const seconds = (side: keyof BlockRow["whole"]): Figure => ({
        value: pieces.reduce((sum, { whole }) => sum + whole[side], 0),
        unit: "s",
        derived: true,
      });
      return {
        labels: { model, type, backend },
        figures: { "step at 512²": seconds("512"), "step at 1024²": seconds("1024") },
      };
    }),
  );
}
