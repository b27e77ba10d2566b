import { createKleinbild, type GenerateRequest, type Kleinbild } from "../runtime/node.ts";
import { median } from "./statistics.ts";

/** A picture of klein-nano on one backend. */
export interface PictureRow {
  readonly backend: "ort" | "wgsl";
  readonly dtype: "f32" | "f16";
  readonly quantization: "none" | "q4";
  /** Seconds from nothing to an engine that is ready. */
  readonly loadSeconds: number;
  /** Seconds of the first picture, shaders compiled on the way. */
  readonly firstSeconds: number;
  /** Median seconds of the later ones, and of their stages. */
  readonly seconds: number;
  readonly stepSeconds: number;
  readonly decodeSeconds: number;
  readonly peakBytes: number;
}

interface Timed {
  readonly backend: PictureRow["backend"];
  readonly engine: Kleinbild;
  readonly loadSeconds: number;
  /** Seconds of each picture. */
  readonly totals: number[];
  readonly steps: number[];
  readonly decodes: number[];
  peakBytes: number;
}

const REQUEST: GenerateRequest = {
  prompt: "a fox on a teal background",
  width: 128,
  height: 128,
  steps: 4,
  seed: 7,
  previews: false,
};
const BACKENDS = ["ort", "wgsl"] as const;

/** Times whole pictures on both backends, in turn. */
export async function measurePictures(
  dtype: "f32" | "f16",
  quantization: "none" | "q4",
  repeats: number,
): Promise<PictureRow[]> {
  const engines: Timed[] = [];
  for (const backend of BACKENDS) {
    const started = performance.now();
    const engine = await createKleinbild({ backend, dtype, quantization });
    const loadSeconds = (performance.now() - started) / 1000;
    engines.push({ backend, engine, loadSeconds, totals: [], steps: [], decodes: [], peakBytes: 0 });
  }
  const rows: PictureRow[] = [];
  try {
    for (let round = 0; round <= repeats; round++)
      for (const timed of engines) {
        const { timings, memory } = (await timed.engine.generate({ ...REQUEST, seed: round }).result).report;
        timed.totals.push((timings.total ?? 0) / 1000);
        timed.steps.push((timings.steps ?? 0) / 1000);
        timed.decodes.push((timings.decode ?? 0) / 1000);
        timed.peakBytes = Math.max(timed.peakBytes, memory.peakBytes);
      }
    for (const { backend, loadSeconds, totals, steps, decodes, peakBytes } of engines)
      rows.push({
        backend,
        dtype,
        quantization,
        loadSeconds,
        firstSeconds: totals[0]!,
        seconds: median(totals.slice(1)),
        stepSeconds: median(steps.slice(1)),
        decodeSeconds: median(decodes.slice(1)),
        peakBytes,
      });
  } finally {
    for (const { engine } of engines) await engine.dispose();
  }
  return rows;
}
