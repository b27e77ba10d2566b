import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../runtime/errors.ts";
import { readLora } from "../../runtime/weights/lora/lora-file.ts";
import { readValues } from "../../runtime/weights/lora/lora-values.ts";
import { loraFile } from "../support/lora-files.ts";
import { SMALL_CONFIG } from "../support/model-config.ts";
import { safetensorsFile, type TestTensor, withHeader } from "../support/model-files.ts";

const QKV = "diffusion_model.double_blocks.0.img_attn.qkv";

function matrix(...shape: readonly number[]): TestTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: "F32", shape, data: new Float32Array(count).fill(0.5) };
}

const PAIR: Readonly<Record<string, TestTensor>> = {
  [`${QKV}.lora_A.weight`]: matrix(2, 64),
  [`${QKV}.lora_B.weight`]: matrix(192, 2),
};
const read = (tensors: Readonly<Record<string, TestTensor>>, metadata?: Readonly<Record<string, string>>) => () =>
  readLora(safetensorsFile(tensors, metadata), "style.safetensors");

function expectRefusal(call: () => unknown, code: string, message: RegExp): void {
  expect(call).toThrow(
    expect.objectContaining({ name: "KleinbildError", code, message: expect.stringMatching(message) }),
  );
}

describe("readLora refuses", () => {
  for (const [suffix, method] of [
    ["lokr_w1", "LoKr"],
    ["lokr_w2_a", "LoKr"],
    ["hada_w1_a", "LoHa"],
    ["dora_scale", "DoRA"],
    ["lora_magnitude_vector", "DoRA"],
    ["lora_magnitude_vector.default.weight", "DoRA"],
    ["oft_blocks", "orthogonal"],
    ["lora_mid.weight", "convolutions"],
    ["lora_B.bias", "biases"],
    ["diff", "differences"],
    ["diff_b", "differences"],
  ])
    it(`${suffix}, by name`, () =>
      expectRefusal(
        read({ ...PAIR, [`${QKV}.${suffix}`]: matrix(2, 2) }),
        "unsupported",
        new RegExp(`^style\\.safetensors: ${QKV.replaceAll(".", "\\.")}\\.${suffix} belongs to .*${method}`),
      ));

  it("tensors of a layer that no LoRA has, such as its weight", () => {
    expectRefusal(
      read({ [`${QKV}.weight`]: matrix(192, 64) }),
      "unsupported",
      /qkv\.weight is not a tensor of a LoRA for/,
    );
    expectRefusal(read({ ...PAIR, [`${QKV}.a.b`]: matrix(1, 1) }), "unsupported", /qkv\.a\.b/);
  });

  it("a file without a LoRA", () => {
    expectRefusal(read({}), "invalid-model", /style\.safetensors holds no LoRA: none of its 0 tensors/);
    expectRefusal(read({ "vae.conv_in.weight": matrix(2, 2) }), "invalid-model", /none of its 1 tensors/);
    expectRefusal(read({ "x.alpha": matrix(1) }), "invalid-model", /holds no LoRA/);
  });

  it("half a pair, by its module", () => {
    for (const [suffix, half] of [
      ["lora_A", "down"],
      ["lora_B", "up"],
    ]) {
      const key = `${QKV}.${suffix}.weight`;
      expectRefusal(read({ [key]: PAIR[key]! }), "invalid-model", new RegExp(`qkv has only a ${half} matrix`));
    }
  });

  it("matrices of different ranks, and names both", () =>
    expectRefusal(
      read({ ...PAIR, [`${QKV}.lora_B.weight`]: matrix(192, 3) }),
      "invalid-model",
      /down matrix of rank 2 and an up matrix of rank 3/,
    ));

  it("tensors that are not matrices, or empty", () => {
    expectRefusal(read({ ...PAIR, [`${QKV}.lora_A.weight`]: matrix(128) }), "invalid-model", /matrix; got \[128\]/);
    expectRefusal(read({ ...PAIR, [`${QKV}.lora_A.weight`]: matrix(0, 64) }), "invalid-model", /got \[0, 64\]/);
    expectRefusal(read({ ...PAIR, [`${QKV}.lora_A.weight`]: matrix(2, 64, 1, 1) }), "unsupported", /convolution/);
  });

  it("unsupported types, by name", () => {
    const data = new Uint8Array(128);
    const factor = { [`${QKV}.lora_A.weight`]: { dtype: "F8_E4M3", shape: [2, 64], data } };
    expectRefusal(read({ ...PAIR, ...factor }), "unsupported", /lora_A\.weight has the type F8_E4M3/);
    const alpha = { [`${QKV}.alpha`]: { dtype: "BOOL", shape: [], data: new Uint8Array(1) } };
    expectRefusal(read({ ...PAIR, ...alpha }), "unsupported", /alpha has the type BOOL/);
  });

  it("an alpha that is not a finite number", () => {
    expectRefusal(
      read({ ...PAIR, [`${QKV}.alpha`]: matrix(2) }),
      "invalid-model",
      /alpha must be one number; got \[2\]/,
    );
    const alpha = (data: Float32Array<ArrayBuffer>): TestTensor => ({ dtype: "F32", shape: [], data });
    for (const value of [NaN, Infinity])
      expectRefusal(read({ ...PAIR, [`${QKV}.alpha`]: alpha(Float32Array.of(value)) }), "invalid-model", /not finite/);
  });

  it("a tensor or layer that is there twice", () => {
    expectRefusal(
      read({ ...PAIR, [`${QKV}.lora_down.weight`]: matrix(2, 64) }),
      "invalid-model",
      /qkv has two down tensors/,
    );
    const again = Object.fromEntries(Object.entries(PAIR).map(([key, value]) => [key.replace(/^[^.]+\./, ""), value]));
    expectRefusal(read({ ...PAIR, ...again }), "invalid-model", /are the same layer/);
  });

  it("names of more than 512 characters", () => {
    const name = (length: number): string => "x".repeat(length);
    expect(read({ ...PAIR, [name(512)]: matrix(1) })().unmatched).toHaveLength(1);
    expectRefusal(read({ ...PAIR, [name(513)]: matrix(1) }), "invalid-model", /513 characters/);
  });

  for (const [text, code, message] of [
    ["{", "invalid-model", /lora_adapter_metadata is not JSON/],
    ["[1]", "invalid-model", /lora_adapter_metadata is not an object/],
    ['{"lora_alpha": "8"}', "invalid-model", /has an invalid lora_alpha/],
    ['{"lora_alpha": 1e999}', "invalid-model", /has an invalid lora_alpha/],
    ['{"transformer.alpha_pattern": {"a": null}}', "invalid-model", /has an invalid alpha_pattern/],
    ['{"alpha_pattern": {"(a+)+$": 1}}', "unsupported", /alpha_pattern \(a\+\)\+\$ must be the name/],
    ['{"transformer.use_dora": true}', "unsupported", /is a DoRA/],
  ] as const)
    it(`the metadata ${text}`, () => expectRefusal(read(PAIR, { lora_adapter_metadata: text }), code, message));

  it("damaged files", () => {
    const bytes = safetensorsFile(PAIR);
    expectRefusal(() => readLora(bytes.subarray(0, -1), "x"), "invalid-model", /x is not a valid safetensors file/);
    expectRefusal(() => readLora(new Uint8Array(7), "x"), "invalid-model", /it has 7 bytes/);
    expectRefusal(() => readLora(withHeader("{}", new Uint8Array(0), 2n ** 40n), "x"), "invalid-model", /claims/);
  });

  it("a header above 32 MiB, and takes one below", () => {
    const file = (length: number): Uint8Array<ArrayBuffer> => withHeader("{}".padEnd(length));
    expectRefusal(() => readLora(file(32 * 2 ** 20), "x"), "invalid-model", /holds no LoRA/);
    expectRefusal(() => readLora(file(32 * 2 ** 20 + 1), "x"), "invalid-model", /at most 33554432 are supported/);
  });
});

describe("values that are not finite", () => {
  for (const [dtype, data] of [
    ["F32", Float32Array.of(1, NaN)],
    ["F16", Uint16Array.of(0x3c00, 0x7c00)],
    ["BF16", Uint16Array.of(0x3f80, 0xff80)],
  ] as const)
    it(`are refused in ${dtype} when they are read`, () =>
      expectRefusal(
        () => readValues({ label: "a: b", type: dtype, shape: [2], bytes: new Uint8Array(data.buffer) }),
        "invalid-model",
        /a: b has values that are not finite/,
      ));
});

describe("readLora with anything", () => {
  /** Reads it all, or refuses it in the package's own words. */
  const survives = (bytes: Uint8Array): void => {
    try {
      for (const { down, up } of readLora(bytes, "x").modules) {
        readValues(down);
        readValues(up);
      }
    } catch (error) {
      if (!(error instanceof KleinbildError) || !["invalid-model", "unsupported"].includes(error.code)) throw error;
    }
  };

  it("reads or refuses any bytes", () => {
    expect.assertions(0);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
  });

  it("reads or refuses any header", () => {
    expect.assertions(0);
    const payload = new Uint8Array(64);
    fc.assert(fc.property(fc.json(), (header) => survives(withHeader(header, payload))));
  });

  it("reads or refuses a LoRA with bytes changed", () => {
    expect.assertions(0);
    const layers = (name: string): boolean => name.startsWith("double_blocks.0.img_attn");
    const original = loraFile(SMALL_CONFIG.transformer, "diffusers with alpha", { rank: 1, alpha: 2, layers });
    const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true));
    const change = fc.tuple(fc.nat(headerEnd + 64), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(3), (changes, cut) => {
        const file = original.slice(0, cut === 0 ? original.length - 1 : original.length);
        for (const [at, value] of changes) file[at] = value;
        survives(file);
      }),
      { numRuns: 1000 },
    );
  });

  it("reads or refuses any names", () => {
    expect.assertions(0);
    const word = fc.constantFrom(
      "transformer",
      "diffusion_model",
      "base_model.model",
      "lora_unet_double_blocks_0_img_attn_qkv",
      "double_blocks",
      "0",
      "img_attn.qkv",
      "lora_A",
      "lora_B",
      "lora",
      "down",
      "weight",
      "alpha",
      "",
      "__proto__",
      "lokr_w1",
    );
    const name = fc.oneof(
      fc.array(word, { maxLength: 7 }).map((words) => words.join(".")),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), (names) => {
        survives(safetensorsFile(Object.fromEntries(names.map((key) => [key, matrix(2, 2)]))));
      }),
      { numRuns: 1000 },
    );
  });
});
