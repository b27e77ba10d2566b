import * as v from "valibot";

/** What every field may say about itself beside its limits. */
interface FieldOptions {
  /** One or two sentences, for the JSON Schema. */
  readonly description: string;
}

export interface NumberOptions extends FieldOptions {
  readonly min: number;
  readonly max?: number | undefined;
  /** The page's "step": values are multiples of it. */
  readonly multipleOf?: number | undefined;
}

export interface LengthOptions extends FieldOptions {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Any UUID of version 4, in either case. */
export const UUID_V4 = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$/;

export function integer(options: NumberOptions): v.GenericSchema<number> {
  return withChecks(v.number(), [v.integer(), ...numberChecks(options)]);
}

export function float(options: NumberOptions): v.GenericSchema<number> {
  return withChecks(v.number(), numberChecks(options));
}

/** Lengths are in UTF-16 units, as JavaScript counts them. */
export function text({ min, max, ...metadata }: LengthOptions): v.GenericSchema<string> {
  return withChecks(v.string(), [...lengthChecks(min, max), v.metadata({ ...metadata })]);
}

export function flag(options: FieldOptions): v.GenericSchema<boolean> {
  return withChecks(v.boolean(), [v.metadata({ ...options })]);
}

export function choice<const Names extends readonly string[]>(
  names: Names,
  options: FieldOptions,
): v.GenericSchema<Names[number]> {
  return withChecks(v.picklist(names), [v.metadata({ ...options })]);
}

export function uuid(options: FieldOptions): v.GenericSchema<string> {
  return withChecks(v.string(), [v.regex(UUID_V4), v.metadata({ ...options, format: "uuid" })]);
}

/** An absolute http or https address. */
export function address(options: FieldOptions): v.GenericSchema<string> {
  return withChecks(v.string(), [v.check(isWebAddress), v.metadata({ ...options, format: "uri" })]);
}

export function list<Item, Output>(
  item: v.GenericSchema<Item, Output>,
  { min, max, ...metadata }: LengthOptions,
): v.GenericSchema<readonly Item[], readonly Output[]> {
  return withChecks(v.array(item), [...lengthChecks(min, max), v.metadata({ ...metadata })]);
}

/**
 * Whether a number is a multiple of a step, up to what floating-point arithmetic adds: 0.1 + 0.2 is a multiple of 0.01,
 * and so is 0.29, although 0.29 / 0.01 is 28.999999999999996.
 */
export function isMultiple(value: number, step: number): boolean {
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
