import type { MemoryScope } from "../gpu/memory.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Kernel2d, KernelLayout, Matrix } from "./matrix.ts";

/** What happens to the rows of `x` before a product. Statistics are in f32. */
export type Norm =
  | { readonly kind: "none" }
  /** LayerNorm(x) ⊙ scale + shift, both [columns] f32; `scale` holds 1 + the modulation's scale. */
  | { readonly kind: "layer"; readonly scale: Tensor; readonly shift: Tensor; readonly eps: number }
  /** x / rms(x) ⊙ weight, [columns] f32. */
  | { readonly kind: "rms"; readonly weight: Tensor; readonly eps: number };

export interface ProductTerm {
  /** [rows, in] */
  readonly x: Tensor;
  /** [out, in] */
  readonly weight: Matrix;
}

/** How a branch is added to the residual stream. */
export interface Residual {
  /** [columns] f32; ones where it is absent. */
  readonly gate?: Tensor | undefined;
  readonly scale: number;
}

export interface ConvolutionOptions {
  readonly stride: 1 | 2;
  /** Columns of zeros at the left and at the right; rows are padded by whoever gathers the band. */
  readonly padLeft: number;
  readonly padRight: number;
  /** Adds the results to what `output` holds. */
  readonly accumulate?: boolean;
}

export const BACKENDS = ["ort", "wgsl"] as const;
export type BackendName = (typeof BACKENDS)[number];
/** What may be asked for: one of them, or for each kind of operator the one that is fastest here. */
export const BACKEND_OPTIONS = ["auto", ...BACKENDS] as const;
export type BackendOption = (typeof BACKEND_OPTIONS)[number];
export const DEFAULT_BACKEND: BackendOption = "auto";

/**
 * The seam of dense work. An operator records or submits on the device's queue, in order with the recorder, and writes
 * into tensors that the caller owns; no tensor or weight piece is above the binding limit.
 *
 * Intermediate values are taken from `scope` and given back to it. `x` may be f32 or f16 and is used in the backend's
 * scalar type; an output has the scalar type of its tensor.
 *
 * Where a piece of a matrix W has a `lowRank`, every x · Wᵀ below is x · Wᵀ + (x · downᵀ) · upᵀ.
 * @throws KleinbildError `invalid-shape` when shapes do not fit.
 */
export interface DenseBackend {
  /** How it reads the weights of convolutions. */
  readonly kernelLayout: KernelLayout;

  /**
   * outputs[i] = norm(x) · weights[i]ᵀ + bias.
   * @param x        [rows, in]
   * @param weights  [out_i, in]
   * @param outputs  [rows, out_i]
   */
  linear(
    scope: MemoryScope,
    x: Tensor,
    norm: Norm,
    weights: readonly Matrix[],
    outputs: readonly Tensor[],
  ): Promise<void>;

  /**
   * output = SiLU(n · gateᵀ) ⊙ (n · s · upᵀ) with n = norm(x) and s = `upScale`: the first half of a SwiGLU
   * feed-forward.
   * @param x       [rows, in]
   * @param gate    [hidden, in]
   * @param up      [hidden, in]
   * @param output  [rows, hidden]
   */
  swiglu(
    scope: MemoryScope,
    x: Tensor,
    norm: Norm,
    gate: Matrix,
    up: Matrix,
    upScale: number,
    output: Tensor,
  ): Promise<void>;

  /**
   * hidden += scale · gate ⊙ Σ x_i · weight_iᵀ
   * @param hidden  [rows, out] f32
   */
  residualLinear(scope: MemoryScope, terms: readonly ProductTerm[], residual: Residual, hidden: Tensor): Promise<void>;

  /**
   * A 1×1 or 3×3 convolution over one band of a feature map, channels last, unpadded in height; one that upsamples takes a
   * row and a column of padding on each side.
   * @param x       [1, rows, width, in]
   * @param weight  [out, in, size, size]
   * @param output  [1, (rows − size) / stride + 1, (width + padLeft + padRight − size) / stride + 1, out], or
   *                [1, 2 · (rows − 2), 2 · width, out] of a weight that upsamples
   */
  convolve(scope: MemoryScope, x: Tensor, weight: Kernel2d, options: ConvolutionOptions, output: Tensor): Promise<void>;

  /** Frees what it keeps from one operator to the next; it takes it anew when it is needed. */
  dispose(): Promise<void>;
}
