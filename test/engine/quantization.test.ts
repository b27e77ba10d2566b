import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import { BUILT_CASES, readGoldenCase, readGoldenFile } from "../support/golden-cases.ts";
import { modelFolder, openNano, runEngine } from "../support/nano.ts";
import { psnr } from "../support/psnr.ts";

/** The least that the pictures of quantized weights keep of the unquantized ones, in dB; plain rounding is above it. */
const MIN_PSNR = { q8: 45, q4: 29 } as const;
/** Three pictures; the guided one takes 56 passes for each. */
const TIMEOUT_MS = 600_000;

interface NanoCase {
  readonly model: "klein-nano" | "klein-nano-base";
  readonly prompt: string;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly cfgScale: number | null;
  readonly seed: string;
  readonly references: readonly string[];
}

const FULL = process.env["KLEINBILD_FULL"] === "1";
/** One of them, with a reference; all in the full run. */
const names = BUILT_CASES.filter((name) => (FULL ? name.startsWith("pipeline-nano-") : name === "pipeline-nano-edit"));
const cases = names.map((name) => ({ name, golden: readGoldenCase(name) as NanoCase }));
const models = new Set(cases.map(({ golden }) => golden.model));

describe.each([...models])("quantized weights of %s", (model) => {
  const own = cases.filter(({ golden }) => golden.model === model);
  const engines: Engine[] = [];
  beforeAll(async () => {
    for (const quantization of ["none", "q8", "q4"] as const)
      engines.push(await openNano({ folder: modelFolder(model), quantization }));
  });
  afterAll(async () => {
    for (const engine of engines) await engine.dispose();
  });

  for (const { name, golden } of own)
    it(`keep the picture of ${name}`, { timeout: TIMEOUT_MS }, async () => {
      const { prompt, width, height, steps, seed, cfgScale: guidance } = golden;
      const references = golden.references.map((file) => readGoldenFile(name, file));
      const request = {
        prompt,
        width,
        height,
        steps,
        seed,
        guidance,
        references,
        noise: "torch",
        previews: false,
      } as const;
      const pictures = [];
      for (const engine of engines) pictures.push((await runEngine(engine, request)).image.data);
      const [exact, q8, q4] = pictures;
      const [ratio8, ratio4] = [psnr(q8!, exact!), psnr(q4!, exact!)];
      process.stderr.write(`${name}: 8 bit ${ratio8.toFixed(1)} dB, 4 bit ${ratio4.toFixed(1)} dB\n`);
      expect(ratio8).toBeGreaterThanOrEqual(MIN_PSNR.q8);
      expect(ratio4).toBeGreaterThanOrEqual(MIN_PSNR.q4);
    });
});
