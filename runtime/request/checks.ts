import { type ErrorDetails, KleinbildError } from "../errors.ts";

/** The error of a field that is not as it must be. */
export function invalid(parameter: string, expected: string, got: unknown, details: ErrorDetails = {}): KleinbildError {
  const message = `${parameter} must be ${expected}; got ${shown(got)}.`;
  return new KleinbildError("invalid-request", message, { parameter, ...details });
}

/** A whole number of `min` … `max`. @throws KleinbildError `invalid-request` */
export function checkInteger(parameter: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const nearest = (wanted: number): number => clamp(Math.round(wanted), min, max);
  throw invalid(parameter, `a whole number between ${min} and ${max}`, value, {
    min,
    max,
    ...nearestTo(value, nearest),
  });
}

/** A number of `min` … `max`. @throws KleinbildError `invalid-request` */
export function checkNumber(parameter: string, value: number, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const details = { min, max, ...nearestTo(value, (wanted) => clamp(wanted, min, max)) };
  throw invalid(parameter, `a number between ${min} and ${max}`, value, details);
}

/** One of a few values. @throws KleinbildError `invalid-request` */
export function checkChoice<T extends string>(parameter: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  throw invalid(parameter, `one of ${values.join(", ")}`, value);
}

/** No field but these: a misspelt one would be ignored in silence. @throws KleinbildError `invalid-request` */
export function checkFields(what: string, value: unknown, fields: readonly string[], parent = ""): void {
  if (typeof value !== "object" || value === null)
    throw new KleinbildError("invalid-request", `${what} must be an object; got ${shown(value)}.`, {
      ...(parent === "" ? {} : { parameter: parent }),
    });
  for (const [field, given] of Object.entries(value))
    if (given !== undefined && !fields.includes(field))
      throw new KleinbildError("invalid-request", `${what} has no field ${field}; there are ${fields.join(", ")}.`, {
        parameter: parent === "" ? field : `${parent}.${field}`,
      });
}

/** A suggestion, where there is a number to be near to. */
export function nearestTo(value: unknown, nearest: (value: number) => number): ErrorDetails {
  return typeof value === "number" && !Number.isNaN(value) ? { nearest: nearest(value) } : {};
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
