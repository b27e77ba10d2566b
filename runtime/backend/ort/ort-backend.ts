import { gatedAdd, placeColumns } from "../../../kernels/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { MemoryScope } from "../../gpu/memory.ts";
import { elementGrid } from "../../gpu/workgroups.ts";
import { accumulateTensor } from "../../gpu/chunked-matrix.ts";
import { scalarOf, type ScalarType, type Tensor } from "../../gpu/tensor.ts";
import type {
  ConvolveCall,
  DenseBackend,
  LinearCall,
  LinearTerm,
  Norm,
  ResidualLinearCall,
  SwiGluCall,
} from "../backend.ts";
import { expectAligned, expectColumns, expectOutput, type Matrix, type MatrixPiece } from "../matrix.ts";
import {
  convolveGraph,
  swigluGraph,
  type NormShape,
  type ProductShape,
  linearGraph,
  residualLinearGraph,
} from "./graphs.ts";
import type { OnnxGraph } from "./onnx.ts";
import { NullSessions } from "./null-sessions.ts";
import { type Operand, OrtSessions } from "./sessions.ts";

type Operands = Record<string, Operand>;

/**
 * Dense work on onnxruntime-web's WebGPU execution provider, on the engine's own device.
 *
 * Accumulation is in the scalar type (MatMulNBits and Gemm accumulate in their output's type).
 */
export class OrtBackend implements DenseBackend {
  readonly kernelLayout = "oihw";
  readonly #gpu: Gpu;
  readonly #scalar: ScalarType;
  readonly #sessions: Pick<OrtSessions, "run" | "dispose">;

  private constructor(gpu: Gpu, scalar: ScalarType, sessions: Pick<OrtSessions, "run" | "dispose">) {
    this.#gpu = gpu;
    this.#scalar = scalar;
    this.#sessions = sessions;
  }

  /**
   * @param wasmUrl  URL of onnxruntime's wasm file. Default: the bundler resolves it.
   * @throws KleinbildError `unsupported` when onnxruntime-web cannot be loaded
   */
  static async create(gpu: Gpu, scalar: ScalarType, wasmUrl?: string): Promise<OrtBackend> {
    return new OrtBackend(gpu, scalar, await OrtSessions.create(gpu.device, wasmUrl));
  }

  /** @param gpu  on the null device. onnxruntime is not loaded; its memory is counted. */
  static onNullDevice(gpu: Gpu, scalar: ScalarType): OrtBackend {
    return new OrtBackend(gpu, scalar, new NullSessions(gpu));
  }

  async linear(scope: MemoryScope, { x, norm, weights, outputs }: LinearCall): Promise<void> {
    const rows = weights.map((weight) => expectColumns(weight.name, x, weight.in))[0]!;
    weights.forEach((weight, i) => expectOutput(weight.name, outputs[i]!, rows, weight.out));
    if (weights.every((weight) => weight.pieces.length === 1))
      return this.#project(
        x,
        norm,
        weights,
        weights.map((weight) => weight.pieces[0]!),
        outputs,
      );
    for (const [i, weight] of weights.entries())
      await this.#inPieces(scope, weight, outputs[i]!, (piece, output) =>
        this.#project(x, norm, [weight], [piece], [output]),
      );
  }

  async swiglu(scope: MemoryScope, { x, norm, gate, up, upScale = 1, output }: SwiGluCall): Promise<void> {
    const rows = expectColumns(gate.name, x, gate.in);
    expectOutput(gate.name, output, rows, gate.out);
    expectAligned(gate, up);
    await this.#inPieces(scope, gate, output, async (piece, target, index) => {
      const upPiece = up.pieces[index]!;
      const products = [productShape(gate, piece), productShape(up, upPiece)] as const;
      const key = `gated ${x.dtype} ${normKey(norm)} ${products.map(productKey).join()} ${upScale}`;
      const inputs = { x: { tensor: x }, ...normOperands(norm), ...pieceOperands("w0", piece) };
      const build = (): OnnxGraph => swigluGraph(this.#scalar, scalarOf(x), normShape(norm), products, upScale);
      await this.#run(key, build, { ...inputs, ...pieceOperands("w1", upPiece) }, { y0: { tensor: target } });
    });
  }

  async residualLinear(scope: MemoryScope, call: ResidualLinearCall): Promise<void> {
    const branch = scope.tensor("branch", this.#scalar, call.hidden.shape);
    await this.#sumProducts(scope, call.terms, branch);
    this.#addBranch(branch, call);
    scope.release(branch);
  }

  async convolve(scope: MemoryScope, call: ConvolveCall): Promise<void> {
    const { x, weight, stride, padLeft, padRight, accumulate = false, output } = call;
    const geometry = { stride, padLeft, padRight };
    const results = accumulate ? scope.tensor("convolved", this.#scalar, output.shape) : output;
    const key = `convolve ${weight.out} ${weight.in} ${weight.size} ${JSON.stringify(geometry)}`;
    const inputs = { x: { tensor: x }, w0_values: { tensor: weight.weight }, w0_bias: { tensor: weight.bias } };
    await this.#run(key, () => convolveGraph(this.#scalar, weight, geometry), inputs, { y0: { tensor: results } });
    if (results === output) return;
    accumulateTensor(this.#gpu.recorder, { target: output, a: 1, x: results, b: 1 });
    scope.release(results);
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  /** Computes all products in one run, for weights of one piece each. */
  async #project(
    x: Tensor,
    norm: Norm | undefined,
    weights: readonly Matrix[],
    pieces: readonly MatrixPiece[],
    outputs: readonly Tensor[],
  ): Promise<void> {
    const products = weights.map((weight, i) => productShape(weight, pieces[i]!));
    const types = outputs.map(scalarOf);
    const key = `project ${x.dtype} ${normKey(norm)} ${products.map(productKey).join()} ${types.join()}`;
    const inputs: Operands = { x: { tensor: x }, ...normOperands(norm) };
    pieces.forEach((piece, i) => Object.assign(inputs, pieceOperands(`w${i}`, piece)));
    const targets = Object.fromEntries(outputs.map((tensor, i) => [`y${i}`, { tensor }]));
    await this.#run(
      key,
      () => linearGraph(this.#scalar, scalarOf(x), normShape(norm), products, types),
      inputs,
      targets,
    );
  }

  async #sumProducts(scope: MemoryScope, terms: readonly LinearTerm[], output: Tensor): Promise<void> {
    const first = terms[0]!.weight;
    for (const { x, weight } of terms) {
      expectOutput(weight.name, output, expectColumns(weight.name, x, weight.in), weight.out);
      expectAligned(first, weight);
    }
    await this.#inPieces(scope, first, output, async (_, target, index) => {
      const products = terms.map(({ weight }) => productShape(weight, weight.pieces[index]!));
      const types = terms.map(({ x }) => scalarOf(x));
      const key = `sum ${types.join()} ${products.map(productKey).join()} ${target.dtype}`;
      const inputs: Operands = {};
      terms.forEach(({ x, weight }, i) => {
        inputs[`x${i}`] = { tensor: x };
        Object.assign(inputs, pieceOperands(`w${i}`, weight.pieces[index]!));
      });
      const build = (): OnnxGraph => residualLinearGraph(this.#scalar, types, products, scalarOf(target));
      await this.#run(key, build, inputs, { y0: { tensor: target } });
    });
  }

  #addBranch(branch: Tensor, { gate, scale = 1, hidden }: ResidualLinearCall): void {
    const [rows, columns] = hidden.shape as readonly [number, number];
    this.#gpu.recorder.dispatch(gatedAdd, {
      bindings: { y: branch, gate: gate ?? branch, x: hidden },
      parameters: { rows, columns, scale },
      overrides: { GATED: gate ? 1 : 0 },
      scalar: this.#scalar,
      grid: elementGrid(gatedAdd, rows * columns),
    });
  }

  /** Runs `product` for each piece of a weight. The columns of several pieces are computed separately, then copied. */
  async #inPieces(
    scope: MemoryScope,
    weight: Matrix,
    output: Tensor,
    product: (piece: MatrixPiece, output: Tensor, index: number) => Promise<void>,
  ): Promise<void> {
    if (weight.pieces.length === 1) return product(weight.pieces[0]!, output, 0);
    const rows = output.shape[0]!;
    for (const [index, piece] of weight.pieces.entries()) {
      const columns = scope.tensor(`${weight.name} columns`, output.dtype, [rows, piece.rows]);
      await product(piece, columns, index);
      this.#gpu.recorder.dispatch(placeColumns, {
        bindings: { x: columns, out: output },
        parameters: { rows, columns: piece.rows, out_columns: weight.out, column_start: piece.firstRow },
        scalar: scalarOf(output),
        grid: elementGrid(placeColumns, rows * piece.rows),
      });
      scope.release(columns);
    }
  }

  async #run(key: string, build: () => OnnxGraph, inputs: Operands, outputs: Operands): Promise<void> {
    this.#gpu.recorder.flush();
    await this.#sessions.run(key, build, inputs, outputs);
  }
}

function productShape(weight: Matrix, piece: MatrixPiece): ProductShape {
  const { rows, bias, lowRank } = piece;
  return { out: rows, in: weight.in, format: weight.format, bias: bias !== undefined, rank: lowRank?.rank ?? 0 };
}

const productKey = ({ out, in: columns, format, bias, rank }: ProductShape): string =>
  `${out}x${columns}${format}${bias ? "b" : ""}${rank > 0 ? `r${rank}` : ""}`;

const normShape = (norm: Norm | undefined): NormShape => norm ?? { kind: "none", eps: 0 };

const normKey = (norm: Norm | undefined): string => (norm ? `${norm.kind}:${norm.eps}` : "none");

function normOperands(norm: Norm | undefined): Operands {
  switch (norm?.kind) {
    case undefined:
      return {};
    case "layer":
      return { norm_scale: { tensor: norm.scale }, norm_shift: { tensor: norm.shift } };
    case "rms":
      return { norm_weight: { tensor: norm.weight } };
    default:
      return norm satisfies never;
  }
}

function pieceOperands(prefix: string, piece: MatrixPiece): Operands {
  const operands: Operands = { [`${prefix}_values`]: { tensor: piece.values } };
  if (piece.scales) operands[`${prefix}_scales`] = { tensor: piece.scales };
  if (piece.bias) operands[`${prefix}_bias`] = { tensor: piece.bias };
  if (piece.lowRank) {
    operands[`${prefix}_down`] = { tensor: piece.lowRank.down };
    operands[`${prefix}_up`] = { tensor: piece.lowRank.up };
  }
  return operands;
}
