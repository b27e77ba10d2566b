import { show } from "../../validation/describe-field.ts";
import { dotted, fieldPaths, type Path, type Schema } from "../../validation/field-facts.ts";
import { nearestName } from "../../validation/nearest-name.ts";
import { type ShapeProblem, shapeProblems } from "../../validation/shape.ts";
import type { ApiError } from "./api-error.ts";
import { fieldError } from "./issue-to-error.ts";

/** A task with more problems of its shape is not meant as a task. */
const MAX_UNKNOWN = 20;

/** Names of older clients, and of what other programs call the same. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  checkNSFW: "safety.checkContent",
  checkNsfw: "safety.checkContent",
  customTaskUUID: "taskUUID",
  prompt: "positivePrompt",
  guidance: "CFGScale",
  guidanceScale: "CFGScale",
  references: "inputs.referenceImages",
  loras: "lora",
};

/** Fields that do not exist, at any depth, and lists where an object belongs. */
export function shapeErrors(schema: Schema, value: unknown): ApiError[] {
  const errors: ApiError[] = [];
  for (const problem of shapeProblems(schema, value)) {
    const { path } = problem;
    errors.push(problem.kind === "list" ? fieldError(schema, path, problem.value) : unknownField(schema, problem));
    if (errors.length === MAX_UNKNOWN) break;
  }
  return errors;
}

function unknownField(
  schema: Schema,
  { path, name, known }: Extract<ShapeProblem, { readonly kind: "unknown" }>,
): ApiError {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const parameter = dotted([...path, shown]);
  const meant = probablyMeant(schema, path, name, known);
  const start = path.length === 0 ? "There" : `In ${dotted(path)} there`;
  const hint = meant === undefined ? ` ${start} are ${known.join(", ")}.` : ` Did you mean ${meant}?`;
  return { code: "unsupportedParameter", message: `There is no field ${show(parameter)}.${hint}`, parameter };
}

/** A field of the same name elsewhere, a known other name, or the nearest name in the same object. */
function probablyMeant(schema: Schema, path: Path, name: string, names: readonly string[]): string | undefined {
  const here = path.length === 0 ? "" : `${dotted(path)}.`;
  const sameCase = names.find((known) => known.toLowerCase() === name.toLowerCase());
  if (sameCase !== undefined) return `${here}${sameCase}`;
  const elsewhere = fieldPaths(schema).find((known) => known.split(".").at(-1) === name);
  if (elsewhere !== undefined) return elsewhere;
  if (Object.hasOwn(OTHER_NAMES, name)) return OTHER_NAMES[name];
  const near = nearestName(name, names);
  return near === undefined ? undefined : `${here}${near}`;
}
