import { statSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import { SCHEDULERS, type SchedulerName } from "../runtime/sampling/scheduler.ts";
import { nearestName } from "../runtime/validation/nearest-name.ts";

/** Parsers of option values. Each throws commander's error, which ends the process with a message and status 1. */

/** Creates a parser of whole numbers in a range. */
export function wholeNumber(min = 0, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} was expected.`);
  };
}

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("A number was expected.");
}

/** A seed, as text: a `number` does not hold all of them. */
export function seed(text: string): string {
  if (/^\d{1,19}$/.test(text)) return text;
  throw new InvalidArgumentError("A whole number of 0 to 2^63 - 1 was expected.");
}

export function scheduler(name: string): SchedulerName {
  if (Object.hasOwn(SCHEDULERS, name)) return name as SchedulerName;
  const nearest = nearestName(name, Object.keys(SCHEDULERS));
  const hint = nearest === undefined ? "" : `Did you mean "${nearest}"? `;
  throw new InvalidArgumentError(`${hint}See docs/schedulers.md for all schedulers.`);
}

/** @throws InvalidArgumentError when there is no such file */
export function existingFile(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new InvalidArgumentError(`There is no file ${file}.`);
}

/** Adds a file to the earlier files of the same option. */
export function existingFiles(file: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, existingFile(file)];
}

/** Splits `key=value` at the first equals sign. */
export function keyAndValue(text: string, key: string, value: string): readonly [key: string, value: string] {
  const [, found, rest] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (found !== undefined && rest !== undefined) return [found, rest];
  throw new InvalidArgumentError(`${key}=${value} was expected.`);
}

/** An option that takes one of several values. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}
