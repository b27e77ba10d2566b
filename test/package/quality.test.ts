import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, it } from "vitest";
import { bundlePage } from "../../tools/build.mjs";
import { ROOT } from "./consumer.ts";

const KIB = 1024;
/** A little above the present sizes, so that growth needs a change here. klein-nano is most of the tarball. */
const BUDGET_BYTES = { page: 144 * KIB, ortJavaScript: 36 * KIB, tarball: 21.5 * KIB ** 2 };
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

  it("keeps to its budget of bytes", async () => {
    const files = await bundlePage();
    const bytesOf = (onDemand: boolean): number =>
      files.filter((file) => file.onDemand === onDemand).reduce((sum, { code }) => sum + brotliBytes(code), 0);
    const sizes = { page: bytesOf(false), ortJavaScript: bytesOf(true), tarball: statSync(tarball).size };
    process.stderr.write(`bytes: ${JSON.stringify(sizes)}\n`);
    for (const name of ["page", "ortJavaScript", "tarball"] as const)
      expect(sizes[name], name).toBeLessThanOrEqual(BUDGET_BYTES[name]);
  });
});

function brotliBytes(code: string): number {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return brotliCompressSync(code, { params }).length;
}
