import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { FILE_MANIFEST, type FileManifest } from "../../runtime/models/file-manifest.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import type { ModelFile } from "../../runtime/weights/sources/model-source.ts";

/** As the store's own: a damaged download costs one of them. */
const CHUNK_BYTES = 1 << 20;

await new Command("npm run manifest --")
  .description(`Writes ${FILE_MANIFEST} into a model's folder: sizes and SHA-256 of its files, whole and by chunks.`)
  .argument("<folder>", "the model")
  .option("--mirror <address...>", "addresses of folders with the same files", [])
  .action(async (folder: string, { mirror }: { readonly mirror: readonly string[] }) => {
    const source = new FolderSource(folder);
    const files: Record<string, FileManifest["files"][string]> = {};
    for (const path of await source.list())
      if (path !== FILE_MANIFEST) files[path] = await describe(await source.open(path));
    await source.close();
    const manifest: FileManifest = { formatVersion: 1, mirrors: [...mirror], files };
    await writeFile(join(folder, FILE_MANIFEST), `${JSON.stringify(manifest, undefined, 1)}\n`);
  })
  .parseAsync();

async function describe(file: ModelFile): Promise<FileManifest["files"][string]> {
  const whole = createHash("sha256");
  const sha256: string[] = [];
  for (let at = 0; at < file.size; at += CHUNK_BYTES) {
    const bytes = await file.read(at, Math.min(CHUNK_BYTES, file.size - at));
    whole.update(bytes);
    sha256.push(createHash("sha256").update(bytes).digest("hex"));
  }
  return { bytes: file.size, sha256: whole.digest("hex"), chunks: { bytes: CHUNK_BYTES, sha256 } };
}
