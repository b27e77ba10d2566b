import { inventory } from "../../runtime/weights/inventory.ts";
import type { ModelConfig, TextEncoderConfig, TransformerConfig } from "../../runtime/weights/config/model-config.ts";

/*
 * Counts the necessary operations of matrices and attention. A multiply-add counts as two. Elementwise work (norms, rotation,
 * softmax) is left out, because it is less than a thousandth of a block.
 */

/** Tokens of a step. Cached references are only keys and values; others pass through the blocks like the target. */
export interface StepTokens {
  readonly text: number;
  readonly target: number;
  readonly references: number;
  readonly cached: boolean;
}

/** Tokens of a request, and its steps. */
export interface RequestTokens extends Omit<StepTokens, "cached"> {
  readonly steps: number;
}

/**
 * One double or single block: 2 · rows · (4 D² + 3 D · M) for its matrices (queries, keys, values, attention's output; gate,
 * up, down of width M), and 4 · D · rows · keys for attention (q kᵀ, and weights times v).
 */
export function blockWork({ hidden: d, mlpHidden: m }: TransformerConfig, rows: number, keys: number): number {
  return 2 * rows * (4 * d * d + 3 * d * m) + 4 * d * rows * keys;
}

/** A step: all blocks, the embedding of latents and the final layer. Text is embedded once per request and not counted. */
export function stepWork(config: TransformerConfig, { text, target, references, cached }: StepTokens): number {
  const latents = cached ? target : target + references;
  const blocks = config.doubleBlocks + config.singleBlocks;
  return (
    blocks * blockWork(config, text + latents, text + target + references) +
    embeddingWork(config, latents) +
    2 * target * config.hidden * config.outChannels
  );
}

/**
 * A pass of references that attend only to references. The last block computes only keys and values: 4 · rows · D². Published
 * figures count it as a `whole` block.
 */
export function referencesPassWork(
  config: TransformerConfig,
  references: number,
  lastBlock: "keys and values" | "whole",
): number {
  const block = blockWork(config, references, references);
  const last = lastBlock === "whole" ? block : 4 * references * config.hidden ** 2;
  const others = config.doubleBlocks + config.singleBlocks - 1;
  return embeddingWork(config, references) + others * block + last;
}

/** Cost with references computed in every step, divided by cost with cached references. */
export interface Savings {
  readonly step: number;
  /** All steps of a request that fills the cache. */
  readonly firstRequest: number;
  /** All steps of a request that finds the references in the cache. */
  readonly laterRequest: number;
}

/** Savings from the cost (work or time) of a step that computes references, a step with cached ones, and a references pass. */
export function savings(
  cost: { readonly computed: number; readonly cached: number; readonly pass: number },
  steps: number,
): Savings {
  const { computed, cached, pass } = cost;
  return {
    step: computed / cached,
    firstRequest: (steps * computed) / (steps * cached + pass),
    laterRequest: (steps * computed) / (steps * cached),
  };
}

/** The theoretical bound of savings: `savings` of the counted work. */
export function savingsBound(
  config: TransformerConfig,
  { steps, ...tokens }: RequestTokens,
  lastBlock: Parameters<typeof referencesPassWork>[2] = "keys and values",
): Savings {
  const cost = {
    computed: stepWork(config, { ...tokens, cached: false }),
    cached: stepWork(config, { ...tokens, cached: true }),
    pass: referencesPassWork(config, tokens.references, lastBlock),
  };
  return savings(cost, steps);
}

/** Modulation of each sigma of a run: the time embedding and the vectors of all blocks, 18 D² + D · channels each. */
export function modulationWork({ hidden: d, timeChannels }: TransformerConfig, sigmas: number): number {
  return 2 * sigmas * (timeChannels * d + 18 * d * d);
}

/** One layer of the text encoder. Causal attention counts as full attention, because it is computed in tiles. */
export function textLayerWork(config: TextEncoderConfig, tokens: number): number {
  const { hidden, heads, kvHeads, headDim, intermediate } = config;
  const matrices = 2 * hidden * headDim * (heads + kvHeads) + 3 * hidden * intermediate;
  return 2 * tokens * matrices + 4 * heads * headDim * tokens ** 2;
}

/** The decoder of the autoencoder: convolutions at the resolution of their output, and the attention in the middle. */
export function decodeWork(config: ModelConfig, width: number, height: number): number {
  const latents = (width * height) / 64;
  const kernels = decoderKernels(config).reduce(
    (work, { name, values }) => work + 2 * latents * decoderScale(config, name) ** 2 * values,
    0,
  );
  const deepest = config.vae.decoderChannels.at(-1)!;
  return config.vae.midAttention ? kernels + 4 * deepest * latents ** 2 : kernels;
}

/** Number of the decoder's weights, without norms and biases. */
export function decoderValues(config: ModelConfig): number {
  return decoderKernels(config).reduce((sum, { values }) => sum + values, 0);
}

function decoderKernels(config: ModelConfig): readonly { readonly name: string; readonly values: number }[] {
  return inventory(config, "vae")
    .filter(({ name, role }) => /^(decoder|post_quant_conv)\b/.test(name) && role !== "vector")
    .map(({ name, shape }) => ({ name, values: shape.reduce((product, size) => product * size, 1) }));
}

/** Output positions of a convolution per latent, along one side. */
function decoderScale({ vae }: ModelConfig, name: string): number {
  const level = /^decoder\.up_blocks\.(\d+)\.(upsamplers)?/.exec(name);
  if (level) return 2 ** (Number(level[1]) + (level[2] ? 1 : 0));
  return name.startsWith("decoder.conv_out") ? 2 ** (vae.decoderChannels.length - 1) : 1;
}

function embeddingWork({ hidden, inChannels }: TransformerConfig, tokens: number): number {
  return 2 * tokens * hidden * inChannels;
}
