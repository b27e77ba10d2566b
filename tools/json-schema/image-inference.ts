import { toJsonSchema } from "@valibot/to-json-schema";
import { imageInferenceSchema } from "../../runtime/task/schema/image-inference-schema.ts";
import { RULES_OF_ANY_MODEL } from "../../runtime/task/schema/model-rules.ts";

/** Checks in code. Their rules are in the schema's metadata, or cannot be expressed in JSON Schema. */
const CODE = ["check", "raw_transform"];

/**
 * The published JSON Schema (draft 2020-12) of `imageInference`, for editors and other languages. Limits that depend on the model
 * are the widest. Rules between fields are not included.
 *
 * @returns the text of schema/image-inference.json
 */
export function imageInferenceJsonSchema(): string {
  const { $schema, ...schema } = toJsonSchema(imageInferenceSchema(RULES_OF_ANY_MODEL), {
    target: "draft-2020-12",
    typeMode: "input",
    ignoreActions: CODE,
    // JSON has no bigint, so a seed is a number or a string
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      if (valibotSchema.type === "bigint") return { not: {} };
      if (valibotSchema.type !== "union") return undefined;
      return { anyOf: jsonSchema.anyOf!.filter((option) => typeof option === "object" && option.not === undefined) };
    },
  });
  const steps = schema.properties?.["steps"];
  if (typeof steps === "object") delete steps.default; // 4 or 28, depending on the model
  const titled = {
    $schema,
    title: "imageInference",
    description: "One task of the hosted API's kind, as kleinbild answers it: docs/task.md.",
    ...schema,
  };
  return `${JSON.stringify(titled, null, 2)}\n`;
}
