import { CASES } from "../case-list.ts";
import type { BenchmarkReport, CaseResult } from "./report.ts";
import { rowTables } from "./row-tables.ts";
import { table } from "./table.ts";

/** The report as Markdown: its conditions, then the tables of each case. */
export function reportMarkdown(report: BenchmarkReport): string {
  return [heading(report), ...report.cases.map(caseMarkdown)].join("\n\n");
}

function heading({ date, adapter, versions, commit, repeats }: BenchmarkReport): string {
  const { vendor, architecture, description, driver, features } = adapter;
  const name = [description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter", driver];
  const platform = versions.userAgent ?? `Node ${versions.node}, webgpu ${versions.webgpu}`;
  return [
    `# Benchmark of ${date.slice(0, 10)}`,
    `${name.filter(Boolean).join(", ")}${adapter.software ? " (runs on the CPU)" : ""}. ${platform}.`,
    `Kleinbild ${versions.kleinbild}${commit === undefined ? "" : ` (${commit})`}, onnxruntime-web ${versions.onnxruntimeWeb}. Medians and quartiles of ${repeats} rounds.`,
    `Features: ${features.join(", ") || "none"}.`,
  ].join("\n\n");
}

/** One case as Markdown. */
function caseMarkdown({ case: name, seconds, rows, notes }: CaseResult): string {
  return [
    `## ${name}`,
    `${CASES[name].description} (${seconds.toFixed(0)} s)`,
    ...rowTables(rows).map(({ labels, figures, rows }) => table([...labels, ...figures], rows)),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
  ].join("\n\n");
}
