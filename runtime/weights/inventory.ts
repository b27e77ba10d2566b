import type { ModelConfig, TextEncoderConfig, TransformerConfig, VaeConfig } from "./config/model-config.ts";

/** A part of a model that has weights. */
export type WeightPart = "textEncoder" | "transformer" | "vae";
/** All parts that have weights. */
export const WEIGHT_PARTS: readonly WeightPart[] = ["textEncoder", "transformer", "vae"];

/**
 * The role of a tensor decides how it may be stored:
 * - `block`: a matrix of a block, which may be quantized.
 * - `unquantized`: a matrix that would lose too much by quantization (embedders, modulation, final layer).
 * - `table`: the token embedding, which stays in the file and is read by rows.
 * - `vector`: the weight of a norm, or a bias.
 * - `kernel`: the weight of a convolution.
 */
export type TensorRole = "block" | "unquantized" | "table" | "vector" | "kernel";

/** A tensor of a part, under its name in diffusers or transformers. */
export interface InventoryTensor {
  readonly name: string;
  /** Row-major, output rows first. */
  readonly shape: readonly number[];
  readonly role: TensorRole;
}

/** Every tensor that a part of this model needs, in the order in which it is loaded. */
export function inventory(config: ModelConfig, part: WeightPart): readonly InventoryTensor[] {
  switch (part) {
    case "textEncoder":
      return textInventory(config.text, Math.max(...config.textLayers));
    case "transformer":
      return transformerInventory(config.transformer);
    case "vae":
      return vaeInventory(config.vae);
    default:
      return part satisfies never;
  }
}

const tensor = (role: TensorRole, name: string, ...shape: number[]): InventoryTensor => ({ name, shape, role });

/** The embedding and the first `layers` layers of a Qwen3 decoder. */
function textInventory(config: TextEncoderConfig, layers: number): InventoryTensor[] {
  const { hidden, heads, kvHeads, headDim, intermediate, vocab } = config;
  const tensors = [tensor("table", "model.embed_tokens.weight", vocab, hidden)];
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`;
    const attention = `${layer}.self_attn`;
    tensors.push(
      tensor("block", `${layer}.mlp.gate_proj.weight`, intermediate, hidden),
      tensor("block", `${layer}.mlp.up_proj.weight`, intermediate, hidden),
      tensor("vector", `${layer}.input_layernorm.weight`, hidden),
      tensor("vector", `${layer}.post_attention_layernorm.weight`, hidden),
      tensor("block", `${attention}.q_proj.weight`, heads * headDim, hidden),
      tensor("block", `${attention}.k_proj.weight`, kvHeads * headDim, hidden),
      tensor("block", `${attention}.v_proj.weight`, kvHeads * headDim, hidden),
      tensor("vector", `${attention}.q_norm.weight`, headDim),
      tensor("vector", `${attention}.k_norm.weight`, headDim),
      tensor("block", `${attention}.o_proj.weight`, hidden, heads * headDim),
      tensor("block", `${layer}.mlp.down_proj.weight`, hidden, intermediate),
    );
  }
  return tensors;
}

/** Names in the two streams of a double block. */
const PICTURE_STREAM = { qkv: ["to_q", "to_k", "to_v"], out: "to_out.0", norm: "norm_", ff: "ff" };
const TEXT_STREAM = {
  qkv: ["add_q_proj", "add_k_proj", "add_v_proj"],
  out: "to_add_out",
  norm: "norm_added_",
  ff: "ff_context",
};

function transformerInventory(config: TransformerConfig): InventoryTensor[] {
  const { hidden: d, mlpHidden: mlp, headDim } = config;
  const time = "time_guidance_embed.timestep_embedder";
  const tensors = [
    tensor("unquantized", "x_embedder.weight", d, config.inChannels),
    tensor("unquantized", "context_embedder.weight", d, config.textWidth),
    tensor("unquantized", `${time}.linear_1.weight`, d, config.timeChannels),
    tensor("unquantized", `${time}.linear_2.weight`, d, d),
    tensor("unquantized", "double_stream_modulation_img.linear.weight", 6 * d, d),
    tensor("unquantized", "double_stream_modulation_txt.linear.weight", 6 * d, d),
    tensor("unquantized", "single_stream_modulation.linear.weight", 3 * d, d),
    tensor("unquantized", "norm_out.linear.weight", 2 * d, d),
  ];
  for (let i = 0; i < config.doubleBlocks; i++)
    for (const { qkv, out, norm, ff } of [PICTURE_STREAM, TEXT_STREAM]) {
      const block = `transformer_blocks.${i}`;
      const attention = `${block}.attn`;
      tensors.push(
        tensor("block", `${block}.${ff}.linear_in.weight`, 2 * mlp, d),
        ...qkv.map((name) => tensor("block", `${attention}.${name}.weight`, d, d)),
        tensor("vector", `${attention}.${norm}q.weight`, headDim),
        tensor("vector", `${attention}.${norm}k.weight`, headDim),
        tensor("block", `${attention}.${out}.weight`, d, d),
        tensor("block", `${block}.${ff}.linear_out.weight`, d, mlp),
      );
    }
  for (let i = 0; i < config.singleBlocks; i++) {
    const attention = `single_transformer_blocks.${i}.attn`;
    tensors.push(
      tensor("block", `${attention}.to_qkv_mlp_proj.weight`, 3 * d + 2 * mlp, d),
      tensor("block", `${attention}.to_out.weight`, d, d + mlp),
      tensor("vector", `${attention}.norm_q.weight`, headDim),
      tensor("vector", `${attention}.norm_k.weight`, headDim),
    );
  }
  tensors.push(tensor("unquantized", "proj_out.weight", config.outChannels, d));
  return tensors;
}

function vaeInventory(config: VaeConfig): InventoryTensor[] {
  const tensors: InventoryTensor[] = [];
  const norm = (name: string, channels: number): void =>
    void tensors.push(tensor("vector", `${name}.weight`, channels), tensor("vector", `${name}.bias`, channels));
  const conv = (name: string, out: number, inputs: number, size: number): void =>
    void tensors.push(
      tensor("kernel", `${name}.weight`, out, inputs, size, size),
      tensor("vector", `${name}.bias`, out),
    );
  const linear = (name: string, channels: number): void =>
    void tensors.push(
      tensor("unquantized", `${name}.weight`, channels, channels),
      tensor("vector", `${name}.bias`, channels),
    );
  const resnet = (name: string, from: number, to: number): void => {
    norm(`${name}.norm1`, from);
    conv(`${name}.conv1`, to, from, 3);
    norm(`${name}.norm2`, to);
    conv(`${name}.conv2`, to, to, 3);
    if (from !== to) conv(`${name}.conv_shortcut`, to, from, 1);
  };
  const middle = (name: string, channels: number): void => {
    resnet(`${name}.resnets.0`, channels, channels);
    if (config.midAttention) {
      norm(`${name}.attentions.0.group_norm`, channels);
      for (const layer of ["to_q", "to_k", "to_v", "to_out.0"]) linear(`${name}.attentions.0.${layer}`, channels);
    }
    resnet(`${name}.resnets.1`, channels, channels);
  };
  const levels = (side: "down" | "up", channels: readonly number[], layers: number): void => {
    for (const [i, out] of channels.entries()) {
      const block = side === "down" ? `encoder.down_blocks.${i}` : `decoder.up_blocks.${i}`;
      for (let j = 0; j < layers; j++)
        resnet(`${block}.resnets.${j}`, j === 0 ? channels[Math.max(0, i - 1)]! : out, out);
      if (i < channels.length - 1) conv(`${block}.${side}samplers.0.conv`, out, out, 3);
    }
  };
  const moments = 2 * config.latentChannels;
  const encoder = config.encoderChannels;
  const deepest = encoder.at(-1)!;
  conv("encoder.conv_in", encoder[0]!, config.inChannels, 3);
  levels("down", encoder, config.layersPerBlock);
  middle("encoder.mid_block", deepest);
  norm("encoder.conv_norm_out", deepest);
  conv("encoder.conv_out", moments, deepest, 3);
  if (config.quantConv) conv("quant_conv", moments, moments, 1);

  const decoder = config.decoderChannels.toReversed();
  conv("decoder.conv_in", decoder[0]!, config.latentChannels, 3);
  middle("decoder.mid_block", decoder[0]!);
  levels("up", decoder, config.layersPerBlock + 1);
  norm("decoder.conv_norm_out", decoder.at(-1)!);
  conv("decoder.conv_out", config.outChannels, decoder.at(-1)!, 3);
  if (config.postQuantConv) conv("post_quant_conv", config.latentChannels, config.latentChannels, 1);
  for (const name of ["bn.running_mean", "bn.running_var"])
    tensors.push(tensor("vector", name, 4 * config.latentChannels));
  return tensors;
}
