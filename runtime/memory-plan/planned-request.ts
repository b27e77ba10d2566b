import type { ReferenceMode } from "../transformer/denoiser.ts";
import { pictureTokens, type Size } from "./vae-pass.ts";

/** What of a request decides on memory. */
export interface PlannedRequest extends Size {
  readonly references: readonly Size[];
  readonly referenceMode: ReferenceMode;
  /** Whether each evaluation takes two passes. */
  readonly guidance: boolean;
  readonly previews: boolean;
  readonly pictures: number;
  /** Evaluations of the velocity. */
  readonly evaluations: number;
  /** Matrices as large as the latents that the solver keeps. */
  readonly solverRegisters: number;
  /** Which streams' changes a step cache keeps; none where there is no step cache. */
  readonly stepCache: "none" | "target" | "all";
  /** Sets of weights that the noise levels ask for. */
  readonly phases: number;
  /** Of the LoRAs together. */
  readonly loraBytes: number;
  readonly loraRank: number;
}

/** Tokens of all references. */
export function referenceTokens({ references }: Pick<PlannedRequest, "references">): number {
  return references.reduce((sum, size) => sum + pictureTokens(size), 0);
}
