import type { ShapeSet } from "../options.ts";

export interface OperatorShapes {
  /** Columns of a linear layer, in and out. */
  readonly width: number;
  /** Tokens of the prompt, of the picture and of the kept references. */
  readonly text: number;
  readonly target: number;
  readonly kept: number;
  readonly heads: number;
  readonly headDim: number;
  /** Of a convolution and of a group norm over a map of `side` × `side`. */
  readonly channels: number;
  readonly side: number;
}

/** Those of klein 4B at 512 × 512 with two references, what of them a CPU does in the time, and next to nothing. */
export const OPERATOR_SHAPES: Readonly<Record<ShapeSet, OperatorShapes>> = {
  gpu: { width: 3072, text: 512, target: 1024, kept: 2048, heads: 24, headDim: 128, channels: 128, side: 256 },
  software: { width: 1024, text: 128, target: 384, kept: 512, heads: 3, headDim: 128, channels: 64, side: 48 },
  tiny: { width: 64, text: 8, target: 24, kept: 32, heads: 2, headDim: 32, channels: 32, side: 8 },
};
