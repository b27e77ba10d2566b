import { describe, expect, it } from "vitest";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { MemorySource } from "../support/model-files.ts";
import { readModelConfig } from "../support/part-folder.ts";

type Json = Readonly<Record<string, unknown>>;

interface Configs {
  readonly index?: Json;
  readonly own?: Json;
  readonly transformer?: Json;
  readonly vae?: Json;
  readonly text?: Json;
}

/** The fields of klein 4B's configs that are read, as diffusers and transformers write them. */
const KLEIN_4B = {
  index: { _class_name: "Flux2KleinPipeline", is_distilled: true },
  transformer: {
    _class_name: "Flux2Transformer2DModel",
    attention_head_dim: 128,
    axes_dims_rope: [32, 32, 32, 32],
    eps: 1e-6,
    guidance_embeds: false,
    in_channels: 128,
    joint_attention_dim: 7680,
    mlp_ratio: 3,
    num_attention_heads: 24,
    num_layers: 5,
    num_single_layers: 20,
    out_channels: null,
    patch_size: 1,
    rope_theta: 2000,
    timestep_guidance_channels: 256,
  },
  vae: {
    _class_name: "AutoencoderKLFlux2",
    act_fn: "silu",
    batch_norm_eps: 1e-4,
    batch_norm_momentum: 0.1,
    block_out_channels: [128, 256, 512, 512],
    force_upcast: true,
    in_channels: 3,
    latent_channels: 32,
    layers_per_block: 2,
    mid_block_add_attention: true,
    norm_num_groups: 32,
    out_channels: 3,
    patch_size: [2, 2],
    sample_size: 1024,
    use_post_quant_conv: true,
    use_quant_conv: true,
  },
  text: {
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 2560,
    intermediate_size: 9728,
    num_attention_heads: 32,
    num_hidden_layers: 36,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1_000_000,
    sliding_window: null,
    tie_word_embeddings: true,
    use_sliding_window: false,
    vocab_size: 151_936,
  },
} as const satisfies Configs;

const KLEIN_9B = {
  transformer: { num_attention_heads: 32, num_layers: 8, num_single_layers: 24, joint_attention_dim: 12_288 },
  text: { hidden_size: 4096, intermediate_size: 12_288, tie_word_embeddings: false },
} as const satisfies Configs;

/** The files of klein 4B with other fields; `undefined` leaves one out. */
function files({ index, own, transformer, vae, text }: Configs): Record<string, string> {
  return {
    "model_index.json": JSON.stringify({ ...KLEIN_4B.index, ...index }),
    ...(own && { "kleinbild.json": JSON.stringify(own) }),
    "transformer/config.json": JSON.stringify({ ...KLEIN_4B.transformer, ...transformer }),
    "vae/config.json": JSON.stringify({ ...KLEIN_4B.vae, ...vae }),
    "text_encoder/config.json": JSON.stringify({ ...KLEIN_4B.text, ...text }),
  };
}

const read = (configs: Configs): Promise<ModelConfig> => readModelConfig(new MemorySource(files(configs)));

async function expectRefusal(configs: Configs, message: RegExp, details: Json = {}): Promise<void> {
  await expect(read(configs)).rejects.toMatchObject({
    name: "KleinbildError",
    code: "invalid-model",
    message: expect.stringMatching(message),
    details,
  });
}

describe("the configs of klein", () => {
  it("are read for 4B", async () => {
    const config = await read({});
    expect(config.transformer).toEqual({
      hidden: 3072,
      heads: 24,
      headDim: 128,
      ropeAxes: [32, 32, 32, 32],
      ropeTheta: 2000,
      inChannels: 128,
      outChannels: 128,
      mlpHidden: 9216,
      doubleBlocks: 5,
      singleBlocks: 20,
      textWidth: 7680,
      timeChannels: 256,
      eps: 1e-6,
    });
    expect(config.vae).toEqual({
      inChannels: 3,
      outChannels: 3,
      latentChannels: 32,
      encoderChannels: [128, 256, 512, 512],
      decoderChannels: [128, 256, 512, 512],
      layersPerBlock: 2,
      groups: 32,
      midAttention: true,
      batchNormEps: 1e-4,
      quantConv: true,
      postQuantConv: true,
    });
    expect(config.text).toEqual({
      layers: 36,
      hidden: 2560,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      intermediate: 9728,
      vocab: 151_936,
      ropeTheta: 1_000_000,
      eps: 1e-6,
    });
  });

  it("are read for 9B", async () => {
    const { transformer, text } = await read(KLEIN_9B);
    expect(transformer).toMatchObject({ hidden: 4096, mlpHidden: 12_288, doubleBlocks: 8, singleBlocks: 24 });
    expect(text).toMatchObject({ hidden: 4096, intermediate: 12_288, heads: 32, kvHeads: 8, headDim: 128 });
  });

  it("may leave out fields that have defaults in their libraries", async () => {
    const { num_attention_heads, num_layers, num_single_layers, joint_attention_dim } = KLEIN_4B.transformer;
    const { hidden_size, intermediate_size, num_hidden_layers, num_key_value_heads, vocab_size } = KLEIN_4B.text;
    const heads = KLEIN_4B.text.num_attention_heads;
    const short = new MemorySource({
      ...files({}),
      "transformer/config.json": JSON.stringify({
        guidance_embeds: false,
        num_attention_heads,
        num_layers,
        num_single_layers,
        joint_attention_dim,
      }),
      "vae/config.json": "{}",
      "text_encoder/config.json": JSON.stringify({
        hidden_size,
        intermediate_size,
        num_hidden_layers,
        num_attention_heads: heads,
        num_key_value_heads,
        vocab_size,
      }),
    });
    expect(await readModelConfig(short)).toEqual(await read({}));
  });

  it("may give the autoencoder's decoder other channels, and the text encoder as many key-value heads as heads", async () => {
    const decoder = [96, 192, 384, 384];
    const { vae, text } = await read({
      vae: { decoder_block_out_channels: decoder },
      text: { num_key_value_heads: undefined },
    });
    expect(vae).toMatchObject({ encoderChannels: [128, 256, 512, 512], decoderChannels: decoder });
    expect(text.kvHeads).toBe(32);
  });
});

describe("a folder without kleinbild.json", () => {
  const base = { name: "memory", license: undefined, textLength: 512, textLayers: [9, 18, 27], defaultSize: 1024 };
  const distilled = { distilled: true, defaultSteps: 4, defaultGuidance: null };
  const undistilled = { distilled: false, defaultSteps: 50, defaultGuidance: 4 };

  it("is the real distilled model", async () =>
    expect(await read({})).toMatchObject({ ...base, ...distilled, referenceAttention: "full" }));

  for (const is_distilled of [false, undefined])
    it(`is the base model where is_distilled is ${is_distilled}`, async () =>
      expect(await read({ index: { is_distilled } })).toMatchObject({
        ...base,
        ...undistilled,
        referenceAttention: "full",
      }));

  for (const is_distilled of [true, undefined])
    it(`is a distilled model with isolated references for the KV pipeline where is_distilled is ${is_distilled}`, async () =>
      expect(await read({ index: { _class_name: "Flux2KleinKVPipeline", is_distilled } })).toMatchObject({
        ...base,
        ...distilled,
        referenceAttention: "isolated",
      }));

  for (const [description, name] of [
    ["/home/somebody/models/klein", "klein"],
    ["models/klein/", "klein"],
    ["C:\\models\\klein", "klein"],
    ["https://example.org/klein/?token=secret#part", "https://example.org/klein/"],
    ["the listed files", "the listed files"],
    ["/", "/"],
  ] as const)
    it(`is named ${name} when it comes from ${description}`, async () => {
      const memory = new MemorySource(files({}));
      const source: ModelSource = {
        description,
        exists: (path) => memory.exists(path),
        open: (path) => memory.open(path),
        list: () => memory.list(),
        close: () => memory.close(),
      };
      expect((await readModelConfig(source)).name).toBe(name);
    });
});

describe("kleinbild.json", () => {
  const full = {
    formatVersion: 1,
    name: "small",
    license: "Apache-2.0",
    textLength: 48,
    textLayers: [0, 1, 35],
    referenceAttention: "isolated",
    defaultSteps: 7,
    defaultSize: 128,
    defaultGuidance: 1,
  };

  it("says all that it has fields for", async () => {
    const { formatVersion: _, ...fields } = full;
    expect(await read({ own: full })).toMatchObject({ ...fields, distilled: true });
  });

  it("may be empty, or leave some fields out", async () => {
    expect(await read({ own: {} })).toEqual(await read({}));
    expect(await read({ own: { defaultSteps: 7 } })).toEqual({ ...(await read({})), defaultSteps: 7 });
  });

  it("overrules the pipeline's class, and a guidance of null the base model's", async () => {
    const index = { _class_name: "Flux2KleinKVPipeline", is_distilled: false };
    const config = await read({ index, own: { referenceAttention: "full", defaultGuidance: null } });
    expect(config).toMatchObject({ referenceAttention: "full", defaultGuidance: null, defaultSteps: 50 });
  });

  it("overrides the pipeline's distillation, and with it the defaults", async () => {
    const base = { distilled: false, defaultSteps: 50, defaultGuidance: 4 };
    expect(await read({ own: { distilled: false } })).toMatchObject(base);
    expect(await read({ index: { is_distilled: false }, own: { distilled: true } })).toEqual(await read({}));
  });

  for (const [field, value] of [
    ["formatVersion", 2],
    ["name", 1],
    ["distilled", "yes"],
    ["textLength", 0],
    ["textLength", 1.5],
    ["textLayers", []],
    ["textLayers.1", [9, -1, 27]],
    ["referenceAttention", "none"],
    ["defaultSteps", 0],
    ["defaultSize", 1000],
    ["defaultGuidance", 0.99],
  ] as const)
    it(`is refused with ${field} in ${JSON.stringify(value)}`, () =>
      expectRefusal({ own: { [field.replace(/\..*/, "")]: value } }, new RegExp(`^kleinbild\\.json: ${field}: `), {
        path: "kleinbild.json",
        field,
      }));
});

describe("rope_theta of the text encoder", () => {
  const theta = async (text: Json): Promise<number> =>
    (await read({ text: { rope_theta: undefined, ...text } })).text.ropeTheta;

  it("may be at the top level or inside rope_parameters", async () => {
    expect(await theta({ rope_theta: 500_000 })).toBe(500_000);
    expect(await theta({ rope_parameters: { rope_theta: 500_000, rope_type: "default" } })).toBe(500_000);
    expect(await theta({ rope_theta: 500_000, rope_parameters: null })).toBe(500_000);
    expect(await theta({ rope_theta: 500_000, rope_parameters: { rope_type: "default" } })).toBe(500_000);
  });

  it("defaults to the value of Qwen3", async () => {
    expect(await theta({})).toBe(1_000_000);
    expect(await theta({ rope_parameters: {} })).toBe(1_000_000);
  });

  for (const text of [
    { rope_theta: 0 },
    { rope_parameters: { rope_theta: -1 } },
    { rope_parameters: { rope_type: "yarn" } },
    { rope_scaling: { rope_type: "yarn" } },
  ])
    it(`is refused in ${JSON.stringify(text)}`, () =>
      expectRefusal({ text }, /^text_encoder\/config\.json: rope_/, { path: "text_encoder/config.json" }));
});

describe("a model is refused", () => {
  for (const guidance_embeds of [true, undefined])
    it(`with guidance_embeds ${guidance_embeds}, which means guidance embeddings`, () =>
      expectRefusal(
        { transformer: { guidance_embeds } },
        /^transformer\/config\.json: guidance_embeds: weights with guidance embeddings, .+ are not supported; false was expected, as in klein's config$/,
        { path: "transformer/config.json", field: "guidance_embeds" },
      ));

  for (const [part, field, value] of [
    ["transformer", "patch_size", 2],
    ["transformer", "attention_head_dim", 136],
    ["transformer", "attention_head_dim", 68],
    ["transformer", "axes_dims_rope", [64, 64]],
    ["transformer", "num_layers", "5"],
    ["transformer", "num_layers", 0],
    ["transformer", "num_attention_heads", 1.5],
    ["transformer", "eps", 0],
    ["vae", "act_fn", "relu"],
    ["vae", "in_channels", 4],
    ["vae", "block_out_channels", [128, 256, 512]],
    ["text_encoder", "attention_bias", true],
    ["text_encoder", "hidden_act", "gelu"],
    ["text_encoder", "use_sliding_window", true],
    ["text_encoder", "hidden_size", undefined],
    ["text_encoder", "head_dim", 256],
  ] as const)
    it(`with ${field} ${JSON.stringify(value)} in ${part}/config.json`, () =>
      expectRefusal(
        { [part === "text_encoder" ? "text" : part]: { [field]: value } },
        new RegExp(`^${part}/config\\.json: ${field}: `),
        { path: `${part}/config.json`, field },
      ));

  it("with an autoencoder of other patches than 2 x 2", () =>
    expectRefusal({ vae: { patch_size: [2, 1] } }, /^vae\/config\.json: patch_size\.1: /));

  for (const gone of [
    "model_index.json",
    "transformer/config.json",
    "vae/config.json",
    "text_encoder/config.json",
  ] as const) {
    it(`without ${gone}`, async () => {
      const { [gone]: _, ...rest } = files({});
      await expect(readModelConfig(new MemorySource(rest))).rejects.toMatchObject({
        code: "missing-file",
        details: { path: gone },
      });
    });

    it(`when ${gone} is not JSON, or no object`, async () => {
      for (const [text, message] of [
        ["{", `${gone} of memory is not valid JSON.`],
        ["1", `${gone} of memory must hold a JSON object.`],
        ["null", `${gone} of memory must hold a JSON object.`],
        ["[]", `${gone} of memory must hold a JSON object.`],
      ] as const)
        await expect(readModelConfig(new MemorySource({ ...files({}), [gone]: text }))).rejects.toMatchObject({
          code: "invalid-model",
          message,
          details: { path: gone },
        });
    });
  }

  it("when a config is too large to be one", async () => {
    const source = new MemorySource({ ...files({}), "vae/config.json": new Uint8Array(2 ** 26 + 1) });
    await expect(readModelConfig(source)).rejects.toMatchObject({
      code: "invalid-model",
      message: "vae/config.json has 67108865 bytes; a JSON file may have at most 67108864.",
    });
  });

  it("not when the signal is aborted: that rejects with its reason", async () => {
    const reason = new Error("enough");
    await expect(readModelConfig(new MemorySource(files({})), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("configs that do not match are refused:", () => {
  const expectMisfit = async (configs: Configs, what: string): Promise<void> => {
    const message = `The configs do not match: ${what}.`;
    await expect(read(configs)).rejects.toMatchObject({ code: "invalid-model", message });
  };

  it("rotary axes of more or fewer channels than a head", async () => {
    await expectMisfit(
      { transformer: { axes_dims_rope: [32, 32, 32, 34] } },
      "the rotary axes have 130 channels, a head has 128",
    );
    await expectMisfit(
      { transformer: { axes_dims_rope: [32, 32, 32, 30] } },
      "the rotary axes have 126 channels, a head has 128",
    );
  });

  it("a transformer of other channels than the autoencoder's patches, on either side", async () => {
    const message = (takes: number, gives: number, patches: number): string =>
      `the transformer has ${takes} input and ${gives} output channels; the autoencoder's patches have ${patches}`;
    await expectMisfit({ vae: { latent_channels: 16 } }, message(128, 128, 64));
    await expectMisfit({ transformer: { in_channels: 64 } }, message(64, 64, 128));
    await expectMisfit({ transformer: { out_channels: 64 } }, message(128, 64, 128));
    const fitting = await read({ vae: { latent_channels: 16 }, transformer: { in_channels: 64, out_channels: 64 } });
    expect(fitting.transformer).toMatchObject({ inChannels: 64, outChannels: 64 });
  });

  it("a hidden state after the last layer but one", async () => {
    expect((await read({ text: { num_hidden_layers: 28 } })).text.layers).toBe(28);
    await expectMisfit(
      { text: { num_hidden_layers: 27 } },
      "textLayers has the hidden state 27; with 27 layers, the last one is 26",
    );
  });

  it("prompt embeddings of another width than the transformer expects", async () => {
    await expectMisfit(
      { text: { hidden_size: 4096 } },
      "the transformer expects prompt embeddings of width 7680; 3 hidden states of 4096 give 12288",
    );
    await expectMisfit(
      { own: { textLayers: [9, 18] } },
      "the transformer expects prompt embeddings of width 7680; 2 hidden states of 2560 give 5120",
    );
  });

  it("heads that are no multiple of the key-value heads", async () => {
    await expectMisfit({ text: { num_key_value_heads: 5 } }, "5 key-value heads do not divide 32 heads");
    await expectMisfit({ text: { num_key_value_heads: 64 } }, "64 key-value heads do not divide 32 heads");
    expect((await read({ text: { num_key_value_heads: 1 } })).text.kvHeads).toBe(1);
  });

  it("groups that do not divide the encoder's or the decoder's channels", async () => {
    await expectMisfit(
      { vae: { block_out_channels: [128, 240, 512, 512], decoder_block_out_channels: [128, 256, 512, 512] } },
      "32 groups do not divide the autoencoder's channels 128, 240, 512, 512, 128, 256, 512, 512",
    );
    await expectMisfit(
      { vae: { decoder_block_out_channels: [16, 256, 512, 512] } },
      "32 groups do not divide the autoencoder's channels 128, 256, 512, 512, 16, 256, 512, 512",
    );
  });
});
