import * as v from "valibot";
import type { ImageInput } from "../image/read.ts";
import { SCHEDULER_NAMES } from "../sampling/scheduler.ts";
import { choice, flag, float, integer, list, nullable, text } from "../validation/field-kinds.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { requestLoraSchema } from "./loras.ts";
import type { GenerateRequest } from "./request.ts";

const MAX_REFERENCES = 4;
const MAX_STEPS = 1000;
const MAX_RESULTS = 20;
const MAX_PIXELS_PER_SIDE = 8192;
/** No model is used with more; far larger values only overflow. */
const MAX_GUIDANCE = 100;

const side = integer({ min: PIXELS_PER_TOKEN, max: MAX_PIXELS_PER_SIDE, multipleOf: PIXELS_PER_TOKEN });
/** Checked where it is resolved. */
const unchecked = <T>(): v.GenericSchema<T> => v.custom<T>(() => true);

/** Every field of a request by itself. */
export function requestSchema(config: ModelConfig) {
  return v.strictObject({
    prompt: text(),
    width: v.optional(side),
    height: v.optional(side),
    steps: v.optional(integer({ min: 1, max: MAX_STEPS }), config.defaultSteps),
    scheduler: v.optional(choice(SCHEDULER_NAMES), "Default"),
    results: v.optional(integer({ min: 1, max: MAX_RESULTS }), 1),
    seed: v.optional(unchecked<NonNullable<GenerateRequest["seed"]>>()),
    noise: v.optional(choice(["counter", "torch"]), "counter"),
    guidance: v.optional(
      nullable(float({ min: 1, max: MAX_GUIDANCE }), {
        expected: `null or a number between 1 (off) and ${MAX_GUIDANCE}`,
      }),
    ),
    distilled: v.optional(flag(), config.distilled),
    negativePrompt: v.optional(text(), ""),
    references: v.optional(
      list(unchecked<ImageInput>(), { max: MAX_REFERENCES, expected: `a list of at most ${MAX_REFERENCES} pictures` }),
      [],
    ),
    referenceMode: v.optional(choice(["exact", "recompute", "step-one"])),
    loras: v.optional(list(requestLoraSchema, { expected: "a list of LoRAs" }), []),
    acceleration: v.optional(unchecked<NonNullable<GenerateRequest["acceleration"]>>()),
    previews: v.optional(flag(), true),
  } satisfies Record<keyof GenerateRequest, v.GenericSchema>);
}

/** A request with its defaults, each field right by itself. */
export type RequestFields = v.InferOutput<ReturnType<typeof requestSchema>>;
