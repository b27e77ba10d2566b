import type { MemoryScope } from "../gpu/memory.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Kernel2d, KernelLayout, Matrix } from "./matrix.ts";

/** How the rows of `x` are normalised before a product. Statistics are in f32. */
export type Norm =
  /** LayerNorm(x) ⊙ scale + shift, both [columns] f32; `scale` holds 1 + the modulation's scale. */
  | { readonly kind: "layer"; readonly scale: Tensor; readonly shift: Tensor; readonly eps: number }
  /** x / rms(x) ⊙ weight, [columns] f32. */
  | { readonly kind: "rms"; readonly weight: Tensor; readonly eps: number };

export interface LinearCall {
  /** [rows, in] */
  readonly x: Tensor;
  /** Applied to the rows of `x` first; without it they are taken as they are. */
  readonly norm?: Norm | undefined;
  /** [out_i, in] */
  readonly weights: readonly Matrix[];
  /** [rows, out_i] */
  readonly outputs: readonly Tensor[];
}

export interface SwiGluCall {
  /** [rows, in] */
  readonly x: Tensor;
  readonly norm?: Norm | undefined;
  /** [hidden, in] */
  readonly gate: Matrix;
  /** [hidden, in] */
  readonly up: Matrix;
  /** Scales the input of `up`; 1 unless given. */
  readonly upScale?: number;
  /** [rows, hidden] */
  readonly output: Tensor;
}

/** One linear layer of a sum. */
export interface LinearTerm {
  /** [rows, in] */
  readonly x: Tensor;
  /** [out, in] */
  readonly weight: Matrix;
}

export interface ResidualLinearCall {
  readonly terms: readonly LinearTerm[];
  /** [out] f32; ones unless given. */
  readonly gate?: Tensor | undefined;
  /** 1 unless given. */
  readonly scale?: number;
  /** The residual stream, [rows, out] f32. */
  readonly hidden: Tensor;
}

/** Stride and padding of a convolution. */
export interface ConvolutionGeometry {
  readonly stride: 1 | 2;
  /** Columns of zeros at the left and at the right. The band in `x` holds its own rows of zeros. */
  readonly padLeft: number;
  readonly padRight: number;
}

export interface ConvolveCall extends ConvolutionGeometry {
  /** [1, rows, width, in] */
  readonly x: Tensor;
  /** [out, in, size, size] */
  readonly weight: Kernel2d;
  /** Adds the results to what `output` holds. */
  readonly accumulate?: boolean;
  /**
   * [1, (rows − size) / stride + 1, (width + padLeft + padRight − size) / stride + 1, out], or
   * [1, 2 · (rows − 2), 2 · width, out] of a weight that upsamples.
   */
  readonly output: Tensor;
}

/** What computes dense operators. `ort`: onnxruntime-web. `wgsl`: the kernels of this package. */
export type BackendName = "ort" | "wgsl";
export const BACKENDS: readonly BackendName[] = ["ort", "wgsl"];
/** A backend for all operators, or `auto`: for each kind of operator the fastest one on this adapter. */
export type BackendOption = "auto" | BackendName;
export const BACKEND_OPTIONS: readonly BackendOption[] = ["auto", ...BACKENDS];
export const DEFAULT_BACKEND: BackendOption = "auto";

/**
 * The interface to dense work: linear layers and convolutions. An operator records or submits on the device's queue, in order
 * with the recorder, and writes into tensors that the caller owns. No tensor or piece of a weight exceeds the binding limit.
 *
 * An operator takes its intermediate values from `scope` and returns them to it. `x` may be f32 or f16 and is used in the
 * backend's scalar type; an output has the scalar type of its tensor.
 *
 * Where a piece of a matrix W has a `lowRank`, every x · Wᵀ below is x · Wᵀ + (x · downᵀ) · upᵀ.
 * @throws KleinbildError `invalid-shape` when shapes do not fit.
 */
export interface DenseBackend {
  /** The order in which this backend reads the weights of convolutions. */
  readonly kernelLayout: KernelLayout;

  /** outputs[i] = norm(x) · weights[i]ᵀ + bias */
  linear(scope: MemoryScope, call: LinearCall): Promise<void>;

  /**
   * output = SiLU(n · gateᵀ) ⊙ (n · s · upᵀ) with n = norm(x) and s = `upScale`: the first half of a SwiGLU
   * feed-forward (Shazeer, 2020, arXiv:2002.05202).
   */
  swiglu(scope: MemoryScope, call: SwiGluCall): Promise<void>;

  /** hidden += scale · gate ⊙ Σ x_i · weight_iᵀ */
  residualLinear(scope: MemoryScope, call: ResidualLinearCall): Promise<void>;

  /**
   * A 1×1 or 3×3 convolution over one band of a feature map, channels last, unpadded in height. A weight that upsamples takes
   * a row and a column of padding on each side.
   */
  convolve(scope: MemoryScope, call: ConvolveCall): Promise<void>;

  /** Frees what the backend keeps between operators. It can still be used, and allocates again. */
  dispose(): Promise<void>;
}
