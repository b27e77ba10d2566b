import type { WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import type { Layout } from "../../runtime/weights/names/layouts.ts";
import type { TensorStore } from "../../runtime/weights/tensor-store.ts";
import { ENCODINGS } from "../../tools/synthesize/encodings.ts";
import { type TensorToWrite, tensorsToWrite } from "../../tools/synthesize/tensors-to-write.ts";
import { ggufBytes, safetensorsBytes } from "../../tools/synthesize/write-file.ts";

/** A part's file with the values of a store, in a naming, its block matrices in an encoding. */
export async function encodePart<P extends WeightPart>(
  config: ModelConfig,
  part: P,
  store: TensorStore,
  layout: Layout<P>,
  encodingName: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = ENCODINGS[encodingName]!;
  const tensors = tensorsToWrite(config, part, layout, encoding);
  async function* bytesOf(tensor: TensorToWrite): AsyncGenerator<Uint8Array> {
    const pieces: Float32Array[] = [];
    for (const { canonical, firstRow, rows } of tensor.values.pieces)
      pieces.push(await store.readRows(canonical, firstRow, rows));
    const values = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      values.set(piece, at);
      at += piece.length;
    }
    yield tensor.encoding.encode(values);
  }
  const metadata = { "general.architecture": part === "transformer" ? "flux" : "qwen3" };
  const bytes = encoding.format === "gguf" ? ggufBytes(tensors, metadata, bytesOf) : safetensorsBytes(tensors, bytesOf);
  const parts: Uint8Array[] = [];
  for await (const each of bytes) parts.push(each);
  return new Uint8Array(Buffer.concat(parts));
}
