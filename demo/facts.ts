import type { AdapterSummary, EngineInfo, RunReport, StageTimings } from "../runtime/index.ts";
import { create, find, showFacts } from "./dom.ts";
import { formatBytes, formatTime } from "./format.ts";

type Facts = Readonly<Record<string, string | undefined>>;

const STAGES: readonly (readonly [name: keyof StageTimings, title: string])[] = [
  ["prompt", "Reading the prompt"],
  ["references", "Reading the references"],
  ["steps", "Denoising"],
  ["decode", "Decoding"],
  ["total", "In all"],
];

export function showAdapter(adapter: AdapterSummary): void {
  showFacts(find("engine-facts", HTMLDListElement), adapterFacts(adapter));
}

export function showEngine({ adapter, model, dtype, quantization, memory }: EngineInfo): void {
  showFacts(find("engine-facts", HTMLDListElement), {
    ...adapterFacts(adapter),
    Model: model.license === undefined ? model.name : `${model.name} (${model.license})`,
    "Computes in": dtype,
    Weights: quantization === "none" ? "as in the files" : quantization,
    "GPU memory": `${formatBytes(memory.currentBytes)}, peak ${formatBytes(memory.peakBytes)}`,
  });
}

/** How the picture came about. */
export function showRun(report: RunReport, { width, height }: { width: number; height: number }): void {
  const { guidance, referenceMode, referenceCache, timings, memory, warnings } = report;
  const stages = STAGES.filter(([name]) => name !== "references" || referenceMode !== undefined);
  const times = stages.map(([name, title]) => [title, time(timings[name])] as const);
  const cache = referenceCache.hit ? "kept from an earlier run" : "computed";
  showFacts(find("run-facts", HTMLDListElement), {
    Seed: report.seed,
    Size: `${width} × ${height}`,
    Steps: String(report.steps),
    Guidance: guidance === null ? undefined : String(guidance),
    ...Object.fromEntries(times),
    "Reference keys and values": referenceMode === undefined ? undefined : `${cache} (${referenceMode})`,
    "GPU memory peak": formatBytes(memory.peakBytes),
  });
  const items = warnings.map((warning) => create("li", {}, warning));
  find("warnings", HTMLUListElement).replaceChildren(...items);
  find("run", HTMLDivElement).hidden = false;
}

function adapterFacts({ description, vendor, architecture, f16, subgroups, maxBindingBytes }: AdapterSummary): Facts {
  return {
    Adapter: description,
    Vendor: vendor,
    Architecture: architecture,
    f16: f16 ? "yes" : "no",
    Subgroups: subgroups ? "yes" : "no",
    "Largest binding": formatBytes(maxBindingBytes),
  };
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : formatTime(milliseconds);
}
