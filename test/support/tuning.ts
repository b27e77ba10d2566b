import type { Implementation, Operator } from "../../runtime/backend/operators.ts";
import type { DenseBackendOptions } from "../../runtime/autotune/open-dense-backend.ts";
import type { TuningStorage } from "../../runtime/autotune/tuning-cache.ts";

/** Options for a model that is small enough for a software adapter. */
export const SMALL = {
  scalar: "f32",
  backend: "auto",
  quantization: "q8",
  config: { transformer: { hidden: 64 }, vae: { decoderChannels: [32, 16] } },
} as const satisfies Omit<DenseBackendOptions, "gpu">;

/** A tuning cache in a `Map`. */
export function storageOf(entries = new Map<string, string>()): TuningStorage {
  return { get: async (key) => entries.get(key), set: async (key, value) => void entries.set(key, value) };
}

/** A storage with these results of an earlier start, on any adapter. */
export function tunedBefore(results: Partial<Record<Operator, Implementation>>): TuningStorage {
  const entries = Object.entries(results);
  return {
    get: async (key) => {
      const [, implementation] = entries.find(([operator]) => key.includes(`["${operator}",`)) ?? [];
      return implementation && JSON.stringify({ implementation, candidates: [] });
    },
    set: async () => {},
  };
}
