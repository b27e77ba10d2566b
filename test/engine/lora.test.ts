import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrtBackend } from "../../runtime/backend/ort/ort-backend.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { adaptTransformer } from "../../runtime/transformer/adapters.ts";
import { Denoiser, computeReferenceKeysValues } from "../../runtime/transformer/denoiser.ts";
import { TransformerModel } from "../../runtime/transformer/model.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { freeKeysValues } from "../../runtime/transformer/reference-cache.ts";
import { gridTokens } from "../../runtime/transformer/rotary.ts";
import { loadTransformerWeights, type TransformerWeights } from "../../runtime/transformer/weights.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { type Quantization, WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { readLora } from "../../runtime/weights/lora/lora-file.ts";
import type { TransformerConfig } from "../../runtime/weights/config/model-config.ts";
import { readSafetensorsHeader } from "../../runtime/weights/formats/safetensors-header.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { cosine, randomValues } from "../support/compare.ts";
import { useGpu } from "../support/gpu.ts";
import { loraDeltas, loraFile, type LoraOptions, type LoraStyle } from "../support/lora-files.ts";
import { MemorySource, safetensorsFile, type TestTensor } from "../support/model-files.ts";
import { NANO } from "../support/nano.ts";
import { openPartFolder, readModelConfig } from "../support/part-folder.ts";

const FILE = "transformer/diffusion_pytorch_model.safetensors";
const GRID = { height: 4, width: 6 };
const SIGMAS = [0.9, 0];
const TEXT_LENGTH = 8;
const ROWS_PER_CHUNK = 16;
/** Two at once: every layer, and the blocks' attention once more. */
const LORAS: readonly (readonly [LoraStyle, number, LoraOptions])[] = [
  ["ai-toolkit", 0.75, { rank: 4, alpha: 6, strength: 0.3 }],
  ["diffusers", -1.5, { rank: 3, seed: 9, strength: 0.3, layers: (name) => name.includes("qkv") }],
];

/** klein-nano's transformer in f32, ΔW of the LoRAs added on the CPU. */
async function mergedModel(source: ModelSource, config: TransformerConfig): Promise<ModelSource> {
  const store = await openPartFolder(source, "transformer");
  const deltas = LORAS.map(([, weight, options]) => [weight, loraDeltas(config, options)] as const);
  const tensors: Record<string, TestTensor> = {};
  for (const [name, { shape }] of (await readSafetensorsHeader(await source.open(FILE), FILE)).tensors) {
    const data = await store.readAll(name);
    for (const [weight, delta] of deltas) delta.get(name)?.forEach((value, i) => (data[i]! += weight * value));
    tensors[name] = { dtype: "F32", shape, data };
  }
  return new MemorySource({ [FILE]: safetensorsFile(tensors) });
}

describe("a transformer with LoRAs", () => {
  const gpu = useGpu();
  let source: FolderSource;
  let config: TransformerConfig;
  let plain: Float32Array;
  let merged: Float32Array;

  beforeAll(async () => {
    source = new FolderSource(NANO);
    ({ transformer: config } = await readModelConfig(source));
    plain = await velocityOf(source, "f32", "none", false);
    merged = await velocityOf(await mergedModel(source, config), "f32", "none", false);
  });
  afterAll(() => source.close());

  /** One velocity with an isolated reference. */
  async function velocityOf(
    from: ModelSource,
    scalar: ScalarType,
    quantization: Quantization,
    adapted: boolean,
  ): Promise<Float32Array> {
    const store = await openPartFolder(from, "transformer");
    const loader = new WeightLoader({ gpu: gpu(), store, part: "transformer", scalar, quantization });
    const backend = await OrtBackend.create(gpu(), scalar);
    const weights = await loadTransformerWeights(loader, config);
    const adapters = LORAS.map(([style, weight, options]) => ({
      file: readLora(loraFile(config, style, options), style),
      weight,
    }));
    const added = adaptTransformer({ gpu: gpu(), weights, config, scalar }, adapted ? adapters : []);
    try {
      return await gpu().checked("velocity", () => velocity(added.weights, backend, scalar));
    } finally {
      added.dispose();
      loader.dispose();
      await backend.dispose();
    }
  }

  async function velocity(weights: TransformerWeights, backend: OrtBackend, scalar: ScalarType): Promise<Float32Array> {
    using scope = gpu().memory.scope();
    const model = new TransformerModel({ gpu: gpu(), backend, scalar, config, weights, rowsPerChunk: ROWS_PER_CHUNK });
    const rows = (count: number, columns: number, seed: number) => {
      const target = scope.matrix("input", "f32", count, columns, ROWS_PER_CHUNK);
      writeMatrix(gpu().recorder, target, Float32Array.from(randomValues(count * columns, seed)));
      return target;
    };
    const table = await ModulationTable.create(model, { scope, sigmas: SIGMAS });
    const references = { latents: rows(gridTokens(GRID), config.inChannels, 3), grids: [GRID] };
    const common = { gpu: gpu(), model, table, sigmaZeroRow: 1 };
    const cached = await computeReferenceKeysValues(common, references);
    try {
      const denoiser = new Denoiser({
        ...common,
        scope,
        grid: GRID,
        textLength: TEXT_LENGTH,
        mode: "exact",
        isolated: true,
        references,
        cached,
      });
      const text = await model.embed(scope, rows(TEXT_LENGTH, config.textWidth, 2), weights.textIn);
      const latents = rows(gridTokens(GRID), config.inChannels, 1);
      return await readMatrix(gpu().recorder, await denoiser.velocity(latents, text, 0));
    } finally {
      freeKeysValues(gpu().memory, cached);
    }
  }

  const report = (what: string, value: number): number => {
    process.stderr.write(`LoRA beside weights, ${what}: cosine to merged weights ${value}\n`);
    return value;
  };

  it("gives another velocity than without, and the one of merged weights", async () => {
    expect(report("weights alone", cosine(plain, merged))).toBeLessThan(0.98);
    expect(report("f32", cosine(await velocityOf(source, "f32", "none", true), merged))).toBeGreaterThan(0.999_999);
  });

  it("does so in f16 too", async () => {
    expect(report("f16", cosine(await velocityOf(source, "f16", "none", true), merged))).toBeGreaterThan(0.999);
  });

  it("does so on 8-bit weights, which stay as they are", async () => {
    expect(report("q8", cosine(await velocityOf(source, "f32", "q8", true), merged))).toBeGreaterThan(0.999);
  });
});
