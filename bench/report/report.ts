import type { CaseName } from "../case-list.ts";

/** The unit of a figure. For times and sizes less is better, for rates more. */
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
  /** The median of all measurements. */
  readonly value: number;
  /** Lower and upper quartile. Absent for a single measurement. */
  readonly spread?: readonly [number, number];
  /** What `value` and `spread` count in. */
  readonly unit: Unit;
  /** Computed from other figures of the row, and therefore not compared. */
  readonly derived?: true;
}

/** Conditions, and the figures measured under them. */
export interface BenchmarkRow {
  /** The conditions by their kind (`operator`, `shape`, …). Together they identify the row within its case. */
  readonly labels: Readonly<Record<string, string>>;
  /** The figures by name. */
  readonly figures: Readonly<Record<string, Figure>>;
}

/** The results of one case. */
export interface CaseResult {
  /** The case. */
  readonly case: CaseName;
  /** Duration of the whole case. */
  readonly seconds: number;
  /** What was measured. */
  readonly rows: readonly BenchmarkRow[];
  /** Sentences about what was left out, and why. */
  readonly notes: readonly string[];
}

/** The GPU that was measured. */
export interface ReportAdapter {
  /** `GPUAdapterInfo.vendor`. */
  readonly vendor: string;
  /** `GPUAdapterInfo.architecture`. */
  readonly architecture: string;
  /** `GPUAdapterInfo.description`; empty in most browsers. */
  readonly description: string;
  /** Name and version of the driver. Absent when the platform hides it. */
  readonly driver?: string;
  /** Whether it runs on the CPU. */
  readonly software: boolean;
  /** WebGPU features of the adapter. */
  readonly features: readonly string[];
  /** WebGPU limits of the adapter. */
  readonly limits: Readonly<Record<string, number>>;
  /** Smallest and largest subgroup, in lanes. Absent when the platform hides them. */
  readonly subgroupSizes?: readonly [number, number];
}

/** Versions of the software that was measured. */
export interface ReportVersions {
  /** This package. */
  readonly kleinbild: string;
  /** The package `onnxruntime-web`. */
  readonly onnxruntimeWeb: string;
  /** The browser, in a page only. */
  readonly userAgent?: string;
  /** Node, in Node only. */
  readonly node?: string;
  /** The package `webgpu`, in Node only. */
  readonly webgpu?: string;
}

/** The report of a benchmark run. Plain data, as `npm run bench -- --json` writes it. */
export interface BenchmarkReport {
  /** Identifies the shape of the report. */
  readonly format: typeof REPORT_FORMAT;
  /** Start of the run, ISO 8601. */
  readonly date: string;
  /** Versions of the software. */
  readonly versions: ReportVersions;
  /** Commit of the sources. Absent outside of a repository. */
  readonly commit?: string;
  /** The GPU. */
  readonly adapter: ReportAdapter;
  /** Timed rounds of each measurement. */
  readonly repeats: number;
  /** The cases in the order in which they ran. */
  readonly cases: readonly CaseResult[];
}

/** `format` of the reports of this version. It changes with the shape of a report. */
export const REPORT_FORMAT = "kleinbild-benchmark-1";
