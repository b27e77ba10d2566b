import type * as v from "valibot";

/** What a field accepts, in the terms of the hosted API's documentation. */
export interface FieldFacts {
  readonly type: "string" | "integer" | "float" | "boolean" | "object" | "array";
  readonly required: boolean;
  readonly format?: "uuid" | "uri" | undefined;
  /** Limits of the value, of the length of a string, or of the number of items. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly multiplier?: number | undefined;
  readonly default?: string | number | boolean | undefined;
  readonly allowedValues?: readonly string[] | undefined;
}

/** The members of valibot's schemas that are read here. */
interface Node {
  readonly kind: string;
  readonly type: string;
  readonly pipe?: readonly Node[];
  readonly wrapped?: Node;
  readonly default?: unknown;
  readonly item?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly options?: readonly unknown[];
  readonly literal?: string;
  readonly requirement?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export type Schema = v.GenericSchema<unknown, unknown>;
export type Path = readonly (string | number)[];

/** The facts in the schema of one field. */
export function factsOf(schema: Schema): FieldFacts {
  const field = schema as Node;
  const inner = unwrap(field);
  const required = field.type !== "optional";
  const value = field.default;
  const given = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return { required, ...(given && { default: value }), ...limitsOf(inner) };
}

/** The schema of the field at a path, `undefined` where there is none. */
export function fieldAt(schema: Schema, path: Path): Schema | undefined {
  let node: Node | undefined = schema;
  for (const key of path) {
    const inner: Node = unwrap(node);
    node = typeof key === "number" ? inner.item : entryOf(inner, key);
    if (node === undefined) return undefined;
  }
  return node as Schema;
}

/** The fields of an object's schema, or of the objects in a list's; none for other kinds. */
export function entriesOf(schema: Schema): Readonly<Record<string, Schema>> {
  const inner = unwrap(schema);
  const { entries } = inner.item ? unwrap(inner.item) : inner;
  return (entries ?? {}) as Readonly<Record<string, Schema>>;
}

/** Whether a field accepts several types. */
export function isUnion(schema: Schema): boolean {
  return unwrap(schema).type === "union";
}

/** What the value must be in the field's own words. */
export function expectedOf(schema: Schema): string | undefined {
  const { pipe = [], wrapped } = schema as Node;
  const said = pipe.map(({ metadata }) => metadata?.["expected"]).find((expected) => typeof expected === "string");
  return said ?? (wrapped && expectedOf(wrapped as Schema));
}

/** Every field below a schema as a dotted path, parents first, items of lists without an index: `lora`, `lora.model`. */
export function fieldPaths(schema: Schema): string[] {
  return Object.entries(entriesOf(schema)).flatMap(([name, field]) => [
    name,
    ...fieldPaths(field).map((below) => `${name}.${below}`),
  ]);
}

/** `inputs.referenceImages[2]` */
export function dotted(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

function limitsOf(node: Node): Omit<FieldFacts, "required" | "default"> {
  // a union's first option is the documented type; the others are other spellings of it
  if (node.type === "union") return limitsOf((node.options as readonly Node[])[0]!);
  const checks = node.pipe ?? [];
  const requirement = (type: string): number | undefined =>
    checks.find((check) => check.type === type)?.requirement as number | undefined;
  const metadata = Object.assign({}, ...checks.map((check) => check.metadata ?? {})) as {
    multipleOf?: number;
    format?: "uuid" | "uri";
  };
  const min = requirement("min_value") ?? requirement("min_length");
  const max = requirement("max_value") ?? requirement("max_length");
  const allowedValues = node.type === "literal" ? [node.literal!] : (node.options as readonly string[] | undefined);
  return {
    type: typeName(node, checks),
    ...(metadata.format !== undefined && { format: metadata.format }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(metadata.multipleOf !== undefined && { multiplier: metadata.multipleOf }),
    ...(allowedValues && { allowedValues }),
  };
}

function typeName(node: Node, checks: readonly Node[]): FieldFacts["type"] {
  switch (node.type) {
    case "number":
      return checks.some((check) => check.type === "integer") ? "integer" : "float";
    case "boolean":
      return "boolean";
    case "array":
      return "array";
    case "strict_object":
      return "object";
    default:
      return "string";
  }
}

/** The schema of a field that is present and not null. */
function unwrap(node: Node): Node {
  return (node.type === "optional" || node.type === "nullable") && node.wrapped ? unwrap(node.wrapped) : node;
}

function entryOf(node: Node, key: string): Node | undefined {
  return node.entries && Object.hasOwn(node.entries, key) ? node.entries[key] : undefined;
}
