import { BACKENDS, type BackendName, type DenseBackend } from "../runtime/backend/backend.ts";
import { createBackend } from "../runtime/backend/create-backend.ts";
import type { AdapterSummary } from "../runtime/gpu/adapter.ts";
import { Gpu } from "../runtime/gpu/device.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import type { ModelConfig } from "../runtime/weights/model-config.ts";
import { KLEIN_4B, KLEIN_9B } from "../tools/synthesize/klein-configs.ts";
import { decoderPart } from "./decoder-part.ts";
import type { ModelPart, Size } from "./model-part.ts";
import { median } from "./statistics.ts";
import { textPart } from "./text-part.ts";
import { transformerPart } from "./transformer-part.ts";

export interface BlocksOptions {
  readonly dtype?: ScalarType | undefined;
  readonly repeats: number;
}

/** A piece of a model on one backend. */
export interface BlockRow {
  readonly model: string;
  readonly backend: BackendName;
  readonly component: string;
  /** How many the whole model has. */
  readonly count: number;
  /** What one was timed with: tokens, or pixels. */
  readonly measuredWith: string;
  /** Bytes that the weights of one take on the GPU. */
  readonly weightBytes: number;
  /** Of one. */
  readonly seconds: number;
  /** 10⁹ operations a second, two to a multiply-add. */
  readonly gigaflops: number;
  /** Seconds of all of them for a picture of 512 × 512 and of 1024 × 1024 with 512 tokens of text, at the measured rate. */
  readonly whole: Readonly<Record<"512" | "1024", number>>;
  /** Comes in every step. */
  readonly inStep: boolean;
}

export interface BlocksReport {
  readonly adapter: AdapterSummary;
  readonly dtype: ScalarType;
  readonly rows: readonly BlockRow[];
}

/** What is timed: the true size on a GPU, and on a CPU what takes seconds. */
const MEASURED: Readonly<Record<"gpu" | "software", Size>> = {
  gpu: { text: 512, side: 1024, decodedSide: 1024 },
  software: { text: 32, side: 128, decodedSide: 64 },
};
const WHOLE: Readonly<Record<keyof BlockRow["whole"], Size>> = {
  "512": { text: 512, side: 512, decodedSide: 512 },
  "1024": { text: 512, side: 1024, decodedSide: 1024 },
};
const WARM_UP: Size = { text: 8, side: 32, decodedSide: 32 };

/** Times klein 4B and 9B by the block, on seeded weights in 4 bits, both backends in turn. Both have one autoencoder. */
export async function measureBlocks(
  webgpu: GPU,
  { dtype, repeats }: BlocksOptions,
  onRow: (row: BlockRow) => void = () => {},
): Promise<BlocksReport> {
  const gpu = await Gpu.open(webgpu);
  const scalar = gpu.scalarType(dtype);
  const backends: Record<BackendName, DenseBackend> = {
    ort: await createBackend("ort", gpu, scalar),
    wgsl: await createBackend("wgsl", gpu, scalar),
  };
  const measured = MEASURED[gpu.adapter.software ? "software" : "gpu"];
  const parts: readonly [ModelConfig, typeof transformerPart][] = [
    [KLEIN_4B, transformerPart],
    [KLEIN_4B, textPart],
    [KLEIN_9B, transformerPart],
    [KLEIN_9B, textPart],
    [{ ...KLEIN_4B, name: "both" }, decoderPart],
  ];
  const rows: BlockRow[] = [];
  try {
    for (const [config, load] of parts)
      await gpu.checked("the benchmark", async () => {
        const part = await load({ gpu, config, scalar, backends });
        for (const row of await timePart(config.name, part, measured, repeats)) {
          rows.push(row);
          onRow(row);
        }
        await gpu.recorder.settle();
        part.dispose();
      });
    return { adapter: gpu.adapter, dtype: scalar, rows };
  } finally {
    for (const backend of Object.values(backends)) await backend.dispose();
    gpu.destroy();
  }
}

async function timePart(model: string, part: ModelPart, measured: Size, repeats: number): Promise<BlockRow[]> {
  const times: Record<BackendName, (readonly number[])[]> = { ort: [], wgsl: [] };
  for (const backend of BACKENDS) await part.run(backend, WARM_UP); // shaders are compiled
  for (let round = 0; round < repeats; round++)
    for (const backend of BACKENDS) times[backend].push(await part.run(backend, measured));
  return BACKENDS.flatMap((backend) =>
    part.components.map(({ name, count, inStep, unit, weightBytes, work }, i): BlockRow => {
      const seconds = median(times[backend].map((each) => each[i]!));
      const rate = work(measured) / seconds;
      const whole = { "512": (count * work(WHOLE["512"])) / rate, "1024": (count * work(WHOLE["1024"])) / rate };
      const measuredWith = unit(measured);
      return {
        model,
        backend,
        component: name,
        count,
        measuredWith,
        weightBytes,
        seconds,
        gigaflops: rate / 1e9,
        whole,
        inStep,
      };
    }),
  );
}
