import { bf16ToF32, e4m3ToF32, e5m2ToF32, f16ToF32 } from "../../runtime/weights/float.ts";
import type { MlxQuantization } from "../../runtime/weights/formats/mlx.ts";
import { openTensorFile } from "../../runtime/weights/formats/open-tensor-file.ts";
import type { ModelFile, ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { floats, type GoldenCase, type GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";

interface Quantization {
  readonly bits: number;
  readonly group_size: number;
}

/** Compares all dequantized tensors of a weight file. */
export async function weightsKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const path = golden["file"] as string;
  const bytes = await context.files.read(`cases/${golden.name}/${path}`);
  const layouts = (golden["quantization"] as Readonly<Record<string, Quantization>> | undefined) ?? {};
  const quantization: MlxQuantization = (name) => {
    const given = layouts[name] ?? layouts[name.replace(/\.weight$/, "")];
    return given && { bits: given.bits, groupSize: given.group_size };
  };
  const { tensors } = await openTensorFile(sourceOf(path, bytes), path, undefined, quantization);
  const expected = await context.tensors(golden);
  return Promise.all(
    [...expected].map(async ([name, { shape }]) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.join() !== shape.join())
        throw new Error(`${name} has the shape [${String(tensor?.shape)}] instead of [${shape.join()}]`);
      return { name, actual: await tensor.readRows(0, shape[0]!), expected: floats(expected, name) };
    }),
  );
}

/** Compares the values of bit patterns: all of 8 bits, and the given ones of 16 bits. */
export async function floatFormatsKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const tensors = await context.tensors(golden);
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const words = Uint16Array.from(tensors.get("bits")!.values);
  return [
    { name: "e4m3", actual: e4m3ToF32(bytes), expected: floats(tensors, "e4m3") },
    { name: "e5m2", actual: e5m2ToF32(bytes), expected: floats(tensors, "e5m2") },
    { name: "bf16", actual: bf16ToF32(words), expected: floats(tensors, "bf16") },
    { name: "f16", actual: f16ToF32(words), expected: floats(tensors, "f16") },
  ];
}

/** A source with one file in memory. */
function sourceOf(path: string, bytes: Uint8Array<ArrayBuffer>): ModelSource {
  const file: ModelFile = { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
  return {
    description: path,
    exists: async (asked) => asked === path,
    open: async () => file,
    list: async () => [path],
    close: async () => {},
  };
}
