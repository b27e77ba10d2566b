import * as v from "valibot";
import { SCHEDULER_NAMES } from "../../sampling/scheduler.ts";
import { address, choice, flag, float, integer, list, text, uuid } from "../../validation/field-kinds.ts";
import type { ModelRules } from "./model-rules.ts";
import { acceleratorOptionsSchema } from "./accelerator.ts";
import { advancedFeaturesSchema, safetySchema, ultralyticsSchema } from "./features.ts";
import { loraSchema } from "./lora.ts";
import { seedSchema } from "./seed.ts";

const guidanceSchema = float({
  min: 1,
  max: 20,
  multipleOf: 0.01,
  description: "Guidance of Base models; 1 is off.",
});

const pixels = (description: string): v.GenericSchema<number> =>
  integer({ min: 128, max: 2048, multipleOf: 16, description });

/** `imageInference`: every field of the hosted API's pages. */
export function imageInferenceSchema(rules: ModelRules) {
  return v.strictObject({
    taskType: v.literal("imageInference"),
    taskUUID: uuid({ description: "Names the task in every answer." }),
    outputType: v.optional(
      choice(["URL", "base64Data", "dataURI"], { description: "How a picture is handed over." }),
      "URL",
    ),
    outputFormat: v.optional(choice(["JPG", "PNG", "WEBP"], { description: "The format of its file." }), "JPG"),
    outputQuality: v.optional(integer({ min: 20, max: 99, description: "Quality of JPG and WEBP." }), 95),
    webhookURL: v.optional(address({ description: "Where each result is posted as JSON." })),
    deliveryMethod: v.optional(
      choice(["sync", "async"], { description: "async: an acknowledgement now, the results by getResponse." }),
      "sync",
    ),
    uploadEndpoint: v.optional(address({ description: "Where each picture's bytes are put." })),
    safety: v.optional(safetySchema),
    ttl: v.optional(integer({ min: 60, description: "Seconds that a URL stays valid." })),
    includeCost: v.optional(flag({ description: "Adds the cost, which is 0." }), false),
    inputs: v.optional(
      v.strictObject({
        referenceImages: v.optional(
          list(text({ min: 1, description: "UUID of an output or upload, URL, data URI or base64." }), {
            min: 1,
            max: 4,
            description: "Pictures to edit or combine, in order.",
          }),
        ),
      }),
    ),
    numberResults: v.optional(integer({ min: 1, max: 20, description: "Pictures; result i has seed + i." }), 1),
    model: text({ min: 1, description: "AIR id of the model, such as runware:400@6." }),
    positivePrompt: text({
      min: 1,
      max: 10_000,
      description: "What the picture shows, or what to change in the references.",
    }),
    negativePrompt: v.optional(text({ ...rules.negativePrompt, description: "What guidance leads away from." })),
    width: pixels("Pixels, together with height."),
    height: pixels("Pixels, together with width."),
    seed: v.optional(seedSchema),
    steps: v.optional(integer({ min: 1, max: 50, description: "Denoising steps." }), rules.defaultSteps),
    scheduler: v.optional(
      choice(SCHEDULER_NAMES, { description: "What solves the flow; the model's own by default." }),
    ),
    CFGScale: v.optional(guidanceSchema, 3.5),
    settings: v.optional(v.strictObject({ trueCFGScale: v.optional(guidanceSchema) })),
    acceleration: v.optional(
      choice(["none", "low", "medium", "high"], {
        description: "A preset of step caching for Base models; nothing is reused when it is left out.",
      }),
    ),
    acceleratorOptions: v.optional(acceleratorOptionsSchema),
    lora: v.optional(loraSchema),
    ultralytics: v.optional(ultralyticsSchema),
    advancedFeatures: v.optional(advancedFeaturesSchema),
  });
}

/** What the schema makes of a task: with the defaults, before conditions.ts and resolve-task.ts. */
export type ImageInferenceOutput = v.InferOutput<ReturnType<typeof imageInferenceSchema>>;
