import type { BackendName, DenseBackend } from "../../runtime/backend/backend.ts";
import type { Matrix } from "../../runtime/backend/matrix.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { type ScalarType, tensorBytes } from "../../runtime/gpu/tensor.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";

/** What is asked for: tokens of text, pixels of a picture's side, and of a side of what is decoded. */
export interface Size {
  readonly text: number;
  readonly side: number;
  readonly decodedSide: number;
}

/** Something that a model has once or several times. */
interface Component {
  readonly name: string;
  readonly count: number;
  readonly inStep: boolean;
  /** Bytes that the weights of one take on the GPU. */
  readonly weightBytes: number;
  /** Operations of one. */
  readonly work: (size: Size) => number;
  /** What it is timed with, in words. */
  readonly unit: (size: Size) => string;
}

/** Seeded weights of a part of a model, ready to run on both backends. */
export interface ModelPart {
  readonly components: readonly Component[];
  /** Seconds of one of each of the components. */
  run(backend: BackendName, size: Size): Promise<readonly number[]>;
  dispose(): void;
}

export interface PartOptions {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly backends: Readonly<Record<BackendName, DenseBackend>>;
}

/** Tokens of a square picture. */
export const targetTokens = (side: number): number => (side / PIXELS_PER_TOKEN) ** 2;

/** Bytes of matrices on the GPU. */
export function matrixBytes(matrices: readonly Matrix[]): number {
  const tensors = matrices.flatMap(({ pieces }) => pieces.flatMap(({ values, scales }) => [values, scales]));
  return tensors.reduce((sum, tensor) => sum + (tensor ? tensorBytes(tensor.dtype, tensor.shape) : 0), 0);
}
