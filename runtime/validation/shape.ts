import { entriesOf, factsOf, fieldAt, type Path, type Schema } from "./field-facts.ts";

/** A field that does not exist, or a list where an object belongs. */
export type ShapeProblem =
  /** @see known  the fields that the object at `path` may have */
  | { readonly kind: "unknown"; readonly path: Path; readonly name: string; readonly known: readonly string[] }
  | { readonly kind: "list"; readonly path: Path; readonly value: readonly unknown[] };

/**
 * Finds what valibot's strict objects miss: they report one unknown field at most, and accept lists. A misspelt field would
 * be ignored silently. A field that is `undefined` counts as left out.
 */
export function* shapeProblems(schema: Schema, value: unknown, path: Path = []): Generator<ShapeProblem, void> {
  if (typeof value !== "object" || value === null) return;
  const { type } = factsOf(schema);
  if (type === "array" && Array.isArray(value)) {
    const item = fieldAt(schema, [0]);
    if (item && factsOf(item).type === "object")
      for (const [index, one] of value.entries()) yield* shapeProblems(item, one, [...path, index]);
  }
  if (type !== "object") return;
  if (Array.isArray(value)) {
    yield { kind: "list", path, value };
    return;
  }
  const entries = entriesOf(schema);
  for (const [name, below] of Object.entries(value)) {
    if (below === undefined) continue;
    if (Object.hasOwn(entries, name)) yield* shapeProblems(entries[name]!, below, [...path, name]);
    else yield { kind: "unknown", path, name, known: Object.keys(entries) };
  }
}
