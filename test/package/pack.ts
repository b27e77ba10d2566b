import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { ROOT } from "./consumer.ts";

/** The package as npm would publish it. */
export interface Packed {
  readonly tarball: string;
  /** Unpacked. */
  readonly folder: string;
  /** Paths of its files. */
  readonly files: readonly string[];
}

declare module "vitest" {
  interface ProvidedContext {
    readonly packed: Packed;
  }
}

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs once for all files of the project, what `npm test` has built. */
export function setup(project: TestProject): () => void {
  const work = mkdtempSync(join(tmpdir(), "kleinbild-packed-"));
  if (process.env["KLEINBILD_BUILT"] !== "1")
    execFileSync(process.execPath, ["tools/build-package.mjs"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  const npm = ["pack", "--json", "--ignore-scripts", "--pack-destination", work];
  const report = JSON.parse(
    execFileSync("npm", npm, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  ) as readonly PackReport[] | Readonly<Record<string, PackReport>>;
  const [entry] = Object.values(report);
  const tarball = join(work, entry!.filename);
  execFileSync("tar", ["-xzf", tarball, "-C", work]);
  const folder = join(work, "kleinbild");
  renameSync(join(work, "package"), folder);
  project.provide("packed", { tarball, folder, files: entry!.files.map(({ path }) => path) });
  return () => rmSync(work, { recursive: true, force: true });
}
