import { CONFIG_FILES, MODEL_INDEX, OWN_CONFIG } from "./config-files.ts";
import type { ModelConfig } from "./model-config.ts";

/** The config files of a model as JSON values, by path. Reading them gives the same config. */
export function configJson(config: ModelConfig): Readonly<Record<string, object>> {
  const { transformer, vae, text } = config;
  return {
    [MODEL_INDEX]: {
      _class_name: config.referenceAttention === "isolated" ? "Flux2KleinKVPipeline" : "Flux2KleinPipeline",
      is_distilled: config.distilled,
    },
    [OWN_CONFIG]: {
      formatVersion: 1,
      name: config.name,
      license: config.license,
      distilled: config.distilled,
      textLength: config.textLength,
      textLayers: config.textLayers,
      referenceAttention: config.referenceAttention,
      defaultSteps: config.defaultSteps,
      defaultSize: config.defaultSize,
      defaultGuidance: config.defaultGuidance,
      teaCacheCoefficients: config.teaCacheCoefficients,
    },
    [CONFIG_FILES.transformer]: {
      _class_name: "Flux2Transformer2DModel",
      attention_head_dim: transformer.headDim,
      axes_dims_rope: transformer.ropeAxes,
      eps: transformer.eps,
      guidance_embeds: false,
      in_channels: transformer.inChannels,
      joint_attention_dim: transformer.textWidth,
      mlp_ratio: transformer.mlpHidden / transformer.hidden,
      num_attention_heads: transformer.heads,
      num_layers: transformer.doubleBlocks,
      num_single_layers: transformer.singleBlocks,
      out_channels: transformer.outChannels,
      patch_size: 1,
      rope_theta: transformer.ropeTheta,
      timestep_guidance_channels: transformer.timeChannels,
    },
    [CONFIG_FILES.vae]: {
      _class_name: "AutoencoderKLFlux2",
      batch_norm_eps: vae.batchNormEps,
      block_out_channels: vae.encoderChannels,
      decoder_block_out_channels: vae.decoderChannels,
      in_channels: vae.inChannels,
      latent_channels: vae.latentChannels,
      layers_per_block: vae.layersPerBlock,
      mid_block_add_attention: vae.midAttention,
      norm_num_groups: vae.groups,
      out_channels: vae.outChannels,
      use_post_quant_conv: vae.postQuantConv,
      use_quant_conv: vae.quantConv,
    },
    [CONFIG_FILES.textEncoder]: {
      architectures: ["Qwen3ForCausalLM"],
      head_dim: text.headDim,
      hidden_size: text.hidden,
      intermediate_size: text.intermediate,
      num_attention_heads: text.heads,
      num_hidden_layers: text.layers,
      num_key_value_heads: text.kvHeads,
      rms_norm_eps: text.eps,
      rope_theta: text.ropeTheta,
      vocab_size: text.vocab,
    },
  };
}
