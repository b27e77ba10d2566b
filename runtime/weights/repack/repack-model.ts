import { configJson } from "../config/config-json.ts";
import { inventory, type WeightPart } from "../inventory.ts";
import type { ModelConfig } from "../config/model-config.ts";
import type { TokenizerFiles } from "../names/gguf-tokenizer.ts";
import type { OpenModel } from "../open-model.ts";
import type { QuantizationMethod } from "../quantize.ts";
import type { ModelWriter } from "../store/model-writer.ts";
import type { TensorStore } from "../tensor-store.ts";
import { repackPart, type RepackReport } from "./repack-part.ts";

/** Paths of the weights of each part, as in diffusers. */
export const WEIGHT_FILES = {
  textEncoder: "text_encoder/model.safetensors",
  transformer: "transformer/diffusion_pytorch_model.safetensors",
  vae: "vae/diffusion_pytorch_model.safetensors",
} as const satisfies Record<WeightPart, string>;

const PARTS = ["transformer", "textEncoder", "vae"] as const satisfies readonly WeightPart[];

export interface RepackModelOptions {
  readonly quantization: "q8" | "q4";
  readonly method: QuantizationMethod;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((part: WeightPart, readBytes: number, totalBytes: number) => void) | undefined;
  /** Opens the tensors of a part right before it is repacked, for example after a download. Default: the opened model's. */
  readonly openPart?: ((part: WeightPart) => Promise<TensorStore>) | undefined;
  /** Called when the new file of a part is complete. Its original may be deleted. */
  readonly onPartDone?: ((part: WeightPart) => Promise<void>) | undefined;
}

/**
 * Writes a model in the layout of diffusers with packed block matrices. It skips parts that are complete already, so that it
 * can continue after an interruption.
 *
 * @returns a report for each part that was written
 */
export async function repackModel(
  { config, stores, readTokenizer }: Pick<OpenModel, "config" | "stores" | "readTokenizer">,
  writer: ModelWriter,
  options: RepackModelOptions,
): Promise<Partial<Record<WeightPart, RepackReport>>> {
  const { quantization, method, signal, onProgress, openPart, onPartDone } = options;
  // first, to find errors in these files before hours of downloads
  for (const [path, value] of Object.entries(jsonFiles(config, await readTokenizer()))) {
    const file = await writer.file(path);
    await file.write(new TextEncoder().encode(JSON.stringify(value)));
    await file.close();
  }
  const reports: Partial<Record<WeightPart, RepackReport>> = {};
  for (const part of PARTS) {
    const path = WEIGHT_FILES[part];
    if (await writer.has(path)) continue;
    const store = (await openPart?.(part)) ?? stores[part];
    const tensors = inventory(config, part);
    const totalBytes = tensors.reduce((sum, { name }) => sum + store.bytesOf(name), 0);
    let readBytes = 0;
    const file = await writer.file(path);
    try {
      const onBytes = (bytes: number): void => onProgress?.(part, (readBytes += bytes), totalBytes);
      reports[part] = await repackPart(store, tensors, { quantization, method, signal, onBytes }, (bytes) =>
        file.write(bytes),
      );
    } catch (error) {
      await file.discard();
      throw error;
    }
    await file.close();
    await onPartDone?.(part);
  }
  await writer.publish();
  return reports;
}

function jsonFiles(config: ModelConfig, tokenizer: TokenizerFiles): Readonly<Record<string, unknown>> {
  return {
    ...configJson(config),
    "tokenizer/tokenizer.json": tokenizer.json,
    "tokenizer/tokenizer_config.json": tokenizer.config,
  };
}
