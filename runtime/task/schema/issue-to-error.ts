import type * as v from "valibot";
import { expectation, nearestNumber, show } from "../../validation/describe-field.ts";
import { dotted, type FieldFacts, factsOf, fieldAt, type Path, type Schema } from "../../validation/field-facts.ts";
import { nearestName } from "../../validation/nearest-name.ts";
import { isUnknownField, pathOf } from "../../validation/parse.ts";
import { type ApiError, fieldCode } from "./api-error.ts";

/** Longer lists are in `allowedValues` only, not in the message. */
const MAX_LISTED = 8;

/**
 * One error for each field that has a problem, in the order of the schema. The error describes the field as the schema does,
 * so it is the same whichever check failed first.
 */
export function issuesToErrors(schema: Schema, issues: readonly v.BaseIssue<unknown>[]): ApiError[] {
  const errors = new Map<string, ApiError>();
  for (const issue of issues) {
    const path = pathOf(issue);
    const parameter = dotted(path);
    if (isUnknownField(issue) || errors.has(parameter)) continue;
    errors.set(parameter, fieldError(schema, path, issue.path?.at(-1)?.value));
  }
  return [...errors.values()];
}

/** The error of the field at a path. @param value  what it is; `undefined`: it is missing */
export function fieldError(schema: Schema, path: Path, value: unknown): ApiError {
  const parameter = dotted(path);
  const field = fieldAt(schema, path);
  if (field === undefined || path.length === 0)
    return { code: "validationFailed", message: `A task must be an object with a taskType; got ${show(value)}.` };
  const facts = factsOf(field);
  const expected = expectation(field, MAX_LISTED);
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

/** The value, or the length of a string that is too short or too long. */
function received({ type, min, allowedValues, format }: FieldFacts, value: unknown): string {
  const counted = type === "string" && min !== undefined && !allowedValues && format === undefined;
  return typeof value === "string" && counted ? `${value.length} characters` : show(value);
}

/** The value that was probably meant, as a sentence. */
function suggestion(facts: FieldFacts, value: unknown): string {
  const { allowedValues } = facts;
  if (allowedValues && typeof value === "string") {
    const name = nearestName(value, allowedValues);
    return name === undefined ? "" : ` Did you mean ${JSON.stringify(name)}?`;
  }
  const nearest = Number.isFinite(value) ? nearestNumber(facts, value) : undefined;
  return nearest === undefined ? "" : ` The nearest is ${nearest}.`;
}
