import { fileURLToPath } from "node:url";
import {
  type AccelerationOptions,
  type AccelerationPreset,
  createKleinbild,
  type GenerateResult,
  type Kleinbild,
} from "../runtime/node.ts";

/** What reuse saves and what it costs, against the same picture without. */
export interface AccelerationRow {
  readonly name: string;
  /** Milliseconds of the steps without ÷ with reuse, of the same round. */
  readonly speedUps: number[];
  /** Share of the transformer's passes that reused, 0 … 1. */
  readonly skipped: number[];
  /** dB of the pixels against the picture without reuse. */
  readonly psnr: number[];
}

type Acceleration = AccelerationPreset | AccelerationOptions;

const MODEL = fileURLToPath(new URL("../models/klein-nano-base", import.meta.url));
const PROMPTS = [
  "a panda on an orange background",
  "a carrot and a key on a purple background",
  "a small tractor on a green background with white dots",
];
const FIRST_SEED = 101;

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
 * Makes pictures on klein-nano-base at its 28 steps with guidance: each once without reuse and once with every setting, in
 * turn, on one engine.
 */
export async function measureAcceleration(
  rounds: number,
  dtype: "f32" | "f16" | undefined,
  onProgress: (text: string) => void,
): Promise<readonly AccelerationRow[]> {
  await using engine = await createKleinbild({ model: MODEL, dtype });
  const rows = Object.keys(SETTINGS).map((name): AccelerationRow => ({ name, speedUps: [], skipped: [], psnr: [] }));
  await picture(engine, 0, "high", 4); // compiles
  for (let round = 0; round < rounds; round++) {
    const plain = await picture(engine, round, "none");
    onProgress(
      `${PROMPTS[round % PROMPTS.length]!}: ${plain.report.timings.steps!.toFixed(0)} ms of steps without reuse`,
    );
    for (const [i, setting] of Object.values(SETTINGS).entries()) {
      const { image, report } = await picture(engine, round, setting);
      rows[i]!.speedUps.push(plain.report.timings.steps! / report.timings.steps!);
      rows[i]!.skipped.push(report.passes.skipped / report.passes.total);
      rows[i]!.psnr.push(psnr(image.pixels.data, plain.image.pixels.data));
    }
  }
  return rows;
}

function picture(
  engine: Kleinbild,
  round: number,
  acceleration: Acceleration,
  steps?: number,
): Promise<GenerateResult> {
  const prompt = PROMPTS[round % PROMPTS.length]!;
  return engine.generate({ prompt, seed: FIRST_SEED + round, steps, acceleration, previews: false }).result;
}

/** Peak signal-to-noise ratio of the colours of two RGBA pictures; infinite when they are equal. */
function psnr(actual: Uint8ClampedArray, expected: Uint8ClampedArray): number {
  let squares = 0;
  for (let i = 0; i < expected.length; i++) if (i % 4 !== 3) squares += (actual[i]! - expected[i]!) ** 2;
  return 10 * Math.log10(255 ** 2 / (squares / (0.75 * expected.length)));
}
