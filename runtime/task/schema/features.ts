import * as v from "valibot";
import { choice, flag, float, integer, text } from "../../validation/field-kinds.ts";

/** `safety`. Tasks that ask for a check are refused in conditions.ts. */
export const safetySchema = v.strictObject({
  checkContent: v.optional(
    flag({ description: "Asks for a content check; refused, because there is none here." }),
    false,
  ),
  mode: v.optional(choice(["none", "fast"], { description: "fast asks for a content check; refused." }), "none"),
});

const ULTRALYTICS = {
  CFGScale: v.optional(float({ min: 0, max: 50, multipleOf: 0.1, description: "Guidance of the refinement." }), 8),
  confidence: v.optional(float({ min: 0, max: 1, multipleOf: 0.01, description: "Threshold of detection." }), 0.9),
  maskBlur: v.optional(integer({ min: 0, max: 100, description: "Softness of the mask." }), 5),
  maskPadding: v.optional(integer({ min: 0, max: 20, description: "Pixels around a face." }), 5),
  negativePrompt: v.optional(text({ description: "What the refinement leads away from." })),
  positivePrompt: v.optional(text({ description: "What the refinement leads to." })),
  steps: v.optional(integer({ min: 1, max: 100, description: "Steps of the refinement." }), 20),
  strength: v.optional(float({ min: 0, max: 1, multipleOf: 0.01, description: "Strength of the refinement." }), 0.3),
};

/** `ultralytics` as documented for 9B KV: a field of the task, with nine fields. Its strength has no documented minimum; here 0. */
export const ultralyticsSchema = v.strictObject({
  ...ULTRALYTICS,
  inpaintSize: v.optional(integer({ min: 128, max: 2048, description: "Pixels that a face is scaled to." }), 1024),
});

/** `advancedFeatures.ultralytics` as documented for 9B Base: eight fields. */
export const advancedFeaturesSchema = v.strictObject({
  ultralytics: v.optional(v.strictObject(ULTRALYTICS)),
});
