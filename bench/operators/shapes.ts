import type { ShapeSet } from "../options.ts";

export interface OperatorShapes {
  /** Input and output columns of a linear layer. */
  readonly width: number;
  /** Tokens of the prompt, the picture and the cached references. */
  readonly text: number;
  readonly target: number;
  readonly cached: number;
  readonly heads: number;
  readonly headDim: number;
  /** Channels and side of the map of a convolution and a group norm. */
  readonly channels: number;
  readonly side: number;
}

/** `gpu` has the shapes of klein 4B at 512 × 512 with two references. */
export const OPERATOR_SHAPES: Readonly<Record<ShapeSet, OperatorShapes>> = {
  gpu: { width: 3072, text: 512, target: 1024, cached: 2048, heads: 24, headDim: 128, channels: 128, side: 256 },
  software: { width: 1024, text: 128, target: 384, cached: 512, heads: 3, headDim: 128, channels: 64, side: 48 },
  tiny: { width: 64, text: 8, target: 24, cached: 32, heads: 2, headDim: 32, channels: 32, side: 8 },
};
