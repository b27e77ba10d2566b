import type { WeightPart } from "../weights/inventory.ts";

/** A stage of a run: `encode` turns references into latents, `references` passes them through the transformer. */
export type Stage = "prompt" | "encode" | "references" | "steps" | "decode";
/** All stages, in order. */
export const STAGES: readonly Stage[] = ["prompt", "encode", "references", "steps", "decode"];

/** The part of the model that a stage works with. */
export const PART_OF_STAGE: Readonly<Record<Stage, WeightPart>> = {
  prompt: "textEncoder",
  encode: "vae",
  references: "transformer",
  steps: "transformer",
  decode: "vae",
};

/** The parts whose weights are on the GPU in each stage. */
export type Residency = Readonly<Record<Stage, readonly WeightPart[]>>;
