import type { BackendName } from "../backend/backend.ts";
import { TILE_NAMES, type TileName } from "../backend/wgsl/tiles.ts";

/** What may compute an operator: our kernels with certain tiles, or onnxruntime. */
export const IMPLEMENTATIONS = [...TILE_NAMES, "ort"] as const;
/** An implementation of a dense operator: onnxruntime, or the kernels of this package with certain tiles. */
export type Implementation = TileName | "ort";

export function backendOf(implementation: Implementation): BackendName {
  return implementation === "ort" ? "ort" : "wgsl";
}
