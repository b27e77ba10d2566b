import type { BackendName, DenseBackend } from "../../runtime/backend/backend.ts";
import type { Matrix } from "../../runtime/backend/matrix.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { type ScalarType, tensorBytes } from "../../runtime/gpu/tensor.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";

/** Text tokens, side of the picture in pixels, and side of the picture that is decoded. */
export interface Size {
  readonly text: number;
  readonly side: number;
  readonly decodedSide: number;
}

/** A component that a model has once or several times. */
interface Component {
  readonly name: string;
  readonly count: number;
  readonly inStep: boolean;
  /** Bytes of one component's weights on the GPU. */
  readonly weightBytes: number;
  /** Operations of one component. */
  readonly work: (size: Size) => number;
  /** The size of its input, in words. */
  readonly unit: (size: Size) => string;
}

/** A part of a model with seeded weights, ready to run on both backends. */
export interface ModelPart {
  readonly components: readonly Component[];
  /** Runs each component once, and gives its seconds. */
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
