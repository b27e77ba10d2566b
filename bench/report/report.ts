import type { CaseName } from "../case-list.ts";

/** What a figure counts in. Of times and sizes less is better, of rates more. */
export type Unit =
  | "µs"
  | "ms"
  | "s"
  | "bytes"
  | "MB"
  | "MB/s"
  | "GB/s"
  | "GFLOP/s"
  | "Gop/s"
  | "%"
  | "dB"
  | "times faster";

/** A measured number. */
export interface Figure {
  /** The median, where it was measured several times. */
  readonly value: number;
  /** Lower and upper quartile. */
  readonly spread?: readonly [number, number];
  readonly unit: Unit;
  /** It follows from other figures of the row, so that comparing these is enough. */
  readonly derived?: true;
}

/** What was measured under which conditions. */
export interface BenchmarkRow {
  /** The conditions by what they are of (`operator`, `shape`, …); together they name the row within its case. */
  readonly labels: Readonly<Record<string, string>>;
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface CaseResult {
  readonly case: CaseName;
  /** How long it took altogether. */
  readonly seconds: number;
  readonly rows: readonly BenchmarkRow[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export interface ReportAdapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Where the platform tells it. */
  readonly driver?: string;
  /** Runs on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Least and most lanes of a subgroup, where the platform tells them. */
  readonly subgroupSizes?: readonly [number, number];
}

export interface ReportVersions {
  readonly kleinbild: string;
  readonly onnxruntimeWeb: string;
  /** In a page. */
  readonly userAgent?: string;
  /** In Node: itself, and the package `webgpu`. */
  readonly node?: string;
  readonly webgpu?: string;
}

/** All that a run of the benchmark found; plain data, as `npm run bench -- --json` writes it. */
export interface BenchmarkReport {
  readonly format: typeof REPORT_FORMAT;
  /** ISO 8601, of the start. */
  readonly date: string;
  readonly versions: ReportVersions;
  /** Of the sources, where it is known. */
  readonly commit?: string;
  readonly adapter: ReportAdapter;
  /** Timed rounds. */
  readonly repeats: number;
  readonly cases: readonly CaseResult[];
}

/** Changes with the shape of the report. */
export const REPORT_FORMAT = "kleinbild-benchmark-1";
