/** Names of a Qwen3 layer's modules in llama.cpp's GGUF files, by their names in transformers. */
const GGUF_LAYER: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  post_attention_layernorm: "ffn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "self_attn.o_proj": "attn_output",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** The name of a text encoder's tensor in a GGUF file. */
export function ggufTextName(name: string): string {
  const layer = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name);
  return layer ? `blk.${layer[1]}.${GGUF_LAYER[layer[2]!]}.weight` : "token_embd.weight";
}

const VAE_PROJECTION = /\.attentions\.0\.to_(?:q|k|v|out\.0)\.weight$/;

/** Whether a tensor of the autoencoder is a matrix of its attention. BFL stores these as 1×1 convolutions. */
export function isVaeProjection(name: string): boolean {
  return VAE_PROJECTION.test(name);
}

/** Replacements from diffusers' names to BFL's. Their order matters. */
const VAE_RENAMINGS: readonly (readonly [RegExp, string])[] = [
  [/^quant_conv/, "encoder.quant_conv"],
  [/^post_quant_conv/, "decoder.post_quant_conv"],
  [/conv_norm_out/, "norm_out"],
  [/mid_block\.resnets\.0/, "mid.block_1"],
  [/mid_block\.resnets\.1/, "mid.block_2"],
  [/mid_block\.attentions\.0/, "mid.attn_1"],
  [/group_norm/, "norm"],
  [/to_out\.0/, "proj_out"],
  [/\.to_(q|k|v)\./, ".$1."],
  [/down_blocks/, "down"],
  [/\.resnets\./, ".block."],
  [/downsamplers\.0/, "downsample"],
  [/upsamplers\.0/, "upsample"],
  [/conv_shortcut/, "nin_shortcut"],
];

/** BFL's name of an autoencoder's tensor. It counts the decoder's levels from the picture, diffusers from the latents. */
export function bflVaeName(name: string, levels: number): string {
  const renamed = VAE_RENAMINGS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name);
  return renamed.replace(/up_blocks\.(\d+)/, (_, block: string) => `up.${levels - 1 - Number(block)}`);
}
