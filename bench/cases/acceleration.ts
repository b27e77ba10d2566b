import type { Engine } from "../../runtime/engine/engine.ts";
import type { EngineResult } from "../../runtime/engine/engine-result.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import type { CaseRun } from "../bench-case.ts";
import { figure } from "../statistics.ts";
import { makePicture, withEngine } from "./engines.ts";

type Acceleration = NonNullable<GenerateRequest["acceleration"]>;

const PROMPTS = [
  "a panda on an orange background",
  "a carrot and a key on a purple background",
  "a small tractor on a green background with white dots",
];
const FIRST_SEED = 101;
/** PSNR of equal pictures, because JSON has no infinity. At 128 × 128, a difference of 1 in one colour gives 95. */
const EQUAL_DB = 99;

const SETTINGS: Readonly<Record<string, Acceleration>> = {
  "fbCache 0.05": { method: "first-block", threshold: 0.05 },
  "fbCache 0.25 (default)": { method: "first-block" },
  "teaCache 0.5 (default)": { method: "tea" },
  "dbCache 0.25 (default)": { method: "dual-block" },
  "acceleration low": "low",
  "acceleration medium": "medium",
  "acceleration high": "high",
};

/**
 * Measures the speed-up by step caches and the difference that they make. One engine makes pictures with klein-nano-base, 28
 * steps and guidance: each picture once without a step cache and once with each setting.
 */
export async function accelerationCase(run: CaseRun): Promise<void> {
  await withEngine(run, "klein-nano-base", { backend: "wgsl", dtype: run.choice.dtype }, async (engine) => {
    const settings = Object.entries(SETTINGS).map(([setting, acceleration]) => ({
      setting,
      acceleration,
      plain: [] as number[],
      steps: [] as number[],
      skipped: [] as number[],
      psnr: [] as number[],
    }));
    await picture(run, engine, 0, "high", 4); // compiles shaders
    for (let round = 0; round < run.choice.repeats && (round < 1 || run.hasTime()); round++) {
      const plain = await picture(run, engine, round, "none");
      for (const times of settings) {
        const { image, report } = await picture(run, engine, round, times.acceleration);
        times.plain.push(plain.report.timings.steps!);
        times.steps.push(report.timings.steps!);
        times.skipped.push((100 * report.passes.skipped) / report.passes.total);
        times.psnr.push(psnr(image.data, plain.image.data));
      }
    }
    for (const { setting, plain, steps, skipped, psnr } of settings)
      run.addRow({
        labels: { setting, type: engine.info.dtype },
        figures: {
          "passes that reuse": figure(skipped, "%"),
          "steps times faster": figure(
            steps.map((milliseconds, i) => plain[i]! / milliseconds),
            "times faster",
          ),
          PSNR: figure(psnr, "dB"),
          "least PSNR": { value: Math.min(...psnr), unit: "dB" },
        },
      });
  });
}

function picture(
  run: CaseRun,
  engine: Engine,
  round: number,
  acceleration: Acceleration,
  steps?: number,
): Promise<EngineResult> {
  const prompt = PROMPTS[round % PROMPTS.length]!;
  return makePicture(run, engine, { prompt, seed: FIRST_SEED + round, steps, acceleration });
}

/** Peak signal-to-noise ratio of the colours of two RGBA pictures, at most `EQUAL_DB`. */
function psnr(actual: Uint8ClampedArray, expected: Uint8ClampedArray): number {
  let squares = 0;
  for (let i = 0; i < expected.length; i++) if (i % 4 !== 3) squares += (actual[i]! - expected[i]!) ** 2;
  return Math.min(EQUAL_DB, 10 * Math.log10(255 ** 2 / (squares / (0.75 * expected.length))));
}
