import { describe, expect, it } from "vitest";
import { unpack } from "../../../runtime/weights/formats/own-packed.ts";
import { openTensorFile } from "../../../runtime/weights/formats/open-tensor-file.ts";
import type { StoredTensor, TensorFile } from "../../../runtime/weights/formats/tensor-file.ts";
import { randomValues } from "../../support/compare.ts";
import { ggufFile, type GgufOptions, type GgufTestTensor, type GgufValue } from "../../support/gguf-files.ts";
import { MemorySource } from "../../support/model-files.ts";

const open = (file: Uint8Array<ArrayBuffer>): Promise<TensorFile> =>
  openTensorFile(new MemorySource({ "a.gguf": file }), "a.gguf");
const openWith = (
  tensors: Readonly<Record<string, GgufTestTensor>>,
  metadata?: Readonly<Record<string, GgufValue>>,
  options?: GgufOptions,
): Promise<TensorFile> => open(ggufFile(tensors, metadata, options));
const one = async (tensor: GgufTestTensor): Promise<StoredTensor> => (await openWith({ x: tensor })).tensors.get("x")!;
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const expectInvalid = (file: Promise<TensorFile>, message: RegExp): Promise<void> =>
  expect(file).rejects.toMatchObject({ code: "invalid-model", message: expect.stringMatching(message) });

/** Bytes whose f16 are finite, wherever they lie. */
const randomBytes = (count: number, seed: number): Uint8Array =>
  Uint8Array.from(randomValues(count, seed), (value) => Math.floor((value + 1) * 128) & 0xbf);

/** Types with the values and bytes of a block. */
const BLOCKS = [
  [2, "Q4_0", 32, 18],
  [3, "Q4_1", 32, 20],
  [6, "Q5_0", 32, 22],
  [7, "Q5_1", 32, 24],
  [8, "Q8_0", 32, 34],
  [10, "Q2_K", 256, 84],
  [11, "Q3_K", 256, 110],
  [12, "Q4_K", 256, 144],
  [13, "Q5_K", 256, 176],
  [14, "Q6_K", 256, 210],
  [20, "IQ4_NL", 32, 18],
  [23, "IQ4_XS", 256, 136],
  [35, "TQ2_0", 256, 66],
] as const;

describe("a GGUF file", () => {
  it("gives its tensors with the output rows first, and its metadata", async () => {
    const file = await openWith(
      { x: { dimensions: [3, 2], type: 0, data: floats(1, 2, 3, 4, 5, 6) } },
      {
        "general.name": { type: "text", value: "klein é" },
        tokens: { type: "texts", value: ["a", "", "bc"] },
        kinds: { type: "i32s", value: [1, -1] },
        eps: { type: "f32", value: 0.5 },
        layers: { type: "u32", value: 36 },
      },
    );
    expect(file.format).toBe("gguf");
    expect(Object.fromEntries(file.metadata)).toEqual({
      "general.name": "klein é",
      tokens: ["a", "", "bc"],
      kinds: [1, -1],
      eps: 0.5,
      layers: 36,
    });
    const tensor = file.tensors.get("x")!;
    expect(tensor).toMatchObject({ name: "x", type: "F32", shape: [2, 3], bytes: 24 });
    expect([...(await tensor.readRows(1, 1))]).toEqual([4, 5, 6]);
    await expect(tensor.readRows(1, 2)).rejects.toMatchObject({ code: "invalid-shape" });
    await expect(tensor.readRows(-1, 1)).rejects.toMatchObject({ code: "invalid-shape" });
  });

  it.each([1, 64, 4096])("may align its tensors to %d bytes", async (alignment) => {
    const tensors = {
      x: { dimensions: [1], type: 0, data: floats(7) },
      y: { dimensions: [2], type: 0, data: floats(8, 9) },
    };
    const file = await openWith(tensors, {}, { alignment });
    expect([...(await file.tensors.get("y")!.readRows(0, 2))]).toEqual([8, 9]);
  });

  it("may have a header of megabytes, which is read once", async () => {
    const tokens = Array.from({ length: 40_000 }, (_, i) => `token ${i}`);
    const file = await openWith(
      { x: { dimensions: [1], type: 0, data: floats(7) } },
      { tokens: { type: "texts", value: tokens } },
    );
    expect(file.metadata.get("tokens")).toEqual(tokens);
    expect([...(await file.tensors.get("x")!.readRows(0, 1))]).toEqual([7]);
  });

  it("of version 2 is read, other versions are not", async () => {
    expect((await openWith({}, {}, { version: 2 })).tensors.size).toBe(0);
    for (const version of [0, 1, 4, 0x03000000])
      await expect(openWith({}, {}, { version })).rejects.toMatchObject({ code: "unsupported" });
  });

  it.each(BLOCKS)(
    "of type %d (%s) gives any rows of a matrix, and any values of a vector",
    async (type, name, values, bytes) => {
      const data = randomBytes(6 * 2 * bytes, type);
      const matrix = await one({ dimensions: [2 * values, 6], type, data });
      expect(matrix).toMatchObject({ type: name, shape: [6, 2 * values], bytes: data.length });
      const all = await matrix.readRows(0, 6);
      expect(await matrix.readRows(2, 3)).toEqual(all.slice(4 * values, 10 * values));
      const vector = await one({ dimensions: [12 * values], type, data });
      expect(await vector.readRows(values - 3, values + 5)).toEqual(all.slice(values - 3, 2 * values + 2));
      expect(vector.packed).toBeUndefined();
    },
  );

  it.each([
    [2, "q4", 4, 18],
    [8, "q8", 8, 34],
  ] as const)("of type %d is %s of the kernels without loss", async (type, format, bits, bytes) => {
    const tensor = await one({ dimensions: [96, 4], type, data: randomBytes(4 * 3 * bytes, 9) });
    expect(tensor.packed?.format).toBe(format);
    const rows = await tensor.packed!.readRows(1, 2);
    expect(rows.packed.length).toBe((2 * 96 * bits) / 8);
    const unsigned = (values: Float32Array): Float32Array => values.map((value) => value + 0); // no -0
    expect(unsigned(unpack(rows, bits))).toEqual(unsigned(await tensor.readRows(1, 2)));
  });

  it("may hold tensors of other types, which are an error when they are read", async () => {
    const file = await openWith({
      strange: { dimensions: [256], type: 16, data: new Uint8Array(66) },
      x: { dimensions: [1], type: 0, data: floats(7) },
    });
    expect([...(await file.tensors.get("x")!.readRows(0, 1))]).toEqual([7]);
    await expect(file.tensors.get("strange")!.readRows(0, 1)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/strange has the GGML type 16; supported types are F32, F16, Q4_0/),
      details: { tensor: "strange" },
    });
  });

  it("is refused if rows are not whole blocks", () =>
    expectInvalid(
      openWith({ x: { dimensions: [48, 2], type: 2, data: new Uint8Array(54) } }),
      /x has rows of 48 values; Q4_0 needs a multiple of 32/,
    ));

  it("is refused if a tensor ends one byte after the file", async () => {
    const file = ggufFile({ x: { dimensions: [8], type: 0, data: floats(1, 2, 3, 4, 5, 6, 7, 8) } });
    expect((await open(file)).tensors.size).toBe(1);
    await expectInvalid(open(file.slice(0, -1)), /x ends at byte/);
  });

  it("is refused at once if counts are wrong", async () => {
    for (const claim of [3n, 65_536n, 65_537n, 2n ** 63n]) {
      await expectInvalid(openWith({}, {}, { claims: { tensors: claim } }), /ends at byte|claims/);
      await expectInvalid(openWith({}, {}, { claims: { keys: claim } }), /ends at byte|claims/);
    }
  });
});
