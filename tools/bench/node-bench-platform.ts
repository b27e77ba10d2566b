import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import type { BenchPlatform } from "../../bench/platform.ts";

/** The folder of the package. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function nodeBenchPlatform(): Promise<BenchPlatform> {
  const { version } = JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve("webgpu/package.json"), "utf8"),
  ) as { readonly version: string };
  return {
    gpu: await dawnGpu(),
    codec: new NodeImageCodec(),
    openModel: (name) => new FolderSource(`${ROOT}models/${name}`),
    versions: { node: process.version, webgpu: version },
    commit: commit(),
  };
}

/** The commit of the sources; undefined outside of the repository and without git. */
function commit(): string | undefined {
  if (!existsSync(`${ROOT}.git`)) return undefined;
  try {
    return execFileSync("git", ["describe", "--always", "--abbrev=12", "--dirty"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
