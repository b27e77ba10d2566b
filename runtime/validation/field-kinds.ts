import * as v from "valibot";

/** What a field can state besides its limits. */
interface FieldOptions {
  /** One or two sentences, for the JSON Schema. */
  readonly description?: string | undefined;
  /** What the value must be, to stand after "must be" in errors. Default: as the kind and its limits say. */
  readonly expected?: string | undefined;
}

interface NumberOptions extends FieldOptions {
  readonly min: number;
  readonly max?: number | undefined;
  /** Values are multiples of it. */
  readonly multipleOf?: number | undefined;
}

interface LengthOptions extends FieldOptions {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Any UUID of version 4, in either case. */
export const UUID_V4 = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$/;

/** A whole number. */
export function integer(options: NumberOptions): v.GenericSchema<number> {
  return withChecks(v.number(), [v.integer(), ...numberChecks(options)]);
}

/** A number, not NaN. */
export function float(options: NumberOptions): v.GenericSchema<number> {
  return withChecks(v.number(), numberChecks(options));
}

/** A string. Lengths are in UTF-16 units, as JavaScript counts them. */
export function text({ min, max, ...metadata }: LengthOptions = {}): v.GenericSchema<string> {
  return withChecks(v.string(), [...lengthChecks(min, max), v.metadata({ ...metadata })]);
}

/** True or false. */
export function flag(options: FieldOptions = {}): v.GenericSchema<boolean> {
  return withChecks(v.boolean(), [v.metadata({ ...options })]);
}

/** One of a few strings. */
export function choice<const Names extends readonly string[]>(
  names: Names,
  options: FieldOptions = {},
): v.GenericSchema<Names[number]> {
  return withChecks(v.picklist(names), [v.metadata({ ...options })]);
}

/** A string with a UUID of version 4, in either case. */
export function uuid(options: FieldOptions): v.GenericSchema<string> {
  return withChecks(v.string(), [v.regex(UUID_V4), v.metadata({ ...options, format: "uuid" })]);
}

/** An absolute http or https address. */
export function address(options: FieldOptions): v.GenericSchema<string> {
  return withChecks(v.string(), [v.check(isWebAddress), v.metadata({ ...options, format: "uri" })]);
}

/** An array of `min` to `max` items. */
export function list<Item, Output>(
  item: v.GenericSchema<Item, Output>,
  { min, max, ...metadata }: LengthOptions = {},
): v.GenericSchema<readonly Item[], readonly Output[]> {
  return withChecks(v.array(item), [...lengthChecks(min, max), v.metadata({ ...metadata })]);
}

/** A field that may be null. */
export function nullable<Input, Output>(
  schema: v.GenericSchema<Input, Output>,
  options: FieldOptions,
): v.GenericSchema<Input | null, Output | null> {
  return withChecks(v.nullable(schema), [v.metadata({ ...options })]);
}

/** What no other kind describes. */
export function custom<T>(
  isValid: (value: unknown) => boolean,
  options: { readonly expected: string },
): v.GenericSchema<T> {
  return withChecks(v.custom<T>(isValid), [v.metadata(options)]);
}

/**
 * Whether a number is a multiple of a step, up to what floating-point arithmetic adds: 0.1 + 0.2 is a multiple of 0.01,
 * and so is 0.29, although 0.29 / 0.01 is 28.999999999999996.
 */
function isMultiple(value: number, step: number): boolean {
  const slack = 4 * Number.EPSILON * Math.max(1, Math.abs(value));
  return Math.abs(value - nearestMultiple(value, step)) <= slack;
}

/** The multiple of `step` nearest to `value`; exact decimals for steps like 0.01, whose reciprocal is a whole number. */
export function nearestMultiple(value: number, step: number): number {
  const stepsPerUnit = Math.round(1 / step);
  return stepsPerUnit > 1 ? Math.round(value * stepsPerUnit) / stepsPerUnit : Math.round(value / step) * step;
}

function numberChecks({ min, max, multipleOf, ...metadata }: NumberOptions): Check[] {
  const checks: Check[] = [v.minValue(min)];
  if (max !== undefined) checks.push(v.maxValue(max));
  if (multipleOf === undefined) return [...checks, v.metadata({ ...metadata })];
  const isStep = v.check((value: number) => isMultiple(value, multipleOf));
  return [...checks, isStep, v.metadata({ ...metadata, multipleOf })];
}

function lengthChecks(min: number | undefined, max: number | undefined): Check[] {
  const checks: Check[] = [];
  if (min !== undefined) checks.push(v.minLength(min));
  if (max !== undefined) checks.push(v.maxLength(max));
  return checks;
}

function isWebAddress(value: string): boolean {
  return /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);
}

interface Check {
  readonly kind: "validation" | "metadata";
}

/** `v.pipe` with a list that is known at run time only: the checks change no types. */
function withChecks<Input, Output>(
  schema: v.GenericSchema<Input, Output>,
  checks: readonly Check[],
): v.GenericSchema<Input, Output> {
  return (v.pipe as unknown as (...items: unknown[]) => v.GenericSchema<Input, Output>)(schema, ...checks);
}
