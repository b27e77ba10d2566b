import * as v from "valibot";
import { KleinbildError } from "../../errors.ts";
import type { TextEncoderConfig, TransformerConfig, VaeConfig } from "./model-config.ts";
import { readJson } from "../sources/read-json.ts";
import type { ModelSource } from "../sources/model-source.ts";

export const MODEL_INDEX = "model_index.json";
export const OWN_CONFIG = "kleinbild.json";
/** Paths of the configs of the parts. */
export const CONFIG_FILES = {
  textEncoder: "text_encoder/config.json",
  transformer: "transformer/config.json",
  vae: "vae/config.json",
} as const;

const MAX_HEAD_DIM = 128;

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const positive = v.pipe(v.number(), v.gtValue(0));
const sizes = v.pipe(v.array(size), v.minLength(1));
const flag = v.boolean();

const GUIDANCE_EMBEDS =
  "weights with guidance embeddings, such as FLUX.2 [dev], are not supported; false was expected, as in klein's config";

const KV_PIPELINE = "Flux2KleinKVPipeline";
const ModelIndex = v.object({ _class_name: v.string(), is_distilled: v.optional(flag) });

const OwnConfig = v.object({
  formatVersion: v.optional(v.literal(1), 1),
  name: v.optional(v.string()),
  license: v.optional(v.string()),
  distilled: v.optional(flag),
  textLength: v.optional(size, 512),
  textLayers: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1)), [9, 18, 27]),
  referenceAttention: v.optional(v.picklist(["full", "isolated"])),
  defaultSteps: v.optional(size),
  defaultSize: v.optional(v.pipe(size, v.multipleOf(16)), 1024),
  defaultGuidance: v.optional(v.nullable(v.pipe(v.number(), v.minValue(1)))),
  teaCacheCoefficients: v.optional(v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1))),
});

const Transformer = v.object({
  attention_head_dim: v.optional(v.pipe(size, v.multipleOf(8), v.maxValue(MAX_HEAD_DIM)), 128),
  axes_dims_rope: v.optional(v.pipe(v.array(v.pipe(size, v.multipleOf(2))), v.length(4)), [32, 32, 32, 32]),
  eps: v.optional(positive, 1e-6),
  guidance_embeds: v.pipe(v.optional(flag, true), v.literal(false, GUIDANCE_EMBEDS)), // diffusers' default is true
  in_channels: v.optional(size, 128),
  joint_attention_dim: v.optional(size, 15_360),
  mlp_ratio: v.optional(positive, 3),
  num_attention_heads: v.optional(size, 48),
  num_layers: v.optional(size, 8),
  num_single_layers: v.optional(size, 48),
  out_channels: v.nullish(size),
  patch_size: v.optional(v.literal(1), 1),
  rope_theta: v.optional(positive, 2000),
  timestep_guidance_channels: v.optional(v.pipe(size, v.multipleOf(2)), 256),
});

const Vae = v.object({
  act_fn: v.optional(v.literal("silu"), "silu"),
  batch_norm_eps: v.optional(positive, 1e-4),
  block_out_channels: v.optional(v.pipe(sizes, v.length(4)), [128, 256, 512, 512]),
  decoder_block_out_channels: v.nullish(v.pipe(sizes, v.length(4))),
  in_channels: v.optional(v.literal(3), 3),
  out_channels: v.optional(v.literal(3), 3),
  latent_channels: v.optional(size, 32),
  layers_per_block: v.optional(size, 2),
  mid_block_add_attention: v.optional(flag, true),
  norm_num_groups: v.optional(size, 32),
  patch_size: v.optional(v.tuple([v.literal(2), v.literal(2)]), [2, 2]),
  use_quant_conv: v.optional(flag, true),
  use_post_quant_conv: v.optional(flag, true),
});

const TextEncoder = v.object({
  attention_bias: v.optional(v.literal(false), false),
  hidden_act: v.optional(v.literal("silu"), "silu"),
  hidden_size: size,
  intermediate_size: size,
  num_attention_heads: size,
  num_key_value_heads: v.nullish(size),
  head_dim: v.optional(v.pipe(size, v.multipleOf(8), v.maxValue(MAX_HEAD_DIM)), 128),
  num_hidden_layers: size,
  vocab_size: size,
  rms_norm_eps: v.optional(positive, 1e-6),
  rope_theta: v.optional(positive),
  rope_parameters: v.nullish(
    v.object({ rope_theta: v.optional(positive), rope_type: v.optional(v.literal("default")) }),
  ),
  rope_scaling: v.optional(v.null()),
  use_sliding_window: v.optional(v.literal(false), false),
});
const QWEN3_ROPE_THETA = 1_000_000;

/** The content of `kleinbild.json`. */
export type OwnConfig = v.InferOutput<typeof OwnConfig>;

/** Reads `kleinbild.json`; its defaults if it does not exist. @throws KleinbildError `invalid-model` */
export async function readOwnConfig(source: ModelSource, signal?: AbortSignal): Promise<OwnConfig> {
  const isThere = await source.exists(OWN_CONFIG, signal);
  return isThere ? parse(source, OWN_CONFIG, OwnConfig, signal) : v.parse(OwnConfig, {});
}

/** How weights were trained, according to the class of their pipeline. */
export interface PipelineKind {
  readonly distilled: boolean;
  /** References attend only to each other. */
  readonly kv: boolean;
}

/** Throws `missing-file` or `invalid-model`, as the other functions here do. */
export async function readPipelineKind(source: ModelSource, signal?: AbortSignal): Promise<PipelineKind> {
  const index = await parse(source, MODEL_INDEX, ModelIndex, signal);
  const kv = index._class_name === KV_PIPELINE;
  return { distilled: index.is_distilled ?? kv, kv }; // the KV pipeline does not write the field, and is distilled
}

export async function readTransformerConfig(source: ModelSource, signal?: AbortSignal): Promise<TransformerConfig> {
  return transformerConfig(await parse(source, CONFIG_FILES.transformer, Transformer, signal));
}

export async function readVaeConfig(source: ModelSource, signal?: AbortSignal): Promise<VaeConfig> {
  return vaeConfig(await parse(source, CONFIG_FILES.vae, Vae, signal));
}

export async function readTextConfig(source: ModelSource, signal?: AbortSignal): Promise<TextEncoderConfig> {
  return textConfig(await parse(source, CONFIG_FILES.textEncoder, TextEncoder, signal));
}

async function parse<S extends v.GenericSchema>(
  source: ModelSource,
  path: string,
  schema: S,
  signal?: AbortSignal,
): Promise<v.InferOutput<S>> {
  const result = v.safeParse(schema, await readJson(source, path, signal));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the whole file";
  throw new KleinbildError("invalid-model", `${path}: ${where}: ${issue.message}`, { path, field: where });
}

function transformerConfig(raw: v.InferOutput<typeof Transformer>): TransformerConfig {
  const hidden = raw.num_attention_heads * raw.attention_head_dim;
  return {
    hidden,
    heads: raw.num_attention_heads,
    headDim: raw.attention_head_dim,
    ropeAxes: raw.axes_dims_rope,
    ropeTheta: raw.rope_theta,
    inChannels: raw.in_channels,
    outChannels: raw.out_channels ?? raw.in_channels,
    mlpHidden: Math.trunc(hidden * raw.mlp_ratio),
    doubleBlocks: raw.num_layers,
    singleBlocks: raw.num_single_layers,
    textWidth: raw.joint_attention_dim,
    timeChannels: raw.timestep_guidance_channels,
    eps: raw.eps,
  };
}

function vaeConfig(raw: v.InferOutput<typeof Vae>): VaeConfig {
  return {
    inChannels: raw.in_channels,
    outChannels: raw.out_channels,
    latentChannels: raw.latent_channels,
    encoderChannels: raw.block_out_channels,
    decoderChannels: raw.decoder_block_out_channels ?? raw.block_out_channels,
    layersPerBlock: raw.layers_per_block,
    groups: raw.norm_num_groups,
    midAttention: raw.mid_block_add_attention,
    batchNormEps: raw.batch_norm_eps,
    quantConv: raw.use_quant_conv,
    postQuantConv: raw.use_post_quant_conv,
  };
}

function textConfig(raw: v.InferOutput<typeof TextEncoder>): TextEncoderConfig {
  return {
    layers: raw.num_hidden_layers,
    hidden: raw.hidden_size,
    heads: raw.num_attention_heads,
    kvHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headDim: raw.head_dim,
    intermediate: raw.intermediate_size,
    vocab: raw.vocab_size,
    ropeTheta: raw.rope_theta ?? raw.rope_parameters?.rope_theta ?? QWEN3_ROPE_THETA,
    eps: raw.rms_norm_eps,
  };
}
