import { type ApiError, show } from "./api-error.ts";
import { dotted, entriesOf, factsOf, fieldAt, fieldPaths, type Path, type Schema } from "./field-facts.ts";
import { fieldError } from "./issue-to-error.ts";
import { nearestName } from "./nearest-name.ts";

/** More names than this are not reported: a request with that many is no request. */
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

/**
 * Fields that do not exist, at any depth, and lists where an object belongs: what valibot's objects report once or not at
 * all. A field that is `undefined` is not given, as everywhere.
 */
export function shapeErrors(schema: Schema, value: unknown): ApiError[] {
  const errors: ApiError[] = [];
  const visit = (field: Schema, found: unknown, path: Path): void => {
    if (typeof found !== "object" || found === null || errors.length >= MAX_UNKNOWN) return;
    const { type } = factsOf(field);
    if (type === "array" && Array.isArray(found)) {
      const item = fieldAt(field, [0])!;
      if (factsOf(item).type === "object")
        for (const [index, one] of found.entries()) visit(item, one, [...path, index]);
      return;
    }
    if (type !== "object") return;
    if (Array.isArray(found)) {
      errors.push(fieldError(schema, path, found));
      return;
    }
    const entries = entriesOf(field);
    for (const [name, below] of Object.entries(found)) {
      if (below === undefined) continue;
      if (Object.hasOwn(entries, name)) visit(entries[name]!, below, [...path, name]);
      else if (errors.length < MAX_UNKNOWN) errors.push(unknownField(schema, path, name));
    }
  };
  visit(schema, value, []);
  return errors;
}

function unknownField(schema: Schema, path: Path, name: string): ApiError {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const parameter = dotted([...path, shown]);
  const names = Object.keys(entriesOf(path.length === 0 ? schema : fieldAt(schema, path)!));
  const meant = probablyMeant(schema, path, name, names);
  const place = path.length === 0 ? "There" : `In ${dotted(path)} there`;
  const hint = meant === undefined ? ` ${place} are ${names.join(", ")}.` : ` Did you mean ${meant}?`;
  return { code: "unsupportedParameter", message: `There is no field ${show(parameter)}.${hint}`, parameter };
}

/** A field of the same name elsewhere, a known other name, or the nearest name at this place. */
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
