import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Matrix } from "../../runtime/backend/matrix.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { type Adapter, adaptTransformer, type AdaptedTransformer } from "../../runtime/transformer/adapters.ts";
import { matricesOf } from "../../runtime/transformer/matrices.ts";
import { loadTransformerWeights, type TransformerWeights } from "../../runtime/transformer/weights.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { type Quantization, WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { readLora } from "../../runtime/weights/lora/lora-file.ts";
import type { TransformerConfig } from "../../runtime/weights/config/model-config.ts";
import { download, SCALARS, useGpu } from "../support/gpu.ts";
import { loraDeltas, loraFile, type LoraOptions, type LoraStyle } from "../support/lora-files.ts";
import type { TestTensor } from "../support/model-files.ts";
import { openPartFolder, readModelConfig } from "../support/part-folder.ts";

const FOLDER = fileURLToPath(new URL("../golden/models/plain", import.meta.url));
/** Cuts most matrices of a model of width 64 into pieces. */
const LIMIT_BYTES = 16_384;
/** Of the largest value: f16 rounds each factor to 11 bits. */
const RELATIVE = { f32: 1e-6, f16: 2e-3 } as const;

interface Loaded {
  readonly weights: TransformerWeights;
  readonly config: TransformerConfig;
  readonly loader: WeightLoader;
}

async function load(gpu: Gpu, scalar: "f32" | "f16", quantization: Quantization): Promise<Loaded> {
  const source = new FolderSource(FOLDER);
  const { transformer: config } = await readModelConfig(source);
  const store = await openPartFolder(source, "transformer");
  const loader = new WeightLoader({ gpu, store, part: "transformer", scalar, quantization });
  const weights = await loadTransformerWeights(loader, config);
  await source.close();
  return { weights, config, loader };
}

/** up · down of a matrix, [out, in]. */
async function changeOf(gpu: Gpu, { out, in: columns, pieces }: Matrix): Promise<Float64Array> {
  const change = new Float64Array(out * columns);
  for (const { firstRow, rows, lowRank } of pieces) {
    if (!lowRank) continue;
    expect(lowRank.down.shape).toEqual([lowRank.rank, columns]);
    expect(lowRank.up.shape).toEqual([rows, lowRank.rank]);
    const [down, up] = [await download(gpu, lowRank.down), await download(gpu, lowRank.up)];
    for (let row = 0; row < rows; row++)
      for (let r = 0; r < lowRank.rank; r++)
        for (let column = 0; column < columns; column++)
          change[(firstRow + row) * columns + column]! += up[row * lowRank.rank + r]! * down[r * columns + column]!;
  }
  return change;
}

/** The part of ΔW = Σ weight · delta that belongs to a matrix. */
function expectedChange(
  { out, in: columns, source }: Matrix,
  deltas: readonly (readonly [weight: number, delta: ReadonlyMap<string, Float64Array>])[],
): Float64Array {
  const { name, firstRow, firstColumn, storedShape } = source!;
  const change = new Float64Array(out * columns);
  for (const [weight, delta] of deltas) {
    const values = delta.get(name);
    if (!values) continue;
    expect(values).toHaveLength(storedShape[0] * storedShape[1]);
    change.forEach((_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      change[i]! += weight * values[(firstRow + row) * storedShape[1] + firstColumn + column]!;
    });
  }
  return change;
}

describe.each(SCALARS)("adaptTransformer in %s", (scalar) => {
  const gpu = useGpu({ maxBindingBytes: LIMIT_BYTES });
  const bytes = (): number => gpu().memory.report().currentBytes;
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await load(gpu(), scalar, "none");
  });
  afterAll(() => loaded.loader.dispose());

  const adapter = (
    options: LoraOptions,
    weight = 1,
    style: LoraStyle = "kohya",
    config = loaded.config,
    extra: Readonly<Record<string, TestTensor>> = {},
  ): Adapter => ({ file: readLora(loraFile(config, style, options, extra), "style.safetensors"), weight });
  const adapt = (adapters: readonly Adapter[], { weights, config } = loaded): AdaptedTransformer =>
    adaptTransformer({ gpu: gpu(), weights, config, scalar }, adapters, "plain");

  async function expectChanges(
    adapted: AdaptedTransformer,
    deltas: readonly (readonly [weight: number, delta: ReadonlyMap<string, Float64Array>])[],
  ): Promise<void> {
    for (const matrix of matricesOf(adapted.weights)) {
      const expected = expectedChange(matrix, deltas);
      const actual = await changeOf(gpu(), matrix);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
      expect(worst, `${matrix.name} from row ${matrix.source!.firstRow}`).toBeLessThanOrEqual(
        RELATIVE[scalar] * largest,
      );
    }
  }

  for (const style of ["ai-toolkit", "diffusers"] as const)
    it(`puts the change of every layer beside its pieces, from a file in the style ${style}`, async () => {
      const options = { rank: 3, alpha: 1.5 };
      const adapted = adapt([adapter(options, -2, style)]);
      const matrices = matricesOf(adapted.weights);
      expect(matrices.some(({ pieces }) => pieces.length > 1)).toBe(true);
      for (const { pieces } of matrices) for (const { lowRank } of pieces) expect(lowRank?.rank).toBe(4);
      await expectChanges(adapted, [[-2, loraDeltas(loaded.config, options)]]);
      expect(adapted.warnings).toEqual([]);
      adapted.dispose();
    });

  it("joins several along the rank, the same one twice among them", async () => {
    const a = { rank: 4, alpha: 8 };
    const b = { rank: 1, seed: 5, layers: (name: string) => name.includes("1.") };
    const adapted = adapt([adapter(a, 0.5), adapter(b, 3, "diffusers"), adapter(a, -1)]);
    const [plain, joined] = [adapted.weights.double[0]!.image.down, adapted.weights.double[1]!.image.down];
    expect([plain, joined].map(({ pieces }) => pieces[0]!.lowRank!.rank)).toEqual([8, 12]);
    await expectChanges(adapted, [
      [-0.5, loraDeltas(loaded.config, a)],
      [3, loraDeltas(loaded.config, b)],
    ]);
    adapted.dispose();
  });

  it("shares the buffers of the weights, and of what its matrices have in common, and gives its own back", () => {
    const before = bytes();
    const adapted = adapt([adapter({ rank: 2 })]);
    const [own, changed] = [matricesOf(loaded.weights), matricesOf(adapted.weights)];
    changed.forEach(({ pieces }, i) =>
      pieces.forEach(({ values }, piece) => expect(values).toBe(own[i]!.pieces[piece]!.values)),
    );
    const { qkv, gate, up } = adapted.weights.single[0]!;
    const downs = [...qkv, gate, up].flatMap(({ pieces }) => pieces.map(({ lowRank }) => lowRank!.down.buffer));
    expect(new Set(downs).size).toBe(1);
    expect(bytes()).toBeGreaterThan(before);
    expect(gpu().memory.report().byCategory.transformer!.currentBytes).toBe(bytes() - otherBytes(gpu()));
    adapted.dispose();
    expect(bytes()).toBe(before);
    adapted.dispose();
    expect(bytes()).toBe(before);
  });

  it("leaves layers as they are that a LoRA does not change", () => {
    const adapted = adapt([adapter({ rank: 2, layers: (name) => name === "double_blocks.1.txt_mlp.0" })]);
    const own = new Set(matricesOf(loaded.weights));
    const { gate, up } = adapted.weights.double[1]!.text;
    expect(matricesOf(adapted.weights).filter((matrix) => !own.has(matrix))).toEqual([gate, up]);
    adapted.dispose();
  });

  it("adds nothing for weight 0, alpha 0 and no adapters", () => {
    const before = bytes();
    for (const adapters of [[], [adapter({ rank: 2 }, 0)], [adapter({ rank: 2, alpha: 0 })]]) {
      const adapted = adapt(adapters);
      expect(matricesOf(adapted.weights)).toEqual(matricesOf(loaded.weights));
      expect(bytes()).toBe(before);
    }
  });

  it("keeps small changes exact, whose `up` alone would not be in f16", async () => {
    const options = { rank: 2, alpha: 1e-3, strength: 1e-3, layers: (name: string) => name.startsWith("single") };
    const adapted = adapt([adapter(options)]);
    await expectChanges(adapted, [[1, loraDeltas(loaded.config, options)]]);
    adapted.dispose();
  });

  it.each(["q8", "q4"] as const)("puts changes in the scalar type beside %s weights", async (quantization) => {
    const quantized = await load(gpu(), scalar, quantization);
    const options = { rank: 5 };
    const adapted = adapt([adapter(options)], quantized);
    expect(adapted.weights.single[0]!.gate).toMatchObject({
      format: quantization,
      pieces: [{ lowRank: { up: { dtype: scalar } } }],
    });
    await expectChanges(adapted, [[1, loraDeltas(loaded.config, options)]]);
    adapted.dispose();
    quantized.loader.dispose();
  });

  it("refuses a LoRA for another width, naming both", () => {
    const wider = { ...loaded.config, hidden: 96, mlpHidden: 288 };
    const layers = (name: string): boolean => name.startsWith("double_blocks");
    const before = bytes();
    for (const weight of [1, 0])
      expect(() => adapt([adapter({ rank: 2 }), adapter({ rank: 2, layers }, weight, "ai-toolkit", wider)])).toThrow(
        expect.objectContaining({
          code: "invalid-model",
          message:
            "The LoRA style.safetensors is for a model of another width: it changes diffusion_model.double_blocks.0.img_attn.qkv of [288, 96], which is [192, 64] in plain (width 64, 2 double and 3 single blocks).",
        }),
      );
    expect(bytes()).toBe(before);
  });

  it("refuses a LoRA of which no layer is the model's, naming both", () => {
    const deeper = { ...loaded.config, doubleBlocks: 4 };
    const layers = (name: string): boolean => /^double_blocks\.[23]\.img_mlp/.test(name);
    expect(() => adapt([adapter({ rank: 2, layers }, 1, "ai-toolkit", deeper)])).toThrow(
      expect.objectContaining({
        code: "invalid-model",
        message: expect.stringMatching(
          /^The LoRA style\.safetensors changes no layer of plain .*; it has diffusion_model\.double_blocks\.2\.img_mlp\.0, .* and 1 more\.$/,
        ),
      }),
    );
  });

  it("warns of layers that the model has not, and of the text encoder's", () => {
    const pair = { dtype: "F32", shape: [2, 2], data: new Float32Array(4) };
    const extra = { "lora_te1_q.lora_down.weight": pair, "lora_unet_other.lora_down.weight": pair };
    const deeper = { ...loaded.config, singleBlocks: 4 };
    const adapted = adapt([adapter({ rank: 2 }, 1, "kohya", deeper, extra)]);
    expect(adapted.warnings).toEqual([
      expect.stringMatching(
        /has layers that plain .* does not have; they are left out: lora_unet_other, lora_unet_single_blocks_3_linear1, /,
      ),
      expect.stringMatching(/text encoder, which stays as it is: lora_te1_q\.lora_down\.weight\.$/),
    ]);
    adapted.dispose();
  });

  it("refuses a weight that is no number", () => {
    for (const weight of [NaN, Infinity])
      expect(() => adapt([adapter({ rank: 2 }, weight)])).toThrow(
        expect.objectContaining({ code: "invalid-request", details: { parameter: "weight" } }),
      );
  });

  it("takes a rank whose factors just fit a binding, and refuses one more, leaving nothing behind", () => {
    const layers = (name: string): boolean => name === "single_blocks.0.linear2"; // [64, 256], cut into [64, 64] and [64, 192]
    const most = LIMIT_BYTES / (192 * (scalar === "f32" ? 4 : 2));
    const fitting = Math.floor(most / 4) * 4;
    const before = bytes();
    adapt([adapter({ rank: fitting, layers })]).dispose();
    expect(() => adapt([adapter({ rank: fitting, layers }), adapter({ rank: 1, layers })])).toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: expect.stringContaining(`rank ${fitting + 4} together`),
      }),
    );
    expect(bytes()).toBe(before);
  });

  it("leaves nothing behind when a value turns out not to be finite", () => {
    const layers = (name: string): boolean => name === "img_in" || name === "final_layer.linear";
    const file = loraFile(loaded.config, "kohya", { rank: 1, layers });
    new DataView(file.buffer).setFloat32(file.length - 4, NaN, true);
    const before = bytes();
    expect(() => adapt([{ file: readLora(file, "damaged"), weight: 1 }])).toThrow(
      expect.objectContaining({
        code: "invalid-model",
        message: expect.stringMatching(/^damaged: lora_unet_.*finite/),
      }),
    );
    expect(bytes()).toBe(before);
  });
});

/** Bytes of all parts but the transformer. */
function otherBytes(gpu: Gpu): number {
  const { byCategory } = gpu.memory.report();
  return Object.entries(byCategory).reduce(
    (sum, [part, { currentBytes }]) => sum + (part === "transformer" ? 0 : currentBytes),
    0,
  );
}
