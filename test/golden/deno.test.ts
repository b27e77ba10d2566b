import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../tools/build.mjs";
import type { GoldenOutcome } from "../../tools/golden/run.ts";
import type { DenoGoldens } from "../deno/goldens.ts";
import { runDeno } from "../support/deno.ts";
import { BUILT_CASES, GOLDEN_FOLDER, readGoldenCase } from "../support/golden-cases.ts";

/** Some of every kind that runs the network; all of them, and f16, in the full run. Deno has no codec for pictures. */
const SUBSET = ["transformer-kv-kv", "transformer-plain-references", "text-kv-0", "vae-kv-48x32"];
const NETWORK = new Set(["transformer", "transformer.kv", "text", "vae", "lora"]);
const FULL = process.env["KLEINBILD_FULL"] === "1";
const cases =
  FULL
    ? BUILT_CASES.filter((name) => NETWORK.has((readGoldenCase(name) as { readonly kind: string }).kind))
    : SUBSET;
const SCRIPT = fileURLToPath(new URL("../../.cache/deno-goldens.js", import.meta.url));

const dtypes = FULL ? (["f32", "f16"] as const) : (["f32"] as const);

describe.each(dtypes)("goldens in Deno, without onnxruntime, in %s", (dtype) => {
  let outcomes: Readonly<Record<string, GoldenOutcome>> = {};
  beforeAll(async () => {
    await bundle(".cache", { "deno-goldens": "test/deno/goldens.ts" });
    const asked: DenoGoldens = { folder: GOLDEN_FOLDER, dtype, cases };
    const flags = ["--allow-all", "--node-modules-dir=manual"];
    outcomes = JSON.parse(await runDeno(SCRIPT, { flags, args: [JSON.stringify(asked)] })) as typeof outcomes;
  });

  it.each(cases)("%s", (name) => expect(outcomes[name]?.passed, outcomes[name]?.line).toBe(true));
});
