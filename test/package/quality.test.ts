import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, it } from "vitest";
import { ROOT } from "./consumer.ts";

/** The package is ES modules only: `require` and Node 10 are not meant to find it. */
const NOT_MEANT = new Set(["node10", "node16-cjs"]);

const { tarball, folder } = inject("packed");

describe("the packed package", () => {
  it("passes publint", async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("has types that fit its modules", async () => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    if (!result.types) throw new Error("The package has no types.");
    const problems = result.problems.filter(
      (problem) => !("resolutionKind" in problem && NOT_MEANT.has(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
    expect(Object.keys(result.entrypoints).length).toBeGreaterThan(6);
  });

  it("has the onnxruntime inside its modules for pages without a bundler that docs/embed.md names", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules/onnxruntime-web/package.json"), "utf8"));
    expect(readFileSync(join(ROOT, "docs/embed.md"), "utf8")).toContain(`\`onnxruntime-web\` ${version}`);
  });

  it("keeps to its budget of bytes", () => {
    const sizeLimit = ["node_modules/size-limit/bin.js", "--json"];
    const { stdout } = spawnSync(process.execPath, sizeLimit, { cwd: ROOT, encoding: "utf8" });
    const sizes = JSON.parse(stdout) as readonly { name: string; passed: boolean; size: number; sizeLimit: number }[];
    process.stderr.write(`bytes: ${JSON.stringify(sizes.map(({ name, size }) => [name, size]))}\n`);
    expect(sizes.filter(({ passed }) => !passed)).toEqual([]);
    expect(sizes).toHaveLength(4);
  });
});
