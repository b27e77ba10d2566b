/** Shape of the transformer (Flux2Transformer2DModel). */
export interface TransformerConfig {
  /** Width of the token streams: heads · headDim. */
  readonly hidden: number;
  /** Attention heads. */
  readonly heads: number;
  /** Channels of a head. */
  readonly headDim: number;
  /** Channels of a head on each of the four rotary axes. */
  readonly ropeAxes: readonly number[];
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Channels of a latent token that goes in. */
  readonly inChannels: number;
  /** Channels of a velocity token that comes out. */
  readonly outChannels: number;
  /** Inner width of the feed-forward layers. */
  readonly mlpHidden: number;
  /** Blocks with separate weights for text and image tokens. */
  readonly doubleBlocks: number;
  /** Blocks with the same weights for all tokens. */
  readonly singleBlocks: number;
  /** Width of a prompt embedding. */
  readonly textWidth: number;
  /** Channels of the sinusoid of the noise level. */
  readonly timeChannels: number;
  /** Epsilon of the norms. */
  readonly eps: number;
}

/** Shape of the autoencoder (AutoencoderKLFlux2). */
export interface VaeConfig {
  /** Channels of a picture that is encoded. */
  readonly inChannels: number;
  /** Channels of a decoded picture. */
  readonly outChannels: number;
  /** Channels of a latent, before 2 × 2 latents become a token. */
  readonly latentChannels: number;
  /** Channels of the encoder's stages, from the largest map to the smallest. */
  readonly encoderChannels: readonly number[];
  /** Channels of the decoder's stages, from the largest map to the smallest. */
  readonly decoderChannels: readonly number[];
  /** Residual layers of an encoder stage. The decoder has one more. */
  readonly layersPerBlock: number;
  /** Groups of the group norms. */
  readonly groups: number;
  /** Whether the middle block has attention. */
  readonly midAttention: boolean;
  /** Epsilon of the norm of the latents. */
  readonly batchNormEps: number;
  /** Whether a 1 × 1 convolution follows the encoder. */
  readonly quantConv: boolean;
  /** Whether a 1 × 1 convolution precedes the decoder. */
  readonly postQuantConv: boolean;
}

/** Shape of the text encoder (Qwen3). */
export interface TextEncoderConfig {
  /** Layers that the files have. */
  readonly layers: number;
  /** Width of the hidden states. */
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads. */
  readonly kvHeads: number;
  /** Channels of a head. */
  readonly headDim: number;
  /** Inner width of the feed-forward layers. */
  readonly intermediate: number;
  /** Entries of the embedding table. */
  readonly vocab: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Epsilon of the norms. */
  readonly eps: number;
}

/** Shapes and defaults of a model: everything but its weights. */
export interface ModelConfig {
  /** Name for people, for example `klein-nano`. */
  readonly name: string;
  /** SPDX identifier or name of the licence. Undefined when the files do not name it. */
  readonly license: string | undefined;
  /** Whether the model was distilled for few steps without guidance. */
  readonly distilled: boolean;
  /** Tokens that a prompt is padded or cut to. */
  readonly textLength: number;
  /** Hidden states of the text encoder that form a prompt embedding; 0 is the embedding table's. */
  readonly textLayers: readonly number[];
  /** `isolated`: references attend to references only, modulated at sigma 0. `full`: all tokens attend to all. */
  readonly referenceAttention: "full" | "isolated";
  /** Denoising steps of a request that names none. */
  readonly defaultSteps: number;
  /** Width and height of a request that names none, in pixels. */
  readonly defaultSize: number;
  /** Guidance scale of a request that names none. Null: no guidance, one pass a step. */
  readonly defaultGuidance: number | null;
  /** The polynomial by which TeaCache estimates the change of the output, highest power first. Absent: no TeaCache. */
  readonly teaCacheCoefficients?: readonly number[] | undefined;
  /** Shape of the transformer. */
  readonly transformer: TransformerConfig;
  /** Shape of the autoencoder. */
  readonly vae: VaeConfig;
  /** Shape of the text encoder. */
  readonly text: TextEncoderConfig;
}

/** How the weights were trained. No shape shows it. */
export interface ModelVariant {
  /** Whether the model was distilled for few steps without guidance. */
  readonly distilled: boolean;
  /** Whether it was trained for isolated references. */
  readonly kv: boolean;
  /** The source of this, for people: a file, a file's name, or `default`. */
  readonly from: string;
}
