import { KleinbildError } from "../../errors.ts";
import type { ModelVariant, TextEncoderConfig, TransformerConfig, VaeConfig } from "./model-config.ts";
import type { BareTensors, StoredPart } from "../names/naming.ts";
import { ggufTextName } from "../names/renamings.ts";

/** Values that no shape shows. All klein models have the same ones. */
const ROPE_AXES = 4;
const ROPE_THETA = 2000;
const EPS = 1e-6;
const QWEN3_ROPE_THETA = 1_000_000;
const VAE_GROUPS = 32;
const BATCH_NORM_EPS = 1e-4;

/** Sizes of a part's tensors. */
class Shapes {
  readonly #tensors: BareTensors;
  readonly #where: string;

  constructor({ tensors, where }: StoredPart) {
    this.#tensors = tensors;
    this.#where = where;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws KleinbildError `invalid-model` when the tensor or the dimension is missing */
  size(name: string, dimension: number): number {
    const size = this.#tensors.get(name)?.shape[dimension];
    if (size !== undefined && size > 0) return size;
    throw new KleinbildError(
      "invalid-model",
      `${this.#where}: without a config.json, sizes come from the tensors, and ${name} ${this.has(name) ? `has no dimension ${dimension}` : "is missing"}. Add the config.json of the model.`,
      { tensor: name },
    );
  }

  /** The length of a list: one more than the highest index that `pattern` captures. */
  count(pattern: RegExp): number {
    let count = 0;
    for (const name of this.#tensors.keys()) {
      const index = pattern.exec(name)?.[1];
      if (index !== undefined) count = Math.max(count, Number(index) + 1);
    }
    return count;
  }
}

const DIFFUSERS_TRANSFORMER = {
  input: "x_embedder.weight",
  text: "context_embedder.weight",
  time: "time_guidance_embed.timestep_embedder.linear_1.weight",
  guidance: "time_guidance_embed.guidance_embedder.linear_1.weight",
  output: "proj_out.weight",
  headNorm: "single_transformer_blocks.0.attn.norm_q.weight",
  down: "transformer_blocks.0.ff.linear_out.weight",
  double: /^transformer_blocks\.(\d+)\./,
  single: /^single_transformer_blocks\.(\d+)\./,
};
const BFL_TRANSFORMER: typeof DIFFUSERS_TRANSFORMER = {
  input: "img_in.weight",
  text: "txt_in.weight",
  time: "time_in.in_layer.weight",
  guidance: "guidance_in.in_layer.weight",
  output: "final_layer.linear.weight",
  headNorm: "single_blocks.0.norm.query_norm.scale",
  down: "double_blocks.0.img_mlp.2.weight",
  double: /^double_blocks\.(\d+)\./,
  single: /^single_blocks\.(\d+)\./,
};

/** @throws KleinbildError `invalid-model` when tensors are missing, or the model is FLUX.2 [dev] */
export function transformerFromTensors(part: StoredPart): TransformerConfig {
  const shapes = new Shapes(part);
  const names = part.layout === "bfl" ? BFL_TRANSFORMER : DIFFUSERS_TRANSFORMER;
  if (shapes.has(names.guidance))
    throw new KleinbildError(
      "invalid-model",
      `${part.where}: ${names.guidance} is a guidance embedding of FLUX.2 [dev]; klein has none.`,
      { tensor: names.guidance },
    );
  const hidden = shapes.size(names.input, 0);
  const headDim = shapes.size(names.headNorm, 0);
  return {
    hidden,
    heads: Math.floor(hidden / headDim),
    headDim,
    ropeAxes: Array.from({ length: ROPE_AXES }, () => headDim / ROPE_AXES),
    ropeTheta: ROPE_THETA,
    inChannels: shapes.size(names.input, 1),
    outChannels: shapes.size(names.output, 0),
    mlpHidden: shapes.size(names.down, 1),
    doubleBlocks: shapes.count(names.double),
    singleBlocks: shapes.count(names.single),
    textWidth: shapes.size(names.text, 1),
    timeChannels: shapes.size(names.time, 1),
    eps: EPS,
  };
}

/**
 * @param metadata  of a GGUF file, which has values that no shape shows
 * @param deepest   the last hidden state that the model uses. A file may lack the layers after it.
 * @throws KleinbildError `invalid-model` when tensors are missing
 */
export function textFromTensors(
  part: StoredPart,
  metadata: ReadonlyMap<string, unknown>,
  deepest: number,
): TextEncoderConfig {
  const shapes = new Shapes(part);
  const stored = (name: string): string => (part.layout === "gguf" ? ggufTextName(name) : name);
  const size = (name: string, dimension: number): number => shapes.size(stored(name), dimension);
  const number = (key: string, otherwise: number): number => {
    const value = metadata.get(`qwen3.${key}`);
    return typeof value === "number" && value > 0 ? value : otherwise;
  };
  const headDim = size("model.layers.0.self_attn.q_norm.weight", 0);
  return {
    layers: Math.max(shapes.count(/^(?:model\.layers|blk)\.(\d+)\./), deepest + 1),
    hidden: size("model.embed_tokens.weight", 1),
    heads: Math.floor(size("model.layers.0.self_attn.q_proj.weight", 0) / headDim),
    kvHeads: Math.floor(size("model.layers.0.self_attn.k_proj.weight", 0) / headDim),
    headDim,
    intermediate: size("model.layers.0.mlp.gate_proj.weight", 0),
    vocab: size("model.embed_tokens.weight", 0),
    ropeTheta: number("rope.freq_base", QWEN3_ROPE_THETA),
    eps: number("attention.layer_norm_rms_epsilon", EPS),
  };
}

/** Channels come from biases, whose shape is the same in every layout. @throws KleinbildError `invalid-model` when tensors are missing */
export function vaeFromTensors(part: StoredPart): VaeConfig {
  const shapes = new Shapes(part);
  const bfl = part.layout === "bfl";
  const channels = (side: "encoder" | "decoder"): number[] => {
    const list = `${side}.${{ encoder: "down", decoder: "up" }[side]}${bfl ? "" : "_blocks"}`;
    const count = shapes.count(new RegExp(`^${list.replaceAll(".", "\\.")}\\.(\\d+)\\.`));
    const levels = Array.from({ length: count }, (_, i) =>
      shapes.size(`${list}.${i}.${bfl ? "block" : "resnets"}.0.conv1.bias`, 0),
    );
    return side === "decoder" && !bfl ? levels.toReversed() : levels; // diffusers counts from the latents
  };
  const attention = bfl ? "encoder.mid.attn_1.norm.bias" : "encoder.mid_block.attentions.0.group_norm.bias";
  return {
    inChannels: 3,
    outChannels: shapes.size("decoder.conv_out.bias", 0),
    latentChannels: shapes.size("encoder.conv_out.bias", 0) / 2,
    encoderChannels: channels("encoder"),
    decoderChannels: channels("decoder"),
    layersPerBlock: shapes.count(/^encoder\.down(?:_blocks)?\.0\.(?:block|resnets)\.(\d+)\./),
    groups: VAE_GROUPS,
    midAttention: shapes.has(attention),
    batchNormEps: BATCH_NORM_EPS,
    quantConv: shapes.has(bfl ? "encoder.quant_conv.bias" : "quant_conv.bias"),
    postQuantConv: shapes.has(bfl ? "decoder.post_quant_conv.bias" : "post_quant_conv.bias"),
  };
}

/** Whether a name contains a separate word, as in `flux-2-klein-base-4b`. */
const hasWord = (text: string, word: string): boolean =>
  new RegExp(`(?:^|[^a-z\\d])${word}(?:$|[^a-z\\d])`, "i").test(text);

/**
 * Infers from file names how weights were trained. `base` means undistilled, `kv` means trained for isolated references. Weights
 * without either word count as distilled, as most weights are.
 *
 * @param names  paths of the transformer's files, and the name in a GGUF file's metadata
 */
export function variantFromNames(names: readonly string[]): ModelVariant {
  for (const name of names) {
    if (hasWord(name, "kv")) return { distilled: true, kv: true, from: name };
    if (hasWord(name, "base")) return { distilled: false, kv: false, from: name };
  }
  return { distilled: true, kv: false, from: "default" };
}
