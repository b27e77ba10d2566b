import { version } from "../../package.json";
import { KleinbildError } from "../../runtime/errors.ts";
import { NO_ADAPTER, summarizeAdapter } from "../../runtime/gpu/adapter.ts";
import type { BenchPlatform } from "../platform.ts";
import { type BenchmarkReport, REPORT_FORMAT, type ReportAdapter } from "./report.ts";

/** Limits that decide what fits into a dispatch. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
] as const;

/** The conditions of a run: versions and adapter. @throws KleinbildError `no-webgpu` */
export async function reportConditions({
  gpu,
  versions,
  commit,
  ortWasmUrl,
}: BenchPlatform): Promise<Omit<BenchmarkReport, "date" | "repeats" | "cases">> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  // imported on demand, as in the engine, so that a bundler does not put onnxruntime into the worker of the benchmark
  const { ortVersion } = await import("../../runtime/backend/ort/sessions.ts");
  if (!adapter) throw new KleinbildError("no-webgpu", NO_ADAPTER);
  return {
    format: REPORT_FORMAT,
    versions: { kleinbild: version, onnxruntimeWeb: await ortVersion(ortWasmUrl), ...versions },
    ...(commit === undefined ? {} : { commit }),
    adapter: describeAdapter(adapter),
  };
}

function describeAdapter(adapter: GPUAdapter): ReportAdapter {
  const { vendor, architecture, description, software } = summarizeAdapter(adapter);
  const { driver, subgroupMinSize, subgroupMaxSize } = adapter.info as GPUAdapterInfo & { readonly driver?: string };
  return {
    vendor,
    architecture,
    description,
    ...(driver ? { driver } : {}), // Chromium shows it only to developers
    software,
    features: [...adapter.features].toSorted(),
    limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    ...(subgroupMinSize && subgroupMaxSize ? { subgroupSizes: [subgroupMinSize, subgroupMaxSize] as const } : {}),
  };
}
