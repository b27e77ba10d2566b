export interface TransformerConfig {
  /** D = heads · headDim */
  readonly hidden: number;
  readonly heads: number;
  readonly headDim: number;
  /** Channels of a head on each of the four rotary axes. */
  readonly ropeAxes: readonly number[];
  readonly ropeTheta: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly mlpHidden: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  readonly textWidth: number;
  readonly timeChannels: number;
  readonly eps: number;
}

export interface VaeConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  readonly encoderChannels: readonly number[];
  readonly decoderChannels: readonly number[];
  readonly layersPerBlock: number;
  readonly groups: number;
  readonly midAttention: boolean;
  readonly batchNormEps: number;
  readonly quantConv: boolean;
  readonly postQuantConv: boolean;
}

export interface TextEncoderConfig {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediate: number;
  readonly vocab: number;
  readonly ropeTheta: number;
  readonly eps: number;
}

/** Everything about a model but its weights; see golden/README for `kleinbild.json`. */
export interface ModelConfig {
  readonly name: string;
  readonly license: string | undefined;
  readonly distilled: boolean;
  /** Tokens that a prompt is padded or cut to. */
  readonly textLength: number;
  /** Hidden states stacked; 0 is the embedding. */
  readonly textLayers: readonly number[];
  /** `isolated`: references attend to references only, modulated at sigma 0. */
  readonly referenceAttention: "full" | "isolated";
  readonly defaultSteps: number;
  /** Pixels of each side. */
  readonly defaultSize: number;
  /** Null: one pass a step. */
  readonly defaultGuidance: number | null;
  /** What TeaCache estimates the change of the output with: a polynomial, highest power first; fitted by tools/fit-teacache. */
  readonly teaCacheCoefficients?: readonly number[] | undefined;
  readonly transformer: TransformerConfig;
  readonly vae: VaeConfig;
  readonly text: TextEncoderConfig;
}

/** How the weights were trained, which no shape tells. */
export interface ModelVariant {
  readonly distilled: boolean;
  /** Trained for isolated references. */
  readonly kv: boolean;
  /** Where this is known from, for people: a file, a file's name, or `default`. */
  readonly from: string;
}
