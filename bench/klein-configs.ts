import type { ModelConfig } from "../runtime/weights/config/model-config.ts";

/** Config of the real model, as published. */
export const KLEIN_4B: ModelConfig = {
  name: "klein-4b",
  license: undefined,
  distilled: true,
  textLength: 512,
  textLayers: [9, 18, 27],
  referenceAttention: "full",
  defaultSteps: 4,
  defaultSize: 1024,
  defaultGuidance: null,
  transformer: {
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
  },
  vae: {
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
  },
  text: {
    layers: 36,
    hidden: 2560,
    heads: 32,
    kvHeads: 8,
    headDim: 128,
    intermediate: 9728,
    vocab: 151_936,
    ropeTheta: 1_000_000,
    eps: 1e-6,
  },
};

export const KLEIN_9B: ModelConfig = {
  ...KLEIN_4B,
  name: "klein-9b",
  transformer: {
    ...KLEIN_4B.transformer,
    hidden: 4096,
    heads: 32,
    mlpHidden: 12_288,
    doubleBlocks: 8,
    singleBlocks: 24,
    textWidth: 12_288,
  },
  text: { ...KLEIN_4B.text, hidden: 4096, intermediate: 12_288 },
};

/** klein 4B with the small decoder of the autoencoder. */
export const KLEIN_4B_SMALL_DECODER: ModelConfig = {
  ...KLEIN_4B,
  vae: { ...KLEIN_4B.vae, decoderChannels: [96, 192, 384, 384] },
};
