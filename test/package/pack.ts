import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
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

/** Of the paths in a tarball. */
const PREFIX = "package/";

/** Unpacks the tarball once for all files of the project. `npm test` has built it. */
export function setup(project: TestProject): () => void {
  const work = mkdtempSync(join(tmpdir(), "kleinbild-packed-"));
  if (process.env["KLEINBILD_BUILT"] !== "1")
    execFileSync(process.execPath, ["tools/build.mjs", "package"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  const packed = join(ROOT, ".cache/packed");
  const tarball = join(packed, readdirSync(packed)[0]!);
  const paths = execFileSync("tar", ["-xvzf", tarball, "-C", work], { encoding: "utf8" });
  const files = paths.split("\n").flatMap((path) => (path.startsWith(PREFIX) ? [path.slice(PREFIX.length)] : []));
  const folder = join(work, "kleinbild");
  renameSync(join(work, "package"), folder);
  project.provide("packed", { tarball, folder, files });
  return () => rmSync(work, { recursive: true, force: true });
}
