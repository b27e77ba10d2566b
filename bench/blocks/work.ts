import { inventory } from "../../runtime/weights/inventory.ts";
import type { ModelConfig, TextEncoderConfig, TransformerConfig } from "../../runtime/weights/config/model-config.ts";

/**
 * Operations that arithmetic asks for, two to a multiply-add: every matrix and attention. What is elementwise (norms,
 * rotation, softmax) is left out; it is no thousandth of a block.
 */

/** Tokens of a step. References that are kept are keys only; others are a stream like the target. */
export interface StepTokens {
  readonly text: number;
  readonly target: number;
  readonly references: number;
  readonly kept: boolean;
}

/** Tokens of a request, and its steps. */
export interface RequestTokens extends Omit<StepTokens, "kept"> {
  readonly steps: number;
}

/**
 * One block, double or single: 2 · rows · (4 D² + 3 D · M) of its matrices (queries, keys, values, attention's output;
 * gate, up, down of width M) and 4 · D · rows · keys of attention (q kᵀ, and weights times v).
 */
export function blockWork({ hidden: d, mlpHidden: m }: TransformerConfig, rows: number, keys: number): number {
  return 2 * rows * (4 * d * d + 3 * d * m) + 4 * d * rows * keys;
}

/** All blocks over the streams, the embedding of latents and the final layer. Text is embedded once a request: not here. */
export function stepWork(config: TransformerConfig, { text, target, references, kept }: StepTokens): number {
  const latents = kept ? target : target + references;
  const blocks = config.doubleBlocks + config.singleBlocks;
  return (
    blocks * blockWork(config, text + latents, text + target + references) +
    embeddingWork(config, latents) +
    2 * target * config.hidden * config.outChannels
  );
}

/**
 * References that attend to references only. The last block has to give keys and values: 4 · rows · D². Counted `whole`,
 * as published figures do, it runs like the others.
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

/** How many times less work there is with kept references than with all of them computed in every step. */
export interface Savings {
  readonly step: number;
  /** All steps of a request that computes what is kept, and of one that finds it. */
  readonly firstRequest: number;
  readonly laterRequest: number;
}

/** Savings from the cost (work or time) of a step that computes references, one that has them, and of the references pass. */
export function savings(
  cost: { readonly computed: number; readonly kept: number; readonly pass: number },
  steps: number,
): Savings {
  const { computed, kept, pass } = cost;
  return {
    step: computed / kept,
    firstRequest: (steps * computed) / (steps * kept + pass),
    laterRequest: (steps * computed) / (steps * kept),
  };
}

/** What arithmetic allows: `savings` of the counted work. */
export function savingsBound(
  config: TransformerConfig,
  { steps, ...tokens }: RequestTokens,
  lastBlock: Parameters<typeof referencesPassWork>[2] = "keys and values",
): Savings {
  const cost = {
    computed: stepWork(config, { ...tokens, kept: false }),
    kept: stepWork(config, { ...tokens, kept: true }),
    pass: referencesPassWork(config, tokens.references, lastBlock),
  };
  return savings(cost, steps);
}

/** Modulation of every sigma of a run: the time embedding and the vectors of all blocks, 18 D² + D · channels each. */
export function modulationWork({ hidden: d, timeChannels }: TransformerConfig, sigmas: number): number {
  return 2 * sigmas * (timeChannels * d + 18 * d * d);
}

/** One layer of the text encoder; attention is counted whole although it is causal, as it is computed in tiles. */
export function textLayerWork(config: TextEncoderConfig, tokens: number): number {
  const { hidden, heads, kvHeads, headDim, intermediate } = config;
  const matrices = 2 * hidden * headDim * (heads + kvHeads) + 3 * hidden * intermediate;
  return 2 * tokens * matrices + 4 * heads * headDim * tokens ** 2;
}

/** The decoder of the autoencoder: its convolutions at the resolutions of their outputs, and the middle attention. */
export function decodeWork(config: ModelConfig, width: number, height: number): number {
  const latents = (width * height) / 64;
  const kernels = decoderKernels(config).reduce(
    (work, { name, values }) => work + 2 * latents * decoderScale(config, name) ** 2 * values,
    0,
  );
  const deepest = config.vae.decoderChannels.at(-1)!;
  return config.vae.midAttention ? kernels + 4 * deepest * latents ** 2 : kernels;
}

/** Weights of the decoder, without norms and biases. */
export function decoderValues(config: ModelConfig): number {
  return decoderKernels(config).reduce((sum, { values }) => sum + values, 0);
}

function decoderKernels(config: ModelConfig): readonly { readonly name: string; readonly values: number }[] {
  return inventory(config, "vae")
    .filter(({ name, role }) => /^(decoder|post_quant_conv)\b/.test(name) && role !== "vector")
    .map(({ name, shape }) => ({ name, values: shape.reduce((product, size) => product * size, 1) }));
}

/** Outputs of a convolution for each latent, along one side. */
function decoderScale({ vae }: ModelConfig, name: string): number {
  const level = /^decoder\.up_blocks\.(\d+)\.(upsamplers)?/.exec(name);
  if (level) return 2 ** (Number(level[1]) + (level[2] ? 1 : 0));
  return name.startsWith("decoder.conv_out") ? 2 ** (vae.decoderChannels.length - 1) : 1;
}

function embeddingWork({ hidden, inChannels }: TransformerConfig, tokens: number): number {
  return 2 * tokens * hidden * inChannels;
}
