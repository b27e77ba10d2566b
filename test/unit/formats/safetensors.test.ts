import { describe, expect, it } from "vitest";
import type { MlxQuantization } from "../../../runtime/weights/formats/mlx.ts";
import { openTensorFile } from "../../../runtime/weights/formats/open-tensor-file.ts";
import type { TensorFile } from "../../../runtime/weights/formats/tensor-file.ts";
import { quantizeRows } from "../../../runtime/weights/quantize.ts";
import { dequantize } from "../../reference/quantize.ts";
import { randomValues } from "../../support/compare.ts";
import { MemorySource, safetensorsFile, type TestTensor } from "../../support/model-files.ts";

const open = (
  tensors: Readonly<Record<string, TestTensor>>,
  metadata?: Readonly<Record<string, string>>,
  quantization?: MlxQuantization,
): Promise<TensorFile> => {
  const source = new MemorySource({ "a.safetensors": safetensorsFile(tensors, metadata) });
  return openTensorFile(source, "a.safetensors", undefined, quantization);
};
const f32 = (shape: readonly number[], ...values: number[]): TestTensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});

describe("f8 tensors", () => {
  /** 1, -1.5, 448 (the largest), 2^-9 (the smallest) */
  const e4m3 = (shape: readonly number[]): TestTensor => ({
    dtype: "F8_E4M3",
    shape,
    data: Uint8Array.of(0x38, 0xbc, 0x7e, 0x01),
  });

  it.each(["x.weight_scale", "x.scale_weight", "x.scale"])(
    "are multiplied by %s, which is no tensor",
    async (scale) => {
      const { tensors } = await open({ "x.weight": e4m3([2, 2]), [scale]: f32([], 0.5) });
      expect([...tensors.keys()]).toEqual(["x.weight"]);
      const tensor = tensors.get("x.weight")!;
      expect(tensor).toMatchObject({ type: "F8_E4M3", shape: [2, 2], bytes: 8 });
      expect([...(await tensor.readRows(0, 2))]).toEqual([0.5, -0.75, 224, 2 ** -10]);
      expect([...(await tensor.readRows(1, 1))]).toEqual([224, 2 ** -10]);
    },
  );

  it("without a scale are as they are, in both kinds", async () => {
    const data = Uint8Array.of(0x3c, 0xbe, 0x7b, 0x01);
    const { tensors } = await open({ x: e4m3([4]), y: { dtype: "F8_E5M2", shape: [4], data } });
    expect([...(await tensors.get("x")!.readRows(0, 4))]).toEqual([1, -1.5, 448, 2 ** -9]);
    expect([...(await tensors.get("y")!.readRows(0, 4))]).toEqual([1, -1.5, 57_344, 2 ** -16]);
  });

  it("may have markers and scales of activations, which are not listed as tensors", async () => {
    const marker: TestTensor = { dtype: "F8_E4M3", shape: [0], data: new Uint8Array(0) };
    const names = {
      "x.weight": e4m3([4]),
      "x.input_scale": f32([], 1),
      "x.scale_input": f32([], 1),
      scaled_fp8: marker,
    };
    expect([...(await open(names)).tensors.keys()]).toEqual(["x.weight"]);
  });

  it("with a scale for each row are an error when they are read", async () => {
    const { tensors } = await open({ "x.weight": e4m3([2, 2]), "x.weight_scale": f32([2, 1], 1, 2) });
    await expect(tensors.get("x.weight")!.readRows(0, 1)).rejects.toMatchObject({
      code: "unsupported",
      message: "a.safetensors: the scale of x.weight is F32 [2, 1]; one F32 for the whole tensor is supported.",
    });
  });

  it("do not take a norm's scale away from it", async () => {
    const { tensors } = await open({ "norm.scale": f32([2], 1, 2), "x.weight": e4m3([4]) });
    expect([...tensors.keys()]).toEqual(["norm.scale", "x.weight"]);
  });
});

describe("packed tensors", () => {
  it.each([
    [4, "q4", "KB_Q4"],
    [8, "q8", "KB_Q8"],
  ] as const)("of %d bits are %s rows, and values", async (bits, format, type) => {
    const { packed, scales } = quantizeRows(randomValues(3 * 64), 3, 64, bits);
    const { tensors } = await open({
      "x.weight": { dtype: "U8", shape: [3, 2, 4 * bits], data: packed },
      "x.weight.scales": { dtype: "F32", shape: [3, 2], data: scales },
    });
    const tensor = tensors.get("x.weight")!;
    expect([...tensors.keys()]).toEqual(["x.weight"]);
    expect(tensor).toMatchObject({ type, shape: [3, 64], bytes: packed.length + scales.byteLength });
    expect(tensor.packed!.format).toBe(format);
    expect(await tensor.packed!.readRows(1, 2)).toEqual({
      packed: packed.slice(packed.length / 3),
      scales: scales.slice(2),
    });
    expect(await tensor.readRows(0, 3)).toEqual(dequantize(packed, scales, 3, 64, bits));
    await expect(tensor.packed!.readRows(2, 2)).rejects.toMatchObject({ code: "invalid-shape" });
  });

  it.each([
    ["codes of 5 bits", [2, 1, 20], [2, 1]],
    ["codes of two dimensions", [2, 16], [2, 1]],
    ["too few scales", [2, 2, 16], [2, 1]],
    ["scales of one dimension", [2, 1, 16], [2]],
  ])("are refused with %s", async (_, codes, scales) => {
    const count = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
    await expect(
      open({
        x: { dtype: "U8", shape: codes, data: new Uint8Array(count(codes)) },
        "x.scales": f32(scales, ...Array<number>(count(scales)).fill(1)),
      }),
    ).rejects.toMatchObject({ code: "invalid-model", details: { tensor: "x" } });
  });
});

/** Codes 0, 1, 2 … of a number of bits as MLX packs them: a stream of bits, low ones first. */
function mlxPack(
  name: string,
  rows: number,
  columns: number,
  bits: number,
  groupSize: number,
): Record<string, TestTensor> {
  const codes = Array.from({ length: rows * columns }, (_, i) => BigInt((i * 7) % 2 ** bits));
  const stream = codes.reduce((all, code, i) => all | (code << BigInt(i * bits)), 0n);
  const data = Uint8Array.from({ length: (codes.length * bits) / 8 }, (_, i) =>
    Number((stream >> BigInt(8 * i)) & 255n),
  );
  const groups = columns / groupSize;
  const each = (value: (i: number) => number): number[] => Array.from({ length: rows * groups }, (_, i) => value(i));
  return {
    [`${name}.weight`]: { dtype: "U32", shape: [rows, (columns * bits) / 32], data },
    [`${name}.scales`]: f32([rows, groups], ...each((i) => i + 1)),
    [`${name}.biases`]: f32([rows, groups], ...each((i) => -i)),
  };
}

const mlxValues = (rows: number, columns: number, bits: number, groupSize: number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => {
    const group = Math.floor(i / groupSize);
    return ((i * 7) % 2 ** bits) * (group + 1) - group;
  });

describe("an MLX pack", () => {
  const layouts = [2, 3, 4, 6, 8].flatMap((bits) => [32, 64, 128].map((groupSize) => ({ bits, groupSize })));

  it.each(layouts)("of $bits bits in groups of $groupSize gives code · scale + bias", async (layout) => {
    const { bits, groupSize } = layout;
    const { tensors } = await open(mlxPack("x", 4, 256, bits, groupSize), {}, () => layout);
    const tensor = tensors.get("x.weight")!;
    expect([...tensors.keys()]).toEqual(["x.weight"]);
    expect(tensor).toMatchObject({ type: `MLX ${bits}-bit group ${groupSize}`, shape: [4, 256] });
    const expected = mlxValues(4, 256, bits, groupSize);
    expect([...(await tensor.readRows(0, 4))]).toEqual(expected);
    expect([...(await tensor.readRows(1, 2))]).toEqual(expected.slice(256, 3 * 256));
  });

  it.each(layouts)(
    "of $bits bits in groups of $groupSize is recognised by the widths of other tensors",
    async (layout) => {
      const { bits, groupSize } = layout;
      const packs = { ...mlxPack("x", 256, 256, bits, groupSize), ...mlxPack("y", 4, 256, bits, groupSize) };
      const { tensors } = await open(packs);
      expect(tensors.get("y.weight")!.shape).toEqual([4, 256]);
    },
  );

  it("has bits in its metadata where mflux wrote it, and groups of 64 if nothing shows them", async () => {
    const shape = async (metadata: Readonly<Record<string, string>>): Promise<readonly number[]> =>
      (await open(mlxPack("x", 4, 256, 4, 64), metadata)).tensors.get("x.weight")!.shape;
    expect(await shape({})).toEqual([4, 256]);
    expect(await shape({ quantization_level: "8" })).toEqual([4, 128]);
    expect(await shape({ quantization_level: "2" })).toEqual([4, 512]);
  });

  it("is refused where its parts do not fit each other", async () => {
    const pack = mlxPack("x", 4, 256, 4, 64);
    const expectFailure = (change: Record<string, TestTensor>): Promise<void> =>
      expect(open({ ...pack, ...change })).rejects.toMatchObject({
        code: "invalid-model",
        details: { tensor: "x.weight" },
      });
    await expectFailure({ "x.scales": f32([3, 4], ...Array<number>(12).fill(1)) });
    await expectFailure({ "x.biases": f32([4, 3], ...Array<number>(12).fill(1)) });
    await expectFailure({ "x.scales": { dtype: "I32", shape: [4, 4], data: new Uint8Array(64) } });
    await expectFailure({
      "x.scales": f32([4, 5], ...Array<number>(20).fill(1)),
      "x.biases": f32([4, 5], ...Array<number>(20).fill(1)),
    });
    await expect(open(pack, {}, () => ({ bits: 3, groupSize: 64 }))).rejects.toMatchObject({ code: "invalid-model" });
  });
});
