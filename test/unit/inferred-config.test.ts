import { describe, expect, it } from "vitest";
import type { StoredTensor } from "../../runtime/weights/formats/tensor-file.ts";
import type { ModelConfig, TextEncoderConfig } from "../../runtime/weights/config/model-config.ts";
import { textFromTensors } from "../../runtime/weights/config/inferred-config.ts";
import { type Layout, layoutTensors } from "../../runtime/weights/names/layouts.ts";
import { openModel, type OpenModel } from "../../runtime/weights/open-model.ts";
import { HollowSource, type HollowTensor } from "../support/hollow-source.ts";
import { KLEIN_4B, KLEIN_4B_SMALL_DECODER, KLEIN_9B } from "../../bench/klein-configs.ts";

const TOKENIZER = { "tokenizer.json": "{}" };

function tensors(
  config: ModelConfig,
  [text, transformer, vae]: readonly [Layout<"textEncoder">, Layout<"transformer">, Layout<"vae">],
): { text: HollowTensor[]; transformer: HollowTensor[]; vae: HollowTensor[] } {
  return {
    text: [...layoutTensors(config, "textEncoder", text)],
    transformer: [...layoutTensors(config, "transformer", transformer)],
    vae: [...layoutTensors(config, "vae", vae)],
  };
}

const NAMINGS = [
  ["transformers", "bfl", "bfl"],
  ["gguf", "diffusers", "diffusers"],
  ["transformers", "diffusers-fused", "diffusers-channels-last"],
] as const;

describe("the config of files without config.json", () => {
  for (const config of [KLEIN_4B, KLEIN_9B, KLEIN_4B_SMALL_DECODER])
    for (const naming of NAMINGS)
      it(`equals the config of ${config.name}, decoder ${config.vae.decoderChannels[0]}, from ${naming.join(", ")}`, async () => {
        const { text, transformer, vae } = tensors(config, naming);
        const model = await openModel(
          new HollowSource({ "t.safetensors": transformer, "e.safetensors": text, "v.safetensors": vae }, TOKENIZER),
        );
        // layers that klein does not run need not be there
        expect(model.config).toEqual({ ...config, name: "memory", text: { ...config.text, layers: 28 } });
        expect(model.files).toEqual(["e.safetensors", "t.safetensors", "tokenizer.json", "v.safetensors"]);
        expect(model.recognition.parts.transformer.bytes).toBe(
          2 * transformer.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
        );
      });

  it("counts the layers that a whole encoder has", async () => {
    const { text, transformer, vae } = tensors({ ...KLEIN_4B, textLayers: [35] }, NAMINGS[0]);
    const last = text.slice(-11).map(({ name, shape }) => ({ name: name.replace(".34.", ".35."), shape }));
    const all = { "a.safetensors": [...transformer, ...text, ...last, ...vae] };
    const { config, recognition } = await openModel(new HollowSource(all, TOKENIZER));
    expect(config.text.layers).toBe(36);
    expect(recognition.parts.textEncoder.unused).toHaveLength(9 * 11);
  });

  it("is read from config.json where there is one, and must fit the tensors", async () => {
    const { text, transformer, vae } = tensors(KLEIN_4B, NAMINGS[0]);
    const open = (config: object): Promise<OpenModel> =>
      openModel(
        new HollowSource(
          { "t.safetensors": transformer, "e.safetensors": text, "v.safetensors": vae },
          { ...TOKENIZER, "transformer/config.json": JSON.stringify(config) },
        ),
      );
    const sizes = { num_attention_heads: 24, num_single_layers: 20, joint_attention_dim: 7680, guidance_embeds: false };
    const model = await open({ ...sizes, num_layers: 5, rope_theta: 1000 });
    expect(model.config.transformer.ropeTheta).toBe(1000);
    expect(model.files).toContain("transformer/config.json");
    await expect(open({ ...sizes, num_layers: 6 })).rejects.toMatchObject({
      code: "invalid-model",
      message: expect.stringContaining("lacks double_blocks.5.img_attn.qkv.weight, "),
    });
  });

  it("refuses FLUX.2 [dev], parts of different sizes, and a missing tensor of those that tell the sizes", async () => {
    const small = tensors(KLEIN_4B, NAMINGS[0]);
    const large = tensors(KLEIN_9B, NAMINGS[0]);
    const open = (transformer: readonly HollowTensor[]): Promise<OpenModel> =>
      openModel(
        new HollowSource(
          { "t.safetensors": transformer, "e.safetensors": small.text, "v.safetensors": small.vae },
          TOKENIZER,
        ),
      );
    const guidance = { name: "guidance_in.in_layer.weight", shape: [3072, 256] };
    await expect(open([...small.transformer, guidance])).rejects.toMatchObject({
      code: "invalid-model",
      message: "t.safetensors: guidance_in.in_layer.weight is a guidance embedding of FLUX.2 [dev]; klein has none.",
    });
    await expect(open(large.transformer)).rejects.toMatchObject({
      code: "invalid-model",
      message: expect.stringContaining("expects prompt embeddings of width 12288; 3 hidden states of 2560 give 7680"),
    });
    await expect(open(small.transformer.filter(({ name }) => name !== "txt_in.weight"))).rejects.toMatchObject({
      code: "invalid-model",
      message:
        "t.safetensors: without a config.json, sizes come from the tensors, and txt_in.weight is missing. Add the config.json of the model.",
      details: { tensor: "txt_in.weight" },
    });
  });
});

describe("textFromTensors", () => {
  const { text } = tensors(KLEIN_4B, NAMINGS[1]);
  const stored = new Map(
    text.map(({ name, shape }): [string, StoredTensor] => [
      name,
      { name, type: "Q8_0", shape, bytes: 0, readRows: async () => new Float32Array() },
    ]),
  );
  const config = (metadata: Readonly<Record<string, unknown>>): TextEncoderConfig =>
    textFromTensors({ tensors: stored, layout: "gguf", where: "e.gguf" }, new Map(Object.entries(metadata)), 27);

  it("takes values that no shape shows from the header of a GGUF file", () => {
    const metadata = { "qwen3.rope.freq_base": 5_000_000, "qwen3.attention.layer_norm_rms_epsilon": 1e-5 };
    expect(config(metadata)).toEqual({ ...KLEIN_4B.text, layers: 28, ropeTheta: 5_000_000, eps: 1e-5 });
  });

  it("uses Qwen3's values if the header has none, or nonsense", () => {
    for (const metadata of [{}, { "qwen3.rope.freq_base": 0 }, { "qwen3.rope.freq_base": "1e6" }])
      expect(config(metadata)).toEqual({ ...KLEIN_4B.text, layers: 28 });
  });
});

describe("the variant of files without model_index.json", () => {
  const { text, transformer, vae } = tensors(KLEIN_4B, NAMINGS[0]);
  const open = async (path: string, own?: object): Promise<OpenModel> =>
    openModel(
      new HollowSource(
        { [path]: transformer, "e.safetensors": text, "v.safetensors": vae },
        { ...TOKENIZER, ...(own && { "kleinbild.json": JSON.stringify(own) }) },
      ),
    );
  const distilled = { distilled: true, defaultSteps: 4, defaultGuidance: null };
  const base = { distilled: false, defaultSteps: 50, defaultGuidance: 4 };

  for (const [path, expected, from] of [
    ["flux-2-klein-4b.safetensors", { ...distilled, referenceAttention: "full" }, "default"],
    ["database/unbased-kvm.safetensors", { ...distilled, referenceAttention: "full" }, "default"],
    [
      "flux-2-klein-base-4b-fp8.safetensors",
      { ...base, referenceAttention: "full" },
      "flux-2-klein-base-4b-fp8.safetensors",
    ],
    [
      "FLUX.2-klein-BASE-4B/x.safetensors",
      { ...base, referenceAttention: "full" },
      "FLUX.2-klein-BASE-4B/x.safetensors",
    ],
    [
      "flux-2-klein-9b-kv.safetensors",
      { ...distilled, referenceAttention: "isolated" },
      "flux-2-klein-9b-kv.safetensors",
    ],
  ] as const)
    it(`is inferred from the name ${path}`, async () => {
      const model = await open(path);
      expect(model.config).toMatchObject(expected);
      expect(model.recognition.variant.from).toBe(from);
    });

  it("comes from kleinbild.json rather than the name", async () => {
    const model = await open("klein-base.safetensors", { distilled: true, referenceAttention: "isolated" });
    expect(model.config).toMatchObject({ ...distilled, referenceAttention: "isolated" });
    expect(model.recognition.variant).toMatchObject({ distilled: true, from: "kleinbild.json" });
  });
});
