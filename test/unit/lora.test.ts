import { describe, expect, it } from "vitest";
import { adapterKey } from "../../runtime/transformer/adapters.ts";
import { type LoraFile, readLora } from "../../runtime/weights/lora/lora-file.ts";
import { readValues } from "../../runtime/weights/lora/lora-values.ts";
import { expectClose } from "../support/compare.ts";
import { LORA_STYLES, loraDeltas, loraFile, type LoraOptions, type LoraStyle } from "../support/lora-files.ts";
import { SMALL_CONFIG } from "../support/model-config.ts";
import { safetensorsFile, type TestTensor } from "../support/model-files.ts";

const { transformer } = SMALL_CONFIG;
const STYLES = Object.keys(LORA_STYLES) as LoraStyle[];

/** ΔW by stored tensor: the modules of a file multiplied out. */
function deltasOf(file: LoraFile): ReadonlyMap<string, Float64Array> {
  const deltas = new Map<string, Float64Array>();
  for (const { target, rank, scale, down, up } of file.modules) {
    const [a, b] = [readValues(down), readValues(up)];
    const columns = down.shape[1]!;
    const rows = up.shape[0]! / target.length;
    target.forEach(({ tensor, slot, slots }, i) => {
      const delta = deltas.get(tensor) ?? new Float64Array(rows * slots * columns);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let r = 0; r < rank; r++)
            delta[(slot * rows + row) * columns + column]! +=
              scale * b[(i * rows + row) * rank + r]! * a[r * columns + column]!;
      deltas.set(tensor, delta);
    });
  }
  return deltas;
}

function expectDeltas(file: LoraFile, options: LoraOptions): void {
  const expected = loraDeltas(transformer, options);
  const actual = deltasOf(file);
  expect([...actual.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  for (const [name, values] of expected) expectClose(actual.get(name)!, values, { absolute: 1e-12 });
}

describe("readLora", () => {
  for (const style of STYLES) {
    it(`reads every layer in the style ${style}`, () => {
      const options = { rank: 4, alpha: 2 };
      const file = readLora(loraFile(transformer, style, options), "style.safetensors");
      expectDeltas(file, options);
      expect(file).toMatchObject({ name: "style.safetensors", unmatched: [], ignored: [] });
    });
    it(`has the scale 1 without alpha in the style ${style}`, () => {
      const options = { rank: 3, layers: (name: string) => !name.startsWith("single") };
      expectDeltas(readLora(loraFile(transformer, style, options), "x"), options);
    });
  }

  for (const dtype of ["F32", "F16", "BF16"] as const)
    it(`reads values and alpha in ${dtype}`, () => {
      const options = { rank: 5, alpha: 7, dtype };
      expectDeltas(readLora(loraFile(transformer, "kohya", options), "x"), options);
    });

  it("takes files in memory at odd addresses", () => {
    const bytes = loraFile(transformer, "kohya", { rank: 1 });
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expectDeltas(readLora(shifted.subarray(1), "x"), { rank: 1 });
  });

  it("lists tensors that belong to no layer of klein, and tensors of the text encoder", () => {
    const pair = { lora_A: matrix(2, 64), lora_B: matrix(64, 2) };
    const extra = {
      ...named("diffusion_model.guidance_in.in_layer", pair),
      ...named("diffusion_model.double_blocks.0.norm9", pair),
      ...named("text_encoder.model.layers.0.q_proj", pair),
      "lora_te1_text_model_0_q.lora_down.weight": matrix(2, 64),
      "double_blocks.0.img_attn.norm.query_norm.scale": matrix(1, 32),
    };
    const file = readLora(loraFile(transformer, "ai-toolkit", { rank: 2 }, extra), "x");
    expect(file.unmatched).toEqual([
      "double_blocks.0.img_attn.norm.query_norm.scale",
      "diffusion_model.guidance_in.in_layer",
      "diffusion_model.double_blocks.0.norm9",
    ]);
    expect(file.ignored).toEqual([
      "text_encoder.model.layers.0.q_proj.lora_A.weight",
      "text_encoder.model.layers.0.q_proj.lora_B.weight",
      "lora_te1_text_model_0_q.lora_down.weight",
    ]);
    expect(file.modules.every(({ name }) => name.startsWith("diffusion_model."))).toBe(true);
  });

  it("reads a file of other layers only, which a model will refuse", () => {
    const file = readLora(
      safetensorsFile(named("unet.down.0.attn", { lora_A: matrix(2, 8), lora_B: matrix(8, 2) })),
      "sd",
    );
    expect(file).toMatchObject({ modules: [], unmatched: ["unet.down.0.attn"] });
  });
});

describe("alpha", () => {
  const module = "transformer.transformer_blocks.0.attn.to_q";
  const pair = named(module, { lora_A: matrix(4, 64), lora_B: matrix(64, 4) });
  const scale = (extra: Readonly<Record<string, TestTensor>>, metadata?: Readonly<Record<string, unknown>>): number =>
    readLora(
      safetensorsFile({ ...pair, ...extra }, metadata && { lora_adapter_metadata: JSON.stringify(metadata) }),
      "x",
    ).modules[0]!.scale;
  const scalar = (
    dtype: string,
    data: TestTensor["data"],
    shape: readonly number[] = [],
  ): Record<string, TestTensor> => ({
    [`${module}.alpha`]: { dtype, shape, data },
  });
  const bytes = (values: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(values.buffer);

  for (const [what, extra] of [
    ["F32", scalar("F32", Float32Array.of(6))],
    ["F32 of one element", scalar("F32", Float32Array.of(6), [1])],
    ["I64", scalar("I64", bytes(BigInt64Array.of(6n)))],
    ["I32", scalar("I32", bytes(Int32Array.of(6)))],
    ["F64", scalar("F64", bytes(Float64Array.of(6)))],
  ] as const)
    it(`is read from ${what}`, () => expect(scale(extra)).toBe(1.5));

  it("is read from the metadata, by module where that says so", () => {
    expect(scale({}, { "transformer.lora_alpha": 8 })).toBe(2);
    expect(scale({}, { lora_alpha: 8, r: 4 })).toBe(2);
    const pattern = { "transformer_blocks.0.attn.to_q": 2, to_k: 16 };
    expect(scale({}, { "transformer.lora_alpha": 8, "transformer.alpha_pattern": pattern })).toBe(0.5);
    expect(scale({}, { "transformer.lora_alpha": 8, "transformer.alpha_pattern": { "^to_q": 2 } })).toBe(0.5);
    expect(scale({}, { "transformer.lora_alpha": 8, "transformer.alpha_pattern": { o_q: 2 } })).toBe(2);
    expect(scale({}, { "transformer.lora_alpha": 8, "transformer.use_rslora": true })).toBe(4);
    expect(scale({}, { "transformer.lora_alpha": null })).toBe(1);
  });

  it("in a tensor goes before the metadata", () =>
    expect(scale(scalar("F32", Float32Array.of(6)), { lora_alpha: 8, use_rslora: true })).toBe(1.5));

  it("may be zero or negative", () => {
    expect(scale(scalar("F32", Float32Array.of(0)))).toBe(0);
    expect(scale(scalar("F32", Float32Array.of(-4)))).toBe(-1);
  });
});

describe("adapterKey", () => {
  const file = readLora(loraFile(transformer, "kohya", { rank: 1 }), "a");
  const same = readLora(loraFile(transformer, "kohya", { rank: 1 }), "renamed");
  const other = readLora(loraFile(transformer, "kohya", { rank: 1, seed: 2 }), "a");
  const key = adapterKey([{ file, weight: 1 }]);

  it("is the same for the same contents and weights under any name", () => {
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(adapterKey([{ file: same, weight: 1 }])).toBe(key);
  });

  it("differs by contents, weight, number and order", () => {
    const keys = [
      key,
      adapterKey([{ file, weight: 1.0000001 }]),
      adapterKey([{ file, weight: -1 }]),
      adapterKey([{ file: other, weight: 1 }]),
      adapterKey([
        { file, weight: 1 },
        { file, weight: 1 },
      ]),
      adapterKey([
        { file, weight: 1 },
        { file: other, weight: 1 },
      ]),
      adapterKey([
        { file: other, weight: 1 },
        { file, weight: 1 },
      ]),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("leaves out adapters of weight 0, and is empty when none is left", () => {
    expect(
      adapterKey([
        { file: other, weight: 0 },
        { file, weight: 1 },
      ]),
    ).toBe(key);
    expect(adapterKey([{ file, weight: 0 }])).toBe("");
    expect(adapterKey([])).toBe("");
  });
});

function matrix(rows: number, columns: number): TestTensor {
  return { dtype: "F32", shape: [rows, columns], data: new Float32Array(rows * columns).fill(0.5) };
}

/** Tensors `module.part.weight`. */
function named(module: string, parts: Readonly<Record<string, TestTensor>>): Record<string, TestTensor> {
  return Object.fromEntries(Object.entries(parts).map(([part, tensor]) => [`${module}.${part}.weight`, tensor]));
}
