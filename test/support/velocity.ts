import type { OrtBackend } from "../../runtime/backend/ort/ort-backend.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { Denoiser } from "../../runtime/transformer/denoiser.ts";
import { TransformerModel } from "../../runtime/transformer/model.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { loadTransformerWeights } from "../../runtime/transformer/weights.ts";
import { WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import type { TransformerConfig } from "../../runtime/weights/config/model-config.ts";
import type { TensorStore } from "../../runtime/weights/tensor-store.ts";
import { randomValues } from "./compare.ts";

const GRID = { height: 3, width: 4 };
const TEXT_LENGTH = 8;
const ROWS_PER_CHUNK = 32;

/** One velocity of a transformer in f32, for the same inputs each time. */
export async function velocityOf(
  gpu: Gpu,
  backend: OrtBackend,
  store: TensorStore,
  config: TransformerConfig,
): Promise<Float32Array> {
  const loader = new WeightLoader({ gpu, store, part: "transformer", scalar: "f32", quantization: "none" });
  try {
    const weights = await loadTransformerWeights(loader, config);
    const model = new TransformerModel({
      gpu,
      backend,
      scalar: "f32",
      config,
      weights,
      rowsPerChunk: ROWS_PER_CHUNK,
    });
    return await gpu.checked("velocity", async () => {
      using scope = gpu.memory.scope();
      const rows = (count: number, columns: number, seed: number) => {
        const target = scope.matrix("input", "f32", count, columns, ROWS_PER_CHUNK);
        writeMatrix(gpu.recorder, target, Float32Array.from(randomValues(count * columns, seed)));
        return target;
      };
      const table = await ModulationTable.create(model, { scope, sigmas: [0.9, 0] });
      const text = await model.embed(scope, rows(TEXT_LENGTH, config.textWidth, 2), weights.textIn);
      const denoiser = new Denoiser({
        gpu,
        model,
        table,
        sigmaZeroRow: 1,
        scope,
        grid: GRID,
        textLength: TEXT_LENGTH,
        mode: "recompute",
        isolated: false,
        references: undefined,
        cached: undefined,
        stepCache: undefined,
        stepOfRow: [0],
      });
      const latents = rows(GRID.height * GRID.width, config.inChannels, 1);
      const velocity = await readMatrix(gpu.recorder, await denoiser.velocity(latents, text, 0));
      denoiser.dispose();
      return velocity;
    });
  } finally {
    loader.dispose();
  }
}
