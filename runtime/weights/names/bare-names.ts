import type { WeightPart } from "../inventory.ts";

/** Prefixes that files put before the names of a part's tensors. */
const PREFIXES: Readonly<Record<WeightPart, RegExp>> = {
  textEncoder: /^(?:(?:text_encoders?|cond_stage_model)\.)?(?:qwen3_\w+\.)?(?:transformer\.)?/,
  transformer: /^(?:model\.diffusion_model\.|diffusion_model\.|transformer\.|model\.)?/,
  vae: /^(?:first_stage_model\.|vae\.|autoencoder\.)?/,
};

/** Replacements of unusual spellings, some of them by mflux. Text encoders may lack the prefix `model.`. */
const SPELLINGS: Readonly<Record<WeightPart, readonly (readonly [RegExp, string])[]>> = {
  textEncoder: [[/^(layers|embed_tokens|norm)\./, "model.$1."]],
  transformer: [
    [/\.(query|key)_norm\.weight$/, ".$1_norm.scale"],
    [/^time_guidance_embed\.linear_/, "time_guidance_embed.timestep_embedder.linear_"],
    [/^(transformer_blocks\.\d+\.attn\.to_out)\.weight$/, "$1.0.weight"],
  ],
  vae: [[/(\.attentions\.0\.to_out)\.(weight|bias)$/, "$1.0.$2"]],
};

/** The modules of each part in all layouts. */
const MODULES: Readonly<Record<WeightPart, RegExp>> = {
  textEncoder:
    /^(?:model\.(?:embed_tokens|norm|layers\.\d+)|lm_head|token_embd|blk\.\d+|output|output_norm|rope_freqs)\./,
  transformer:
    /^(?:(?:double_blocks|single_blocks|transformer_blocks|single_transformer_blocks)\.\d+|img_in|txt_in|time_in|guidance_in|vector_in|final_layer|x_embedder|context_embedder|time_guidance_embed|(?:double|single)_stream_modulation(?:_img|_txt)?|norm_out|proj_out)\./,
  vae: /^(?:encoder\.(?:conv_in|down|down_blocks|mid|mid_block|norm_out|conv_norm_out|conv_out|quant_conv)|decoder\.(?:post_quant_conv|conv_in|mid|mid_block|up|up_blocks|norm_out|conv_norm_out|conv_out)|quant_conv|post_quant_conv|bn)\./,
};

/** Tensors of each part that klein does not need: the head of the language model, a count of batches. */
const UNREAD: Readonly<Record<WeightPart, RegExp | undefined>> = {
  textEncoder: /^(?:model\.norm|lm_head|output|output_norm|rope_freqs)\.weight$/,
  transformer: undefined,
  vae: /^bn\.num_batches_tracked$/,
};

const LAYER = /^(?:model\.layers|blk)\.(\d+)\./;

/** The name without prefix in its usual spelling; undefined if it does not belong to the part. */
export function bareName(part: WeightPart, name: string): string | undefined {
  const rest = name.replace(PREFIXES[part], "");
  const bare = SPELLINGS[part].reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), rest);
  return MODULES[part].test(bare) ? bare : undefined;
}

/** Whether klein does not need this tensor of a part. It uses only the first `layers` layers of the text encoder. */
export function isUnread(part: WeightPart, bare: string, layers: number): boolean {
  if (UNREAD[part]?.test(bare)) return true;
  const layer = part === "textEncoder" ? LAYER.exec(bare)?.[1] : undefined;
  return layer !== undefined && Number(layer) >= layers;
}
