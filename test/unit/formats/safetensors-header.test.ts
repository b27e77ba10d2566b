import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { readSafetensorsHeader } from "../../../runtime/weights/formats/safetensors-header.ts";
import { memoryFile, safetensorsFile, withHeader } from "../../support/model-files.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const read = async (file: Bytes) => (await readSafetensorsHeader(memoryFile(file), "a/b.safetensors")).tensors;

async function expectRefusal(file: Bytes, message: RegExp): Promise<void> {
  await expect(read(file)).rejects.toMatchObject({
    name: "KleinbildError",
    code: "invalid-model",
    message: expect.stringMatching(message),
    details: { path: "a/b.safetensors" },
  });
}

/** A header of entries; `[type, shape, begin, end]`. */
function header(entries: Readonly<Record<string, readonly [string, readonly number[], number, number]>>): string {
  const values = Object.entries(entries).map(([name, [dtype, shape, begin, end]]) => [
    name,
    { dtype, shape, data_offsets: [begin, end] },
  ]);
  return JSON.stringify(Object.fromEntries(values));
}

describe("readSafetensorsHeader", () => {
  it("gives type, shape, place and bytes of each tensor", async () => {
    const file = safetensorsFile(
      {
        first: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) },
        second: { dtype: "BF16", shape: [5], data: new Uint16Array(5) },
      },
      { format: "pt" },
    );
    const tensors = await read(file);
    const dataStart = file.length - 34;
    expect([...tensors]).toEqual([
      ["first", { type: "F32", shape: [2, 3], offset: dataStart, bytes: 24 }],
      ["second", { type: "BF16", shape: [5], offset: dataStart + 24, bytes: 10 }],
    ]);
  });

  it("takes tensors in any order, a header padded with spaces, and a file without tensors", async () => {
    const any = header({ b: ["F16", [1], 4, 6], a: ["F32", [1], 0, 4] });
    expect([...(await read(withHeader(`${any}   `, new Uint8Array(6)))).keys()]).toEqual(["b", "a"]);
    expect((await read(withHeader("{}"))).size).toBe(0);
  });

  it("accepts scalars and empty tensors at any position", async () => {
    const text = header({
      empty: ["F32", [0, 4], 0, 0],
      scalar: ["F32", [], 0, 4],
      hole: ["BF16", [3, 0], 4, 4],
    });
    const tensors = await read(withHeader(text, new Uint8Array(4)));
    expect(tensors.get("scalar")).toMatchObject({ shape: [], bytes: 4 });
    expect(tensors.get("empty")).toMatchObject({ shape: [0, 4], bytes: 0 });
    expect(tensors.get("hole")).toMatchObject({ shape: [3, 0], bytes: 0 });
  });

  it("lists tensors of types that are not read, with their type", async () => {
    const text = header({ count: ["I64", [], 0, 8], codes: ["F8_E4M3", [3], 8, 11] });
    const tensors = await read(withHeader(text, new Uint8Array(11)));
    expect([...tensors.values()].map(({ type }) => type)).toEqual(["I64", "F8_E4M3"]);
  });

  it("takes names that objects know", async () => {
    const text = `{"__proto__": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
      "constructor": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}`;
    expect([...(await read(withHeader(text, new Uint8Array(8)))).keys()]).toEqual(["__proto__", "constructor"]);
  });

  for (const bytes of [0, 1, 7])
    it(`refuses a file of ${bytes} bytes`, () => expectRefusal(new Uint8Array(bytes), /it has \d bytes/));

  it("refuses a header that claims more than the file, by one byte or by 2^63", async () => {
    await expectRefusal(
      withHeader("{}", new Uint8Array(0), 3n),
      /claims 3 bytes, and the file has only 2; it may be cut off/,
    );
    await expectRefusal(withHeader("{}", new Uint8Array(0), 2n ** 63n), /claims 9223372036854775808 bytes/);
  });

  it("distinguishes a file of another format from one that was cut off, and names no wrong size", async () => {
    for (const bytes of [9, 4096])
      await expectRefusal(
        new Uint8Array(bytes).fill(7),
        /^a\/b.safetensors is not a valid safetensors file: it does not start with a safetensors header\.$/,
      );
  });

  it("refuses a header that claims less than it has", async () => {
    await expectRefusal(withHeader("{}", new Uint8Array(0), 1n), /not JSON/);
    await expectRefusal(withHeader("{} ", new Uint8Array(0), 2n), /tensors end at byte 10, and the file has 11 bytes/);
  });

  for (const text of ["", "{", "not json", "{]"])
    it(`refuses the header ${JSON.stringify(text)}`, () => expectRefusal(withHeader(text), /not JSON/));

  it("refuses a header that is not UTF-8", () => {
    const file = withHeader('{"a": 1}');
    file[10] = 0xff;
    return expectRefusal(file, /not JSON/);
  });

  for (const text of ["[]", "null", "1", '"text"'])
    it(`refuses the header ${text}`, () => expectRefusal(withHeader(text), /not an object/));

  for (const [what, entry] of [
    ["a number", 1],
    ["an entry without a type", { shape: [1], data_offsets: [0, 4] }],
    ["an entry without a shape", { dtype: "F32", data_offsets: [0, 4] }],
    ["an entry without offsets", { dtype: "F32", shape: [1] }],
    ["one offset", { dtype: "F32", shape: [1], data_offsets: [0] }],
    ["a negative size", { dtype: "F32", shape: [-1], data_offsets: [0, 4] }],
    ["a size that is not whole", { dtype: "F32", shape: [0.5], data_offsets: [0, 2] }],
    ["a size beyond 2^53", { dtype: "F32", shape: [2 ** 53], data_offsets: [0, 4] }],
    ["a negative offset", { dtype: "F32", shape: [1], data_offsets: [-4, 0] }],
    ["a text as offset", { dtype: "F32", shape: [1], data_offsets: ["0", 4] }],
    ["nine dimensions", { dtype: "F32", shape: [1, 1, 1, 1, 1, 1, 1, 1, 1], data_offsets: [0, 4] }],
  ] as const)
    it(`refuses ${what}, by the tensor's name`, () =>
      expectRefusal(withHeader(JSON.stringify({ "x.y": entry }), new Uint8Array(4)), /the entry of x\.y is malformed/));

  it("refuses a tensor that ends one byte after the file, or before its own start", async () => {
    const file = (begin: number, end: number) => withHeader(header({ x: ["U8", [4], begin, end] }), new Uint8Array(4));
    expect((await read(file(0, 4))).size).toBe(1);
    await expectRefusal(file(0, 5), /x has the bytes 0 to 5, and the file has 4 bytes/);
    await expectRefusal(file(3, 2), /x has the bytes 3 to 2, and the file has 4 bytes/);
    await expectRefusal(file(0, Number.MAX_SAFE_INTEGER), /x has the bytes/);
  });

  it("refuses a shape that takes more or less than the bytes", async () => {
    const file = (size: number) => withHeader(header({ x: ["BF16", [size, 2], 0, 8] }), new Uint8Array(8));
    expect((await read(file(2))).size).toBe(1);
    await expectRefusal(file(1), /x has 8 bytes; BF16 \[1, 2\] takes 4/);
    await expectRefusal(file(3), /x has 8 bytes; BF16 \[3, 2\] takes 12/);
  });

  it("refuses shapes whose product leaves the exact integers", () =>
    expectRefusal(
      withHeader(header({ x: ["F32", [2 ** 40, 2 ** 40, 2 ** 40, 0], 0, 4] }), new Uint8Array(4)),
      /x has 4 bytes/,
    ));

  it("refuses tensors that overlap, by one byte or wholly, and holes", async () => {
    const file = (begin: number, end: number, size: number) =>
      withHeader(header({ x: ["U8", [4], 0, 4], y: ["U8", [end - begin], begin, end] }), new Uint8Array(size));
    expect((await read(file(4, 8, 8))).size).toBe(2);
    await expectRefusal(file(3, 8, 8), /y starts at byte \d+; \d+ was expected/);
    await expectRefusal(file(0, 4, 4), /starts at byte/);
    await expectRefusal(file(5, 8, 8), /y starts at byte/);
  });

  it("refuses a file that is longer than its tensors", () =>
    expectRefusal(withHeader(header({ x: ["U8", [4], 0, 4] }), new Uint8Array(5)), /tensors end at byte/));

  it("refuses a name that is in the header twice, although JSON keeps only the last one", () => {
    const entry = (begin: number) => `"x": {"dtype": "F32", "shape": [1], "data_offsets": [${begin}, ${begin + 4}]}`;
    return expectRefusal(withHeader(`{${entry(0)}, ${entry(4)}}`, new Uint8Array(8)), /x starts at byte/);
  });

  it("rejects with the reason of its signal", async () => {
    const reason = new Error("enough");
    const file = memoryFile(withHeader("{}"));
    await expect(readSafetensorsHeader(file, "x", AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("refuses or reads a file with any bytes changed, and never fails otherwise", async () => {
    const original = safetensorsFile({
      weight: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) },
      bias: { dtype: "BF16", shape: [3], data: new Uint16Array(3) },
    });
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let refused = 0;
    let outside = 0;
    for (let round = 0; round < 3000; round++) {
      const file = original.slice(0, random(4) === 0 ? random(original.length) : original.length);
      for (let i = random(4); i >= 0; i--) if (file.length > 0) file[random(file.length)] = random(256);
      try {
        for (const { offset, bytes } of (await read(file)).values()) if (offset + bytes > file.length) outside++;
      } catch (error) {
        if (!(error instanceof KleinbildError) || error.code !== "invalid-model") throw error;
        refused++;
      }
    }
    expect(outside).toBe(0);
    expect(refused).toBeGreaterThan(1500);
    expect(refused).toBeLessThan(3000); // changes of names and data pass
  });
});
