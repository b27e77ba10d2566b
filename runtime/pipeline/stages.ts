import type { WeightPart } from "../weights/inventory.ts";

/** The stages of a run, in order: `encode` turns references into latents, `references` passes them through the transformer. */
export const STAGES = ["prompt", "encode", "references", "steps", "decode"] as const;
export type Stage = (typeof STAGES)[number];

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
