import { describe, expect, it } from "vitest";
import type { TensorStore } from "../../runtime/weights/tensor-store.ts";
import { f16BitsToF32 } from "../support/half.ts";
import { MemorySource, safetensorsFile, withHeader } from "../support/model-files.ts";
import { openPartFolder } from "../support/part-folder.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FLOATS = Float32Array.of(0, -0, 1.5, -(2 ** -149), 3.4e38, Infinity);
const one = (name: string, value: number): Bytes =>
  safetensorsFile({ [name]: { dtype: "F32", shape: [1], data: Float32Array.of(value) } });
const single = (file: Bytes): Promise<TensorStore> =>
  openPartFolder(new MemorySource({ "part/model.safetensors": file }), "part");
const indexed = (index: unknown, files: Readonly<Record<string, Bytes>> = {}): Promise<TensorStore> =>
  openPartFolder(new MemorySource({ "part/model.safetensors.index.json": JSON.stringify(index), ...files }), "part");

describe("values of a TensorStore", () => {
  it("equal F32 bit by bit", async () => {
    const store = await single(safetensorsFile({ x: { dtype: "F32", shape: [6], data: FLOATS } }));
    expect(await store.readAll("x")).toEqual(FLOATS);
    expect([store.bytesOf("x"), store.bytesOf("x", 1), store.bytesOf("x", 2.5)]).toEqual([24, 4, 10]);
  });

  it("are the upper halves of f32 for BF16", async () => {
    const bits = Uint16Array.of(0x3f80, 0xc000, 0x8000, 0x0001, 0x7f80, 0x4049);
    const store = await single(safetensorsFile({ x: { dtype: "BF16", shape: [2, 3], data: bits } }));
    expect([...(await store.readAll("x"))]).toEqual([1, -2, -0, 2 ** -133, Infinity, 3.140625]);
    expect([store.bytesOf("x"), store.bytesOf("x", 1)]).toEqual([12, 6]);
  });

  it("are exact for F16, subnormals too", async () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x8000, 0x0001, 0x7bff, 0x7c00, 0x3555);
    const store = await single(safetensorsFile({ x: { dtype: "F16", shape: [7], data: bits } }));
    expect([...(await store.readAll("x"))]).toEqual([...bits].map(f16BitsToF32));
  });

  it("are read at any offset: a header of odd length puts all tensors at odd places", async () => {
    for (const padding of [0, 1, 2, 3]) {
      const header = JSON.stringify({
        byte: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
        x: { dtype: "F32", shape: [2], data_offsets: [1, 9] },
        y: { dtype: "BF16", shape: [1], data_offsets: [9, 11] },
      });
      const payload = new Uint8Array(11);
      payload.set(new Uint8Array(Float32Array.of(0.1, -7).buffer), 1);
      payload.set(new Uint8Array(Uint16Array.of(0x3f80).buffer), 9);
      const store = await single(withHeader(header + " ".repeat(padding), payload));
      expect(await store.readAll("x")).toEqual(Float32Array.of(0.1, -7));
      expect(await store.readAll("y")).toEqual(Float32Array.of(1));
    }
  });

  it("are read by rows, which have all dimensions but the first", async () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const store = await single(safetensorsFile({ x: { dtype: "F32", shape: [4, 3, 2], data } }));
    expect([...(await store.readRows("x", 1, 2))]).toEqual([...data.slice(6, 18)]);
    expect([...(await store.readRows("x", 3, 1))]).toEqual([...data.slice(18)]);
    expect(await store.readRows("x", 4, 0)).toHaveLength(0);
    expect(await store.readAll("x")).toEqual(data);
  });

  it("are one row for a scalar, and none for an empty tensor", async () => {
    const store = await single(
      safetensorsFile({
        scalar: { dtype: "F32", shape: [], data: Float32Array.of(5) },
        empty: { dtype: "F32", shape: [0, 7], data: new Float32Array(0) },
      }),
    );
    expect(await store.readAll("scalar")).toEqual(Float32Array.of(5));
    expect(await store.readAll("empty")).toHaveLength(0);
  });

  for (const [first, rows] of [
    [0, 5],
    [4, 1],
    [-1, 1],
    [0, -1],
  ] as const)
    it(`are refused from row ${first}, ${rows} of 4`, async () => {
      const store = await single(safetensorsFile({ x: { dtype: "F32", shape: [4], data: new Float32Array(4) } }));
      await expect(store.readRows("x", first, rows)).rejects.toMatchObject({
        code: "invalid-shape",
        message: `x has 4 rows; ${rows} from row ${first} were requested.`,
      });
    });

  it("are not read when the signal is aborted", async () => {
    const reason = new Error("enough");
    const store = await single(one("x", 1));
    await expect(store.readAll("x", AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("tensors of a TensorStore", () => {
  it("are named when they are missing", async () => {
    const store = await single(one("x", 1));
    const missing = {
      code: "invalid-model",
      message: "part lacks the tensor x.weight.",
      details: { tensor: "x.weight" },
    };
    await expect(store.readAll("x.weight")).rejects.toMatchObject(missing);
    expect(() => store.expectShape("x.weight", [1])).toThrowError(expect.objectContaining(missing));
    expect(() => store.bytesOf("x.weight")).toThrowError(expect.objectContaining(missing));
  });

  it("are missing under names that objects know", async () => {
    const store = await single(one("x", 1));
    for (const name of ["constructor", "__proto__", "__metadata__"])
      await expect(store.readAll(name)).rejects.toMatchObject({ code: "invalid-model" });
  });

  it("are named with both shapes when the shape differs", async () => {
    const store = await single(safetensorsFile({ x: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) } }));
    store.expectShape("x", [2, 3]);
    for (const shape of [[3, 2], [6], [2, 3, 1], []])
      expect(() => store.expectShape("x", shape)).toThrowError(
        expect.objectContaining({
          code: "invalid-model",
          message: `part: x is [2, 3]; the config requires [${shape.join(", ")}].`,
        }),
      );
  });

  it("are named with their type when it is not read", async () => {
    const store = await single(
      safetensorsFile({ x: { dtype: "I8", shape: [4], data: new Uint8Array(4) } }, { format: "pt" }),
    );
    await expect(store.readAll("x")).rejects.toMatchObject({ code: "invalid-model", details: { tensor: "x" } });
  });

  it("are counted in bytes over all files", async () => {
    const store = await indexed(
      { weight_map: { x: "a.safetensors", y: "b.safetensors" } },
      { "part/a.safetensors": one("x", 1), "part/b.safetensors": one("y", 2) },
    );
    expect(store.totalBytes(() => true)).toBe(8);
    expect(store.totalBytes(() => false)).toBe(0);
  });
});

describe("files of a TensorStore", () => {
  it("are the single file of diffusers, then of transformers, each before its shards", async () => {
    const files = {
      "part/diffusion_pytorch_model.safetensors": one("x", 1),
      "part/diffusion_pytorch_model.safetensors.index.json": JSON.stringify({ weight_map: { x: "s.safetensors" } }),
      "part/s.safetensors": one("x", 2),
      "part/model.safetensors": one("x", 3),
    };
    const values = [];
    for (const gone of Object.keys(files).filter((path) => path !== "part/s.safetensors")) {
      values.push((await (await openPartFolder(source(files), "part")).readAll("x"))[0]);
      delete files[gone as keyof typeof files];
    }
    expect(values).toEqual([1, 2, 3]);
  });

  const source = (files: Readonly<Record<string, Bytes | string>>) => new MemorySource(files);

  it("are the shards that an index names, each once", async () => {
    const store = await indexed(
      { metadata: { total_size: 8 }, weight_map: { x: "model-1.safetensors", y: "model-2.safetensors" } },
      { "part/model-1.safetensors": one("x", 1), "part/model-2.safetensors": one("y", 2) },
    );
    expect([(await store.readAll("x"))[0], (await store.readAll("y"))[0]]).toEqual([1, 2]);
  });

  for (const name of [
    "../model.safetensors",
    "/etc/model.safetensors",
    "sub/model.safetensors",
    "..\\model.safetensors",
    "http://127.0.0.1/model.safetensors",
    "%2e%2e%2fmodel.safetensors",
    "model.safetensors\n",
    "model.bin",
    ".safetensors/..",
    "",
  ])
    it(`are refused under the shard name ${JSON.stringify(name)}`, async () => {
      await expect(indexed({ weight_map: { x: name } })).rejects.toMatchObject({
        code: "invalid-model",
        message: expect.stringContaining("files beside it"),
        details: { path: "part/model.safetensors.index.json" },
      });
    });

  for (const index of [{}, [], null, { weight_map: null }, { weight_map: { x: 1 } }])
    it(`are refused from the index ${JSON.stringify(index)}`, async () => {
      await expect(indexed(index)).rejects.toMatchObject({ code: "invalid-model" });
    });

  it("are named when a shard is missing", async () => {
    await expect(indexed({ weight_map: { x: "model-1.safetensors" } })).rejects.toMatchObject({
      code: "missing-file",
      details: { path: "part/model-1.safetensors" },
    });
  });

  it("are refused when they are cut anywhere", async () => {
    const whole = safetensorsFile({
      x: { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      y: { dtype: "BF16", shape: [3], data: Uint16Array.of(0x3f80, 0x4000, 0x4040) },
    });
    for (let length = 0; length < whole.length; length++)
      await expect(single(whole.slice(0, length)), `${length} bytes`).rejects.toMatchObject({
        name: "KleinbildError",
        code: "invalid-model",
        details: { path: "part/model.safetensors" },
      });
    const store = await single(whole);
    expect([...(await store.readAll("x")), ...(await store.readAll("y"))]).toEqual([1, 2, 3, 4, 1, 2, 3]);
  });

  it("are refused by name when they are damaged", async () => {
    await expect(single(one("x", 1).slice(0, -1))).rejects.toMatchObject({
      code: "invalid-model",
      details: { path: "part/model.safetensors" },
    });
    const notJson = new MemorySource({ "part/model.safetensors.index.json": "{" });
    await expect(openPartFolder(notJson, "part")).rejects.toMatchObject({
      code: "invalid-model",
      message: "part/model.safetensors.index.json of memory is not valid JSON.",
    });
  });
});
