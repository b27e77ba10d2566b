import * as v from "valibot";
import { choice, float, list, text } from "../../validation/field-kinds.ts";

/** `lora`: at least one. */
export const loraSchema = list(
  v.strictObject({
    model: text({ min: 1, description: "Id of the LoRA in the model registry, or its address." }),
    weight: v.optional(
      float({
        min: -4,
        max: 4,
        multipleOf: 0.01,
        description: "Strength; 0 has no effect, negative values lead away.",
      }),
      1,
    ),
    transformer: v.optional(
      choice(["high", "low", "both"], { description: "Steps it acts in: high σ ≥ 0.875, low the rest, or both." }),
      "both",
    ),
  }),
  { min: 1, description: "Low-rank adapters of the model." },
);
