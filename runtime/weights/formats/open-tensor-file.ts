import type { ModelSource } from "../sources/model-source.ts";
import { openGguf } from "./gguf-file.ts";
import { GGUF_MAGIC } from "./gguf-header.ts";
import type { MlxQuantization } from "./mlx.ts";
import { openSafetensors } from "./safetensors-file.ts";
import type { TensorFile } from "./tensor-file.ts";

const MAGIC_BYTES = 4;

/**
 * Opens a GGUF file, recognized by its first bytes, or else a safetensors file.
 *
 * @param quantization  layouts of the tensors of an MLX pack, if known
 * @throws KleinbildError `missing-file`, `invalid-model` when the file is damaged, `unsupported` for another version of GGUF
 */
export async function openTensorFile(
  source: ModelSource,
  path: string,
  signal?: AbortSignal,
  quantization?: MlxQuantization,
): Promise<TensorFile> {
  const file = await source.open(path, signal);
  const first = await file.read(0, Math.min(MAGIC_BYTES, file.size), signal);
  const isGguf = first.length === MAGIC_BYTES && new DataView(first.buffer).getUint32(0, true) === GGUF_MAGIC;
  return isGguf ? openGguf(file, path, signal) : openSafetensors(file, path, quantization, signal);
}
