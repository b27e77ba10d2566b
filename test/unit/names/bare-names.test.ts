import { describe, expect, it } from "vitest";
import { bareName, isUnread } from "../../../runtime/weights/names/bare-names.ts";

describe("bareName", () => {
  for (const [part, name, bare] of [
    ["transformer", "model.diffusion_model.double_blocks.4.img_attn.qkv.weight", "double_blocks.4.img_attn.qkv.weight"],
    ["transformer", "diffusion_model.img_in.weight", "img_in.weight"],
    ["transformer", "single_blocks.19.norm.query_norm.weight", "single_blocks.19.norm.query_norm.scale"],
    ["transformer", "transformer_blocks.0.attn.to_out.weight", "transformer_blocks.0.attn.to_out.0.weight"],
    ["transformer", "single_transformer_blocks.0.attn.to_out.weight", "single_transformer_blocks.0.attn.to_out.weight"],
    [
      "textEncoder",
      "text_encoders.qwen3_8b.transformer.model.layers.0.mlp.up_proj.weight",
      "model.layers.0.mlp.up_proj.weight",
    ],
    ["textEncoder", "transformer.embed_tokens.weight", "model.embed_tokens.weight"],
    ["textEncoder", "layers.12.self_attn.q_norm.weight", "model.layers.12.self_attn.q_norm.weight"],
    ["textEncoder", "blk.12.attn_q.weight", "blk.12.attn_q.weight"],
    ["vae", "first_stage_model.encoder.down.0.block.1.conv2.bias", "encoder.down.0.block.1.conv2.bias"],
    ["vae", "encoder.mid_block.attentions.0.to_out.bias", "encoder.mid_block.attentions.0.to_out.0.bias"],
    ["vae", "encoder.mid_block.attentions.0.to_out.0.bias", "encoder.mid_block.attentions.0.to_out.0.bias"],
  ] as const)
    it(`of ${name} is ${bare}`, () => expect(bareName(part, name)).toBe(bare));

  for (const [part, name] of [
    ["vae", "encoder.block.0.layer.0.SelfAttention.q.weight"], // T5
    ["vae", "decoder.layers.1.weight"], // a tiny autoencoder
    ["vae", "model.layers.0.mlp.up_proj.weight"],
    ["textEncoder", "text_model.encoder.layers.0.mlp.fc1.weight"], // CLIP
    ["textEncoder", "model.diffusion_model.img_in.weight"],
    ["textEncoder", "output_blocks.0.weight"],
    ["transformer", "model.layers.0.mlp.up_proj.weight"],
    ["transformer", "text_encoders.qwen3_4b.transformer.model.norm.weight"],
    ["transformer", "model.diffusion_model.input_blocks.0.0.weight"],
    ["transformer", "double_blocks.weight"],
    ["transformer", "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight"],
  ] as const)
    it(`is none for the ${part} of ${name}`, () => expect(bareName(part, name)).toBeUndefined());
});

describe("isUnread", () => {
  for (const [name, layers, expected] of [
    ["model.layers.26.mlp.up_proj.weight", 27, false],
    ["model.layers.27.mlp.up_proj.weight", 27, true],
    ["blk.26.ffn_up.weight", 27, false],
    ["blk.27.ffn_up.weight", 27, true],
    ["model.norm.weight", 27, true],
    ["lm_head.weight", 27, true],
    ["output.weight", 27, true],
    ["output_norm.weight", 27, true],
    ["model.embed_tokens.weight", 27, false],
    ["model.layers.0.odd", 27, false],
  ] as const)
    it(`is ${expected} for ${name} where ${layers} layers are read`, () =>
      expect(isUnread("textEncoder", name, layers)).toBe(expected));

  it("is the count of batches in the autoencoder, and nothing in the transformer", () => {
    expect(isUnread("vae", "bn.num_batches_tracked", 27)).toBe(true);
    expect(isUnread("vae", "bn.running_mean", 27)).toBe(false);
    expect(isUnread("transformer", "single_blocks.30.linear1.weight", 27)).toBe(false);
  });
});
