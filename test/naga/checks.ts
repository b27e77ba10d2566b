import {
  accumulate,
  countNonfinite,
  featuresToPixels,
  gatherBand,
  groupNormFinish,
  groupNormStatistics,
  silu,
} from "../../kernels/index.ts";
import { type Kernel, kernelSource } from "../../kernels/kernel.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { silu as siluReference } from "../reference/dense.ts";
import { accumulate as accumulateReference } from "../reference/elementwise.ts";
import { featuresToPixels as pixelsReference, gatherRows } from "../reference/features.ts";
import { groupNormAffine, groupValues, statistics } from "../reference/group-norm.ts";
import { randomValues } from "../support/compare.ts";
import { rounded } from "../support/gpu.ts";
import { f16BitsToF32, f32ToF16Bits } from "../support/half.ts";
import { twoRowGrid } from "../support/kernels.ts";
import type { NagaRun } from "./protocol.ts";

type Values = { readonly type: ScalarType | "u32"; readonly values: ArrayLike<number> };

/** A kernel with input values and its expected output. */
export interface Check {
  readonly kernel: Kernel;
  readonly scalar: ScalarType;
  /** Contents of the bindings in their order, the output among them. */
  readonly storage: readonly Values[];
  readonly parameters: readonly number[];
  readonly constants?: Readonly<Record<string, number>>;
  readonly grid: readonly [number, number];
  readonly output: number;
  readonly expected: ArrayLike<number>;
  readonly tolerance: { readonly absolute?: number; readonly relative?: number };
}

const zeros = (type: Values["type"], count: number): Values => ({ type, values: new Float32Array(count) });

/** Kernels whose results compilers could differ in: exponentials, barriers, atomics, bit patterns, signed rows. */
export function checks(scalar: ScalarType): readonly Check[] {
  const x = rounded(scalar, randomValues(195));
  const elementwise = { scalar, tolerance: { absolute: 1e-6, relative: scalar === "f16" ? 1e-3 : 1e-5 } };
  const statisticsExpected = [0, 1].flatMap((part) =>
    [0, 1, 2].flatMap((group) => statistics(groupValues(x, 15, 3, group, part * 8, Math.min(13, part * 8 + 8)))),
  );
  const { scale, shift } = groupNormAffine(x, 15, 3, randomValues(15, 2), randomValues(15, 3), 1e-6);
  const affine = { scale: randomValues(4, 4), shift: randomValues(4, 5) };
  return [
    {
      ...elementwise,
      kernel: accumulate,
      storage: [
        { type: scalar, values: x },
        { type: scalar, values: x },
      ],
      parameters: [195, 0.5, -1.25],
      grid: twoRowGrid(accumulate, 195),
      output: 1,
      expected: accumulateReference(x, x, 0.5, -1.25),
    },
    {
      ...elementwise,
      kernel: silu,
      storage: [{ type: scalar, values: x }, zeros(scalar, 195)],
      parameters: [195],
      grid: twoRowGrid(silu, 195),
      output: 1,
      expected: Array.from(x, siluReference),
    },
    {
      ...elementwise,
      kernel: groupNormStatistics,
      storage: [{ type: scalar, values: x }, zeros("f32", 18)],
      parameters: [13, 15, 3, 2, 0, 8],
      grid: [2, 3],
      output: 1,
      expected: statisticsExpected,
      tolerance: { absolute: 1e-5, relative: 1e-5 },
    },
    {
      ...elementwise,
      kernel: groupNormFinish,
      storage: [
        { type: "f32", values: statisticsExpected },
        { type: "f32", values: randomValues(15, 2) },
        { type: "f32", values: randomValues(15, 3) },
        zeros("f32", 30),
      ],
      parameters: [2, 15, 3, 1e-6],
      grid: [3, 1],
      output: 3,
      expected: [...scale, ...shift],
      tolerance: { absolute: 1e-5, relative: 1e-5 },
    },
    {
      ...elementwise,
      // a map of 13 rows, 3 wide, 5 channels, upsampled to 26 x 6; rows −1 … 26, of which the map has 26
      kernel: gatherBand,
      storage: [
        { type: scalar, values: x.subarray(0, 13 * 12) },
        { type: "f32", values: [...affine.scale, ...affine.shift] },
        zeros(scalar, 28 * 24),
      ],
      parameters: [3, 1, 0, -1, 1, 26],
      constants: { NORMALIZE: 1, ACTIVATE: 1, UPSAMPLE: 1 },
      grid: twoRowGrid(gatherBand, 26 * 6),
      output: 2,
      expected: gatherRows(x.subarray(0, 13 * 12), { height: 13, width: 3, channels: 4 }, -1, 28, {
        affine,
        activate: true,
        upsample: true,
      }),
    },
    {
      ...elementwise,
      kernel: featuresToPixels,
      storage: [
        { type: scalar, values: x },
        { type: "u32", values: new Uint32Array(65) },
      ],
      parameters: [65],
      grid: twoRowGrid(featuresToPixels, 65),
      output: 1,
      expected: words(pixelsReference(x)),
      tolerance: {},
    },
    {
      ...elementwise,
      kernel: countNonfinite,
      storage: [
        { type: scalar, values: [1, NaN, Infinity, -Infinity, 65_504, 0] },
        { type: "u32", values: [39] },
      ],
      parameters: [6],
      grid: [1, 1],
      output: 1,
      expected: [42],
      tolerance: {},
    },
  ];
}

/** A check as the other process gets it. */
export function toRun(id: string, { kernel, scalar, storage, parameters, constants = {}, grid }: Check): NagaRun {
  const types = Object.values(kernel.parameters);
  const data = new DataView(new ArrayBuffer(Math.ceil(types.length / 4) * 16));
  types.forEach((type, i) => {
    if (type === "f32") data.setFloat32(4 * i, parameters[i]!, true);
    else data.setInt32(4 * i, parameters[i]!, true);
  });
  return {
    id,
    code: kernelSource(kernel, { scalar, residual: scalar }),
    constants,
    storage: storage.map(encode),
    parameters: Buffer.from(data.buffer).toString("base64"),
    grid,
  };
}

function encode({ type, values }: Values): string {
  const array =
    type === "u32"
      ? Uint32Array.from(values)
      : type === "f32"
        ? Float32Array.from(values)
        : Uint16Array.from({ length: Math.ceil(values.length / 2) * 2 }, (_, i) => f32ToF16Bits(values[i] ?? 0));
  return Buffer.from(array.buffer).toString("base64");
}

/** The output among the bindings that the other process sent back. */
export function outputOf({ storage, output, expected }: Check, results: readonly string[]): ArrayLike<number> {
  const { buffer } = Uint8Array.from(Buffer.from(results[output]!, "base64"));
  const { type } = storage[output]!;
  const count = expected.length;
  if (type === "u32") return new Uint32Array(buffer, 0, count);
  return type === "f32"
    ? new Float32Array(buffer, 0, count)
    : Array.from(new Uint16Array(buffer, 0, count), f16BitsToF32);
}

function words(bytes: readonly number[]): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
