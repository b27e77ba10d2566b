import { convolve, linear, linearQ4, linearQ8, normalize } from "../../../kernels/index.ts";
import { KleinbildError } from "../../errors.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { MemoryScope } from "../../gpu/memory.ts";
import { scalarOf, type ScalarType, type Tensor } from "../../gpu/tensor.ts";
import { foldGrid, reductionLanes } from "../../gpu/workgroups.ts";
import type { ConvolveCall, DenseBackend, LinearCall, Norm, ResidualLinearCall, SwiGluCall } from "../backend.ts";
import {
  expectAligned,
  expectColumns,
  expectOutput,
  type Matrix,
  type MatrixPiece,
  type WeightFormat,
} from "../matrix.ts";
import { type Operator, everyOperator, operatorOf } from "../operators.ts";
import { type Tile, tileRanges } from "./matmul-grid.ts";
import { defaultTile, type TileName, tileOf } from "./tiles.ts";

const QUAD = 4;
const NORM_KINDS = { none: 0, layer: 1, rms: 2 } as const;
/** How a result is stored: `EPILOGUE` of the linear kernels. */
const EPILOGUES = { store: 0, gated: 1, add: 2, addGated: 3 } as const;
const KERNELS = { f32: linear, f16: linear, q8: linearQ8, q4: linearQ4 } as const satisfies Record<
  WeightFormat,
  object
>;

/** Tiles of each kind of operator. */
export type TilesByOperator = Readonly<Record<Operator, TileName>>;

type LoopOverride = "TILE_ROWS" | "TILE_OUTS" | "TWO_LEVEL" | "DIRECT";

/** output = x · weightᵀ, before the epilogue. */
interface Product<Weight = Pick<Matrix, "name" | "in" | "format">> {
  readonly x: Tensor;
  readonly weight: Weight;
  readonly output: Tensor;
}

interface Epilogue {
  readonly kind: keyof typeof EPILOGUES;
  readonly factor?: number;
  /** [columns of the output] f32 */
  readonly gate?: Tensor;
}

/**
 * Dense work on our kernels. Weights are decoded on their way into workgroup memory. In f16, products of 32 columns are summed
 * in f16 and these sums in f32, so that long rows keep their precision. Results are rounded once, when they are stored.
 */
export class WgslBackend implements DenseBackend {
  readonly kernelLayout = "ohwi";
  readonly #gpu: Gpu;
  readonly #scalar: ScalarType;
  readonly #tiles: TilesByOperator;

  /** @param tiles  default: the default tile for all operators */
  constructor(gpu: Gpu, scalar: ScalarType, tiles: TilesByOperator = everyOperator(defaultTile(gpu.adapter))) {
    this.#gpu = gpu;
    this.#scalar = scalar;
    this.#tiles = tiles;
  }

  async linear(scope: MemoryScope, { x, norm, weights, outputs }: LinearCall): Promise<void> {
    const rows = weights.map((weight) => expectColumns(weight.name, x, weight.in))[0]!;
    weights.forEach((weight, i) => expectOutput(weight.name, outputs[i]!, rows, weight.out));
    this.#withNormalized(scope, x, norm, (normalized) => {
      for (const [i, weight] of weights.entries()) {
        const product = { x: normalized, weight, output: outputs[i]! };
        this.#linear(scope, product, { kind: "store" });
      }
    });
  }

  async swiglu(scope: MemoryScope, { x, norm, gate, up, upScale = 1, output }: SwiGluCall): Promise<void> {
    const rows = expectColumns(gate.name, x, gate.in);
    expectOutput(gate.name, output, rows, gate.out);
    expectAligned(gate, up);
    this.#withNormalized(scope, x, norm, (normalized) => {
      this.#linear(scope, { x: normalized, weight: gate, output }, { kind: "store" });
      this.#linear(scope, { x: normalized, weight: up, output }, { kind: "gated", factor: upScale });
    });
  }

  async residualLinear(scope: MemoryScope, { terms, gate, scale = 1, hidden }: ResidualLinearCall): Promise<void> {
    const epilogue: Epilogue = gate ? { kind: "addGated", factor: scale, gate } : { kind: "add", factor: scale };
    for (const { x, weight } of terms) {
      expectOutput(weight.name, hidden, expectColumns(weight.name, x, weight.in), weight.out);
      expectAligned(terms[0]!.weight, weight);
      this.#withNormalized(scope, x, undefined, (rows) =>
        this.#linear(scope, { x: rows, weight, output: hidden }, epilogue),
      );
    }
  }

  async convolve(_scope: MemoryScope, call: ConvolveCall): Promise<void> {
    const { x, weight, stride, padLeft, accumulate = false, output } = call;
    const [, , width, channels] = x.shape as readonly [number, number, number, number];
    const [, outHeight, outWidth, outs] = output.shape as readonly [number, number, number, number];
    if (channels !== weight.in || outs !== weight.out)
      throw new KleinbildError(
        "invalid-shape",
        `${weight.name} has ${weight.in} input channels and ${weight.out} output channels; got ${channels} and ${outs}.`,
      );
    const phases = weight.upsamples ? 4 : 1;
    const rows = (outHeight * outWidth) / phases;
    const tile = tileOf(this.#tiles.convolution, rows, outs);
    const product = { rows, outs, columns: weight.size ** 2 * channels };
    for (let phase = 0; phase < phases; phase++)
      for (const { firstRow, firstOut, grid, work } of tileRanges(this.#gpu.recorder, product, tile))
        this.#gpu.recorder.dispatch(convolve, {
          bindings: { x, w: weight.weight, bias: weight.bias, y: output },
          parameters: {
            rows,
            outs,
            first_row: firstRow,
            first_out: firstOut,
            channel_quads: quadsOf(weight.name, channels),
            size: weight.size,
            width,
            out_width: weight.upsamples ? width : outWidth,
            stride,
            pad_left: padLeft,
            phase,
          },
          overrides: {
            ...this.#loop(this.#tiles.convolution, tile),
            UPSAMPLE: weight.upsamples ? 1 : 0,
            ACCUMULATE: accumulate ? 1 : 0,
          },
          scalar: this.#scalar,
          grid,
          work,
        });
  }

  async dispose(): Promise<void> {}

  /** Calls `work` with the normalised rows in the scalar type. */
  #withNormalized(scope: MemoryScope, x: Tensor, norm: Norm | undefined, work: (normalized: Tensor) => void): void {
    if (!norm && x.dtype === this.#scalar) return work(x);
    const [rows, columns] = x.shape as readonly [number, number];
    const y = scope.tensor("normalised rows", this.#scalar, [rows, columns]);
    const scale = norm?.kind === "layer" ? norm.scale : (norm?.weight ?? x);
    const bindings = { x, scale, shift: norm?.kind === "layer" ? norm.shift : scale, y };
    const quads = quadsOf("The normalised rows", columns);
    const lanes = reductionLanes(this.#gpu.adapter, quads);
    this.#gpu.recorder.dispatch(normalize, {
      bindings,
      parameters: { rows, quads, eps: norm?.eps ?? 0 },
      overrides: { KIND: NORM_KINDS[norm?.kind ?? "none"], ...lanes },
      scalar: this.#scalar,
      residual: scalarOf(x),
      grid: foldGrid(Math.ceil(rows / lanes.ITEMS)),
    });
    work(y);
    scope.release(y);
  }

  /** How the tile loop is compiled. */
  #loop(name: TileName, { rows, outs }: Tile): Readonly<Record<LoopOverride, number>> {
    const twoLevel = this.#scalar === "f16" ? 1 : 0;
    return { TILE_ROWS: rows, TILE_OUTS: outs, TWO_LEVEL: twoLevel, DIRECT: name === "direct" ? 1 : 0 };
  }

  #linear(scope: MemoryScope, { x, weight, output }: Product<Matrix>, epilogue: Epilogue): void {
    let down: Tensor | undefined;
    let low: Tensor | undefined;
    for (const piece of weight.pieces) {
      const { lowRank } = piece;
      // pieces of a matrix share `down`
      if (lowRank && lowRank.down !== down) {
        scope.release(low);
        down = lowRank.down;
        low = scope.tensor("low-rank rows", this.#scalar, [x.shape[0]!, lowRank.rank]);
        const downMatrix = { name: `${weight.name} down`, in: weight.in, format: this.#scalar };
        const downPiece = { firstRow: 0, rows: lowRank.rank, values: down };
        this.#piece({ x, weight: downMatrix, output: low }, downPiece, { kind: "store" });
      }
      this.#piece({ x, weight, output }, piece, epilogue, lowRank && low);
    }
    scope.release(low);
  }

  /** @param low  x · downᵀ [rows, rank], if the piece has a low-rank change */
  #piece(
    { x, weight: { name, in: inputs, format }, output }: Product,
    { firstRow: firstColumn, rows: outs, values, scales, bias, lowRank }: MatrixPiece,
    { kind, factor = 1, gate }: Epilogue,
    low?: Tensor,
  ): void {
    const rows = x.shape[0]!;
    const tileName = this.#tiles[operatorOf(format)];
    const tile = tileOf(tileName, rows, outs);
    const rank = lowRank?.rank ?? 0;
    const [xQuads, lowQuads] = [quadsOf(name, inputs), quadsOf(`${name}, its change`, rank)];
    for (const size of [outs, firstColumn, output.shape[1]!]) quadsOf(`${name}, its outputs`, size);
    const product = { rows, outs, columns: inputs + rank };
    for (const { firstRow, firstOut, grid, work } of tileRanges(this.#gpu.recorder, product, tile))
      this.#gpu.recorder.dispatch(KERNELS[format] as typeof linearQ4, {
        // absent tensors are never read; x is bound in their place
        bindings: {
          x,
          values,
          ...((scales ? { scales } : {}) as { readonly scales: Tensor }),
          bias: bias ?? x,
          low_x: low ?? x,
          low_weights: lowRank?.up ?? x,
          gate: gate ?? x,
          y: output,
        },
        parameters: {
          rows,
          outs,
          first_row: firstRow,
          first_out: firstOut,
          x_quads: xQuads,
          low_quads: lowQuads,
          y_columns: output.shape[1]!,
          y_start: firstColumn,
          factor,
        },
        overrides: {
          ...this.#loop(tileName, tile),
          LOW_RANK: low ? 1 : 0,
          BIASED: bias ? 1 : 0,
          EPILOGUE: EPILOGUES[kind],
        },
        scalar: this.#scalar,
        residual: scalarOf(output),
        grid,
        work,
      });
  }
}

function quadsOf(name: string, columns: number): number {
  if (columns % QUAD !== 0)
    throw new KleinbildError("invalid-shape", `${name}: ${columns} is not a multiple of ${QUAD}.`);
  return columns / QUAD;
}
