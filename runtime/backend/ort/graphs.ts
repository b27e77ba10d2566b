import type { ScalarType } from "../../gpu/tensor.ts";
import type { ConvolutionGeometry, Norm } from "../backend.ts";
import type { WeightFormat } from "../matrix.ts";
import type { OnnxGraph, OnnxNode, OnnxType, OnnxValue } from "./onnx.ts";

/** Shape of a product in a graph. Its values are inputs of each run. */
export interface ProductShape {
  readonly out: number;
  readonly in: number;
  readonly format: WeightFormat;
  readonly bias: boolean;
  /** Rank of the low-rank change; 0 without one. */
  readonly rank: number;
}

export interface NormShape {
  readonly kind: Norm["kind"] | "none";
  readonly eps: number;
}

const BLOCK_SIZE = 32;

const onnxFloat = (type: ScalarType): OnnxType => (type === "f16" ? "float16" : "float32");

/** Collects the nodes and inputs of one graph; intermediate names are made unique by their prefix. */
class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly inputs: OnnxValue[] = [];
  readonly scalar: ScalarType;

  constructor(scalar: ScalarType) {
    this.scalar = scalar;
  }

  input(name: string, type: OnnxType, shape: readonly (number | string)[]): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  node(op: string, inputs: readonly string[], output: string, extra: Partial<OnnxNode> = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], ...extra });
    return output;
  }

  /** `value` cast from `from` to `to`; no node if they are equal. */
  cast(value: string, from: ScalarType, to: ScalarType, output = `${value}_${to}`): string {
    if (from === to) return value;
    return this.node("Cast", [value], output, { attributes: { to: to === "f16" ? 10 : 1 } });
  }

  /** norm(x) in the scalar type. */
  normalised(x: string, xType: ScalarType, norm: NormShape, columns: number): string {
    if (norm.kind === "none") return this.cast(x, xType, this.scalar);
    const wide = this.cast(x, xType, "f32");
    if (norm.kind === "layer") {
      this.input("norm_scale", "float32", [columns]);
      this.input("norm_shift", "float32", [columns]);
      this.node("LayerNormalization", [wide, "norm_scale", "norm_shift"], "normed", {
        attributes: { axis: 1 },
        floats: { epsilon: norm.eps },
      });
    } else {
      this.input("norm_weight", "float32", [columns]);
      // a contributed operator that onnxruntime registers in the default domain
      this.node("SimplifiedLayerNormalization", [wide, "norm_weight"], "normed", {
        attributes: { axis: 1 },
        floats: { epsilon: norm.eps },
      });
    }
    return this.cast("normed", "f32", this.scalar);
  }

  /** x · weightᵀ (+ bias, + (x · downᵀ) · upᵀ) in the scalar type; the weight's inputs are named after `prefix`. */
  product(x: string, shape: ProductShape, prefix: string, output: string): string {
    const { rank } = shape;
    if (rank === 0) return this.#stored(x, shape, prefix, output);
    const float = onnxFloat(this.scalar);
    const stored = this.#stored(x, shape, prefix, `${output}_stored`);
    const down = this.input(`${prefix}_down`, float, [rank, shape.in]);
    const up = this.input(`${prefix}_up`, float, [shape.out, rank]);
    const low = this.node("Gemm", [x, down], `${output}_low`, { attributes: { transB: 1 } });
    return this.node("Gemm", [low, up, stored], output, { attributes: { transB: 1 } });
  }

  /** The product with the stored weight. */
  #stored(x: string, shape: ProductShape, prefix: string, output: string): string {
    const float = onnxFloat(this.scalar);
    if (shape.format === "q4" || shape.format === "q8") {
      const bits = shape.format === "q4" ? 4 : 8;
      const blocks = shape.in / BLOCK_SIZE;
      this.input(`${prefix}_values`, "uint8", [shape.out, blocks, (BLOCK_SIZE * bits) / 8]);
      this.input(`${prefix}_scales`, float, [shape.out * blocks]);
      return this.node("MatMulNBits", [x, `${prefix}_values`, `${prefix}_scales`], output, {
        domain: "com.microsoft",
        attributes: { K: shape.in, N: shape.out, bits, block_size: BLOCK_SIZE },
      });
    }
    const weight = this.input(`${prefix}_values`, onnxFloat(shape.format), [shape.out, shape.in]);
    const inputs = [x, this.cast(weight, shape.format, this.scalar)];
    if (shape.bias) inputs.push(this.input(`${prefix}_bias`, float, [shape.out]));
    return this.node("Gemm", inputs, output, { attributes: { transB: 1 } });
  }

  graph(outputs: readonly OnnxValue[], constants: OnnxGraph["constants"] = []): OnnxGraph {
    return { nodes: this.nodes, inputs: this.inputs, outputs, constants };
  }
}

/** y0, y1, … = norm(x) · weightᵀ. */
export function linearGraph(
  scalar: ScalarType,
  x: ScalarType,
  norm: NormShape,
  products: readonly ProductShape[],
  outputs: readonly ScalarType[],
): OnnxGraph {
  const builder = new GraphBuilder(scalar);
  const columns = products[0]!.in;
  builder.input("x", onnxFloat(x), ["rows", columns]);
  const normed = builder.normalised("x", x, norm, columns);
  const values = products.map((product, i): OnnxValue => {
    const type = outputs[i]!;
    const name = `y${i}`;
    const raw = builder.product(normed, product, `w${i}`, type === scalar ? name : `${name}_raw`);
    builder.cast(raw, scalar, type, name);
    return { name, type: onnxFloat(type), shape: ["rows", product.out] };
  });
  return builder.graph(values);
}

/** y0 = SiLU(n · gateᵀ) ⊙ (upScale · n · upᵀ), n = norm(x). `gate` is w0, `up` is w1; their shapes are equal. */
export function swigluGraph(
  scalar: ScalarType,
  x: ScalarType,
  norm: NormShape,
  [gateShape, upShape]: readonly [gate: ProductShape, up: ProductShape],
  upScale: number,
): OnnxGraph {
  const builder = new GraphBuilder(scalar);
  builder.input("x", onnxFloat(x), ["rows", gateShape.in]);
  const normed = builder.normalised("x", x, norm, gateShape.in);
  const gate = builder.product(normed, gateShape, "w0", "gate");
  const scaled = upScale === 1 ? normed : builder.node("Mul", [normed, "up_scale"], "scaled");
  const up = builder.product(scaled, upShape, "w1", "up");
  // QuickGelu with alpha 1 is SiLU in one kernel
  builder.node("QuickGelu", [gate], "activated", { domain: "com.microsoft", floats: { alpha: 1 } });
  builder.node("Mul", ["activated", up], "y0");
  const constants =
    upScale === 1
      ? []
      : [{ name: "up_scale", type: scalar === "f16" ? "float16" : "float32", value: upScale } as const];
  return builder.graph([{ name: "y0", type: onnxFloat(scalar), shape: ["rows", gateShape.out] }], constants);
}

/** y0 = Σ x_i · w_iᵀ. */
export function residualLinearGraph(
  scalar: ScalarType,
  xs: readonly ScalarType[],
  products: readonly ProductShape[],
  output: ScalarType,
): OnnxGraph {
  const builder = new GraphBuilder(scalar);
  let sum = "";
  products.forEach((product, i) => {
    builder.input(`x${i}`, onnxFloat(xs[i]!), ["rows", product.in]);
    const x = builder.cast(`x${i}`, xs[i]!, scalar);
    const last = i === products.length - 1;
    const final = scalar === output ? "y0" : "y0_raw";
    const term = builder.product(x, product, `w${i}`, i === 0 && last ? final : `term${i}`);
    sum = i === 0 ? term : builder.node("Add", [sum, term], last ? final : `sum${i}`);
  });
  builder.cast(sum, scalar, output, "y0");
  return builder.graph([{ name: "y0", type: onnxFloat(output), shape: ["rows", products[0]!.out] }]);
}

/** y0 = convolution of x, both channels last; onnxruntime folds the transpositions into its own channels-last kernel. */
export function convolveGraph(
  scalar: ScalarType,
  shape: { readonly out: number; readonly in: number; readonly size: number },
  { stride, padLeft, padRight }: ConvolutionGeometry,
): OnnxGraph {
  const builder = new GraphBuilder(scalar);
  const float = onnxFloat(scalar);
  builder.input("x", float, [1, "rows", "width", shape.in]);
  builder.input("w0_values", float, [shape.out, shape.in, shape.size, shape.size]);
  builder.input("w0_bias", float, [shape.out]);
  builder.node("Transpose", ["x"], "x_planes", { attributes: { perm: [0, 3, 1, 2] } });
  builder.node("Conv", ["x_planes", "w0_values", "w0_bias"], "y_planes", {
    attributes: {
      kernel_shape: [shape.size, shape.size],
      strides: [stride, stride],
      pads: [0, padLeft, 0, padRight],
    },
  });
  builder.node("Transpose", ["y_planes"], "y0", { attributes: { perm: [0, 2, 3, 1] } });
  return builder.graph([{ name: "y0", type: float, shape: [1, "out_rows", "out_width", shape.out] }]);
}
