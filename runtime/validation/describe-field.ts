import { expectedOf, type FieldFacts, factsOf, fieldAt, isUnion, type Schema } from "./field-facts.ts";
import { nearestMultiple } from "./field-kinds.ts";

/** Longer values are shortened. */
const MAX_SHOWN = 40;

/**
 * What a field accepts, to stand after "must be".
 *
 * @param maxListed  longer lists of allowed values are cut. Default: all are listed
 */
export function expectation(schema: Schema, maxListed = Infinity): string {
  const expected = expectedOf(schema);
  if (expected !== undefined) return expected;
  const { type, min, max, multiplier, format, allowedValues } = factsOf(schema);
  if (allowedValues) return oneOf(allowedValues, maxListed);
  if (format === "uuid") return "a UUID of version 4, as crypto.randomUUID() gives";
  if (format === "uri") return "an http or https address";
  switch (type) {
    case "integer":
      return `a ${multiplier === undefined ? "whole number" : `multiple of ${multiplier}`}${range(min, max)}${orDigits(schema)}`;
    case "float":
      return `a number${range(min, max)}${multiplier === undefined ? "" : `, in steps of ${multiplier}`}`;
    case "string":
      return `a string${count(min, max, "character")}`;
    case "boolean":
      return "true or false";
    case "object":
      return "an object";
    case "array":
      return `a list${count(min, max, isListOfObjects(schema) ? "object" : "string")}`;
    default:
      return type satisfies never;
  }
}

/** The accepted number that is nearest to `value`; undefined for what is no number, and for fields that take none. */
export function nearestNumber(facts: FieldFacts, value: unknown): number | undefined {
  const { type, min = -Infinity, max = Infinity, multiplier } = facts;
  if ((type !== "integer" && type !== "float") || typeof value !== "number" || Number.isNaN(value)) return undefined;
  const step = multiplier ?? (type === "integer" ? 1 : 0);
  const rounded = step === 0 || !Number.isFinite(value) ? value : nearestMultiple(value, step);
  const nearest = Math.min(max, Math.max(min, rounded));
  return Number.isFinite(nearest) ? nearest : undefined;
}

/** A value in an error message, short. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
    case "bigint":
      return value.toString().length > MAX_SHOWN ? "a huge number" : `${value}n`;
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    case "object":
      if (Array.isArray(value)) return showList(value);
      return value === null ? "null" : "an object";
    default:
      return String(value);
  }
}

function showList(list: readonly unknown[]): string {
  const isShort = list.length > 0 && list.length < 5 && list.every((item) => typeof item === "string");
  const text = isShort ? JSON.stringify(list) : "";
  return isShort && text.length <= MAX_SHOWN ? text : `a list of ${list.length}`;
}

/** Seeds have other spellings than the documented number. */
function orDigits(schema: Schema): string {
  return isUnion(schema) ? ", also as a bigint or a string of digits" : "";
}

function oneOf(names: readonly string[], maxListed: number): string {
  if (names.length === 1) return JSON.stringify(names[0]);
  if (names.length > maxListed) return `one of ${names.length} names, such as ${names.slice(0, 3).join(", ")}`;
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

function isListOfObjects(schema: Schema): boolean {
  const item = fieldAt(schema, [0]);
  return item !== undefined && factsOf(item).type === "object";
}
