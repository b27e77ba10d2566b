import type * as v from "valibot";
import { type ApiError, fieldCode, show } from "./api-error.ts";
import { dotted, type FieldFacts, factsOf, fieldAt, isUnion, type Path, type Schema } from "./field-facts.ts";
import { nearestMultiple } from "./field-kinds.ts";
import { nearestName } from "./nearest-name.ts";

/** Longer lists are in `allowedValues` only. */
const MAX_LISTED = 8;

/**
 * One error for each field that has a problem, in the order of the schema. What an error says of the field comes from the
 * schema, so that it is the same whichever check failed first.
 */
export function issuesToErrors(schema: Schema, issues: readonly v.BaseIssue<unknown>[]): ApiError[] {
  const errors = new Map<string, ApiError>();
  for (const issue of issues) {
    const path = (issue.path ?? []).map(({ key }) => key) as Path;
    const parameter = dotted(path);
    // fields that do not exist are found by shape.ts, all of them and not only the first
    const unknown = issue.type === "strict_object" && issue.expected === "never";
    if (unknown || errors.has(parameter)) continue;
    errors.set(parameter, fieldError(schema, path, issue.path?.at(-1)?.value));
  }
  return [...errors.values()];
}

/** The error of the field at a path, which has the value `value`; `undefined` means that it is missing. */
export function fieldError(schema: Schema, path: Path, value: unknown): ApiError {
  const parameter = dotted(path);
  const field = fieldAt(schema, path);
  if (field === undefined || path.length === 0)
    return { code: "validationFailed", message: `A task must be an object with a taskType; got ${show(value)}.` };
  const facts = factsOf(field);
  const expected = expectation(facts, field);
  const message =
    value === undefined && facts.required
      ? `${parameter} is missing: it must be ${expected}.`
      : `${parameter} must be ${expected}; got ${received(facts, value)}.${suggestion(facts, value)}`;
  return { code: codeOf(parameter, facts, value), message, parameter, ...errorFacts(facts) };
}

/** The facts of a field as members of its error. */
function errorFacts({ required: _required, format: _format, ...facts }: FieldFacts): Partial<ApiError> {
  return facts;
}

function codeOf(parameter: string, { required, type, max }: FieldFacts, value: unknown): string {
  if (value === undefined && required) return fieldCode("missing", parameter);
  if (parameter === "taskType") return "unsupportedTaskType";
  const wrongCount =
    type === "array" && Array.isArray(value) && (value.length === 0 || value.length > (max ?? Infinity));
  return `${fieldCode("invalid", parameter)}${wrongCount ? "Count" : ""}`;
}

/** What would be right, to stand after "must be". */
function expectation({ type, min, max, multiplier, format, allowedValues }: FieldFacts, field: Schema): string {
  if (allowedValues) return oneOf(allowedValues);
  if (format === "uuid") return "a UUID of version 4, as crypto.randomUUID() gives";
  if (format === "uri") return "an http or https address";
  switch (type) {
    case "integer":
      return `a whole number${range(min, max)}${multiplier === undefined ? "" : `, a multiple of ${multiplier}`}${orDigits(field)}`;
    case "float":
      return `a number${range(min, max)}${multiplier === undefined ? "" : `, in steps of ${multiplier}`}`;
    case "string":
      return `a string${count(min, max, "character")}`;
    case "boolean":
      return "true or false";
    case "object":
      return "an object";
    case "array":
      return `a list${count(min, max, isListOfObjects(field) ? "object" : "string")}`;
    default:
      return type satisfies never;
  }
}

/** Seeds have other spellings than the page's. */
function orDigits(field: Schema): string {
  return isUnion(field) ? ", also as a bigint or a string of digits" : "";
}

function oneOf(names: readonly string[]): string {
  if (names.length === 1) return JSON.stringify(names[0]);
  if (names.length > MAX_LISTED) return `one of ${names.length} names, such as ${names.slice(0, 3).join(", ")}`;
  return `one of ${names.join(", ")}`;
}

function range(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` between ${min} and ${max}`;
  return min === undefined ? "" : ` of at least ${min}`;
}

function count(min: number | undefined, max: number | undefined, unit: string): string {
  if (min === undefined) return "";
  if (max === undefined) return ` of at least ${min} ${unit}${min === 1 ? "" : "s"}`;
  return ` of ${min} to ${max} ${unit}s`;
}

function isListOfObjects(field: Schema): boolean {
  const item = fieldAt(field, [0]);
  return item !== undefined && factsOf(item).type === "object";
}

/** A string that is too short or too long is told by its length, which is what is wrong with it. */
function received({ type, min, allowedValues, format }: FieldFacts, value: unknown): string {
  const counted = type === "string" && min !== undefined && !allowedValues && format === undefined;
  return typeof value === "string" && counted ? `${value.length} characters` : show(value);
}

/** What was probably meant, as a sentence. */
function suggestion(facts: FieldFacts, value: unknown): string {
  const { type, min = -Infinity, max = Infinity, multiplier, allowedValues } = facts;
  if (allowedValues && typeof value === "string") {
    const name = nearestName(value, allowedValues);
    return name === undefined ? "" : ` Did you mean ${JSON.stringify(name)}?`;
  }
  if ((type !== "integer" && type !== "float") || typeof value !== "number" || !Number.isFinite(value)) return "";
  const step = multiplier ?? (type === "integer" ? 1 : 0);
  const nearest = Math.min(max, Math.max(min, step === 0 ? value : nearestMultiple(value, step)));
  return Number.isFinite(nearest) ? ` The nearest is ${nearest}.` : "";
}
