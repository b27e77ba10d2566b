import type { GenerateRequest, Kleinbild, PixelImage, StepEvent } from "../runtime/node.ts";

/** One way to make a picture; the ways are timed in turn. */
export interface Variant {
  readonly name: string;
  readonly request: GenerateRequest;
}

export interface Measurement {
  readonly name: string;
  /** Milliseconds of each step after the first of its run, over all repeats. */
  readonly stepMs: readonly number[];
  /** Milliseconds of the references pass of each repeat; near 0 where their keys and values were kept. */
  readonly referencesMs: readonly number[];
}

const SIDE = 128;
const STEPS = 4;
const REFERENCES = 4;

const common = {
  prompt: "image 1, image 2, image 3 and image 4 in a grid",
  width: SIDE,
  height: SIDE,
  steps: STEPS,
  seed: 7,
  previews: false,
} as const;
const references = Array.from({ length: REFERENCES }, (_, i) => pattern(i));

/** Four references, with and without kept keys and values. */
export const REFERENCE_WAYS: readonly Variant[] = [
  { name: "no references", request: common },
  { name: "kept (exact)", request: { ...common, references, referenceMode: "exact" } },
  { name: "computed in every step (recompute)", request: { ...common, references, referenceMode: "recompute" } },
];

/** Times variants in turn, `repeats` times, after one untimed round. */
export async function measure(
  engine: Kleinbild,
  variants: readonly Variant[],
  repeats: number,
): Promise<Measurement[]> {
  const results = variants.map(({ name }) => ({ name, stepMs: [] as number[], referencesMs: [] as number[] }));
  for (let round = -1; round < repeats; round++)
    for (const [i, { request }] of variants.entries()) {
      const steps: StepEvent[] = [];
      const generation = engine.generate(request);
      for await (const event of generation) if (event.type === "step") steps.push(event);
      const { report } = await generation.result;
      if (round < 0) continue; // shaders are compiled in the first round
      results[i]!.stepMs.push(...steps.slice(1).map(({ milliseconds }) => milliseconds));
      results[i]!.referencesMs.push(report.timings.references ?? 0);
    }
  return results;
}

/** A picture that differs by `index`. */
function pattern(index: number): PixelImage {
  const data = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      data.set([x * 2, y * 2, (((x >> 4) + (y >> 4) + index) % 4) * 60, 255], (y * SIDE + x) * 4);
  return { width: SIDE, height: SIDE, data };
}
