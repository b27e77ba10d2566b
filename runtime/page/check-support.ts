import { type AdapterSummary, NO_ADAPTER, summarizeAdapter } from "../gpu/adapter.ts";

/** Whether this browser can run the engine: the adapter that it would use, or a `reason`, a sentence for people. */
export type Support = Supported | Unsupported;

/** This browser can run the engine. */
export interface Supported {
  /** Always true. */
  readonly supported: true;
  /** The adapter that the engine would use. */
  readonly adapter: AdapterSummary;
}

/** This browser cannot run the engine. */
export interface Unsupported {
  /** Always false. */
  readonly supported: false;
  /** Why not, a sentence for people. */
  readonly reason: string;
}

/**
 * Checks whether this browser can run the engine, without downloading anything.
 *
 * ```ts
 * const support = await checkSupport();
 * if (!support.supported) show(support.reason);
 * ```
 */
export async function checkSupport(): Promise<Support> {
  if (!("gpu" in navigator)) {
    const reason = isSecureContext
      ? "This browser has no WebGPU. Chrome and Edge have it, Firefox from version 141 on Windows and 145 on macOS, Safari from 26."
      : "Browsers offer WebGPU only to pages served by https or from localhost.";
    return { supported: false, reason };
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return { supported: false, reason: NO_ADAPTER };
  return { supported: true, adapter: summarizeAdapter(adapter) };
}
