import type { RunReport, StageTimings } from "../../runtime/index.ts";
import type { Fact } from "../facts.ts";
import { formatBytes, formatDate, formatTime } from "../state/format.ts";
import type { Picture } from "../state/picture.ts";

const STAGES: readonly (readonly [name: keyof StageTimings, title: string])[] = [
  ["prompt", "Reading the prompt"],
  ["references", "Reading the references"],
  ["steps", "Denoising"],
  ["decode", "Decoding"],
  ["total", "In all"],
];

/** How a picture came about, as names and values. */
export function pictureFacts({ metadata, report, references, created }: Picture): readonly Fact[] {
  const { guidance, passes, loras, timings } = report;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Prompt", metadata.prompt || "(empty)"],
    ["Negative prompt", metadata.negativePrompt],
    ["Size", `${metadata.width} × ${metadata.height}`],
    ["Seed", report.seed],
    ["Steps", String(report.steps)],
    ["Scheduler", report.scheduler],
    ["Guidance", guidance === null ? "off" : String(guidance)],
    ["LoRAs", loras.length > 0 ? loras.join(", ") : undefined],
    ["References", references.length > 0 ? references.map(({ name }) => name).join(", ") : undefined],
    ["Reference mode", report.referenceMode],
    ["Reference keys and values", keptReferences(report)],
    ["Passes skipped", passes.skipped > 0 ? `${passes.skipped} of ${passes.total}` : undefined],
    ["Model", report.model],
    ["Weights", report.quantization === "none" ? "as in the files" : report.quantization],
    ["Backend", report.backend],
    ["Precision", report.dtype],
    ["Adapter", report.adapter.description],
    ...STAGES.map(([name, title]) => [title, time(timings[name])] as const),
    ["GPU memory at most", formatBytes(report.memory.peakBytes)],
    ["Made", formatDate(created)],
  ];
  return facts.filter((fact): fact is Fact => fact[1] !== undefined && fact[1] !== "");
}

function keptReferences({ referenceMode, referenceCache: { hit, bytes } }: RunReport): string | undefined {
  if (referenceMode === undefined) return undefined;
  return `${hit ? "kept from an earlier run" : "computed"}; ${formatBytes(bytes)} kept now`;
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : formatTime(milliseconds);
}
