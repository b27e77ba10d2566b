import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { openTensorFile } from "../../../runtime/weights/formats/open-tensor-file.ts";
import { ggufFile } from "../../support/gguf-files.ts";
import { MemorySource, safetensorsFile, withHeader } from "../../support/model-files.ts";

const GGUF = ggufFile(
  {
    "blk.0.attn_q.weight": { dimensions: [32, 2], type: 2, data: new Uint8Array(36).fill(5) },
    "output_norm.weight": { dimensions: [4], type: 0, data: new Uint8Array(16) },
  },
  {
    "general.architecture": { type: "text", value: "qwen3" },
    "tokenizer.ggml.tokens": { type: "texts", value: ["a", "b"] },
    "tokenizer.ggml.token_type": { type: "i32s", value: [1, 3] },
  },
);
const SAFETENSORS = safetensorsFile(
  {
    "a.weight": { dtype: "BF16", shape: [2, 2], data: new Uint8Array(8) },
    "b.weight": { dtype: "F8_E4M3", shape: [4], data: new Uint8Array(4) },
    "b.weight_scale": { dtype: "F32", shape: [], data: Float32Array.of(2) },
    "c.weight": { dtype: "U32", shape: [2, 4], data: new Uint8Array(32) },
    "c.scales": { dtype: "F16", shape: [2, 1], data: new Uint8Array(4) },
    "c.biases": { dtype: "F16", shape: [2, 1], data: new Uint8Array(4) },
    "d.weight": { dtype: "U8", shape: [1, 1, 16], data: new Uint8Array(16) },
    "d.weight.scales": { dtype: "F32", shape: [1, 1], data: Float32Array.of(1) },
  },
  { format: "pt" },
);

const REFUSALS: ReadonlySet<string> = new Set(["invalid-model", "unsupported"]);

/** The largest read of a file, and the sum of all reads. */
interface Reads {
  largest: number;
  total: number;
}

/** Opens a file and reads all its tensors. Errors must be a KleinbildError about the model. */
async function expectSurvival(bytes: Uint8Array<ArrayBuffer>): Promise<"read" | "refused"> {
  const source = new MemorySource({ file: bytes });
  const reads: Reads = { largest: 0, total: 0 };
  const open = source.open.bind(source);
  source.open = async (path) => {
    const file = await open(path);
    return {
      size: file.size,
      read: (offset, length) => {
        reads.largest = Math.max(reads.largest, length);
        reads.total += length;
        return file.read(offset, length);
      },
    };
  };
  try {
    const { tensors } = await openTensorFile(source, "file");
    for (const tensor of tensors.values()) await tensor.readRows(0, tensor.shape[0] ?? 1);
    return "read";
  } catch (error) {
    if (!(error instanceof KleinbildError) || !REFUSALS.has(error.code)) throw error;
    return "refused";
  } finally {
    expect(reads.largest).toBeLessThanOrEqual(bytes.length);
    expect(reads.total).toBeLessThanOrEqual(4 * bytes.length + 64);
  }
}

describe.each([
  ["GGUF", GGUF],
  ["safetensors", SAFETENSORS],
])("a damaged %s file", (_, whole) => {
  it("is read while it is whole", async () => expect(await expectSurvival(whole)).toBe("read"));

  it("is refused if it is cut anywhere", async () => {
    for (let length = 0; length < whole.length - 32; length++)
      expect(await expectSurvival(whole.slice(0, length)), `cut at ${length}`).toBe("refused");
  });

  it("is read or refused, whichever byte is another", async () => {
    for (let at = 0; at < whole.length; at++)
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = whole.slice();
        bytes[at]! ^= flip;
        await expectSurvival(bytes);
      }
  });

  it("is read or refused with any bytes in place of others", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 24 }), async (at, patch) => {
        const bytes = whole.slice();
        bytes.set(patch.subarray(0, bytes.length - at), at);
        await expectSurvival(bytes);
      }),
      { numRuns: 500 },
    ));
});

describe("files that are none", () => {
  it("are refused for any bytes", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (tail, magic) => {
        const head = magic ? [0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0] : [];
        await expectSurvival(Uint8Array.from([...head, ...tail]));
      }),
      { numRuns: 500 },
    ));

  it.each([
    ["nested arrays", '{"a":'.repeat(50) + "[]" + "}".repeat(50)],
    ["an offset beyond exact integers", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9007199254740993]}}'],
    ["a shape of fractions", '{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}'],
    ["nothing", ""],
    ["null", "null"],
  ])("are refused with a safetensors header of %s", async (_, header) =>
    expect(await expectSurvival(withHeader(header, new Uint8Array(4)))).toBe("refused"),
  );

  it("may name a tensor as they like", async () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(await expectSurvival(withHeader(header, new Uint8Array(4)))).toBe("read");
  });
});
