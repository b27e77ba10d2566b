import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { imageInferenceJsonSchema } from "../../../tools/json-schema/image-inference.ts";
import { type FieldFacts, factsOf, fieldAt, fieldPaths, type Path } from "../../../runtime/validation/field-facts.ts";
import { imageInferenceSchema } from "../../../runtime/task/schema/image-inference-schema.ts";
import { RULES_OF_ANY_MODEL } from "../../../runtime/task/schema/schema.ts";
import { BASE_PAGE, KV_PAGE, UNLISTED } from "./fields.ts";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
const SCHEMA = imageInferenceSchema(RULES_OF_ANY_MODEL);

/** What depends on the model. */
const BY_MODEL: Readonly<Record<string, readonly [limits: string, preset: string]>> = {
  negativePrompt: ["1 – 10000 characters; 9B KV 2 – 3000", ""],
  steps: ["1 – 50", "28; distilled 4"],
};

interface Row {
  readonly path: string;
  readonly type: string;
  readonly limits: string;
  readonly preset: string;
  readonly effect: string;
  readonly tests: readonly string[];
}

/** The rows of the table of fields in docs/task.md. */
function rows(): Row[] {
  const [, section = ""] = read("docs/task.md").split(/^## Fields$/m);
  const [table = ""] = section.split(/^## /m);
  return [...table.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, path = "", rest = ""]) => {
    const [type = "", limits = "", preset = "", effect = "", tests = ""] = rest.split(" | ").map((cell) => cell.trim());
    return {
      path,
      type,
      limits,
      preset,
      effect,
      tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
    };
  });
}

/** The cells that the schema decides. */
function cells(path: string): Pick<Row, "type" | "limits" | "preset"> {
  const keys = path.split(".").flatMap((name): Path => (name === "lora" && path !== "lora" ? [name, 0] : [name]));
  const facts = factsOf(fieldAt(SCHEMA, keys)!);
  const [limits, preset] = BY_MODEL[path] ?? [limitsCell(facts), presetCell(facts)];
  return { type: facts.type, limits, preset };
}

function limitsCell({ type, min, max, multiplier, allowedValues, format }: FieldFacts): string {
  if (allowedValues)
    return allowedValues.length > 8
      ? `${allowedValues.length} names`
      : allowedValues.map((name) => `\`${name}\``).join(" ");
  if (format !== undefined) return format === "uuid" ? "UUID v4" : "http or https";
  const unit = { string: " characters", array: " items" }[type as string] ?? "";
  const range = min === undefined ? "" : max === undefined ? `≥ ${min}${unit}` : `${min} – ${max}${unit}`;
  return multiplier === undefined ? range : `${range} by ${multiplier}`;
}

function presetCell({ required, default: preset }: FieldFacts): string {
  if (required) return "required";
  return preset === undefined ? "" : String(preset);
}

describe("docs/task.md", () => {
  it("has a row for every field of the schema, in its order, and no other", () =>
    expect(rows().map(({ path }) => path)).toEqual(fieldPaths(SCHEMA)));

  it("has a row for every field of the pages", () => {
    const documented = new Set(rows().map(({ path }) => path));
    const printed = new Set([...KV_PAGE, ...BASE_PAGE, ...UNLISTED].map(({ path }) => path));
    expect([...printed].filter((path) => !documented.has(path))).toEqual([]);
    expect([...documented].filter((path) => !printed.has(path))).toEqual([]);
  });

  for (const { path, type, limits, preset, effect, tests } of rows())
    it(`says of ${path} what the schema says, what it does and which test shows it`, () => {
      expect({ type, limits, preset }).toEqual(cells(path));
      expect(effect).not.toBe("");
      expect(tests.length).toBeGreaterThan(0);
      expect(tests.filter((name) => !existsSync(new URL(`test/${name}.test.ts`, ROOT)))).toEqual([]);
    });
});

describe("schema/image-inference.json", () => {
  it("is what the schema gives; `npm run schema` writes it", () =>
    expect(read("schema/image-inference.json")).toBe(imageInferenceJsonSchema()));

  it("knows every field, and that there are no others", () => {
    interface Node {
      readonly properties?: Readonly<Record<string, Node>>;
      readonly items?: Node;
      readonly additionalProperties?: boolean;
    }
    const paths = ({ properties = {}, items }: Node): string[] =>
      items
        ? paths(items)
        : Object.entries(properties).flatMap(([name, node]) => [
            name,
            ...paths(node).map((below) => `${name}.${below}`),
          ]);
    const schema = JSON.parse(imageInferenceJsonSchema()) as Node;
    expect(paths(schema)).toEqual(fieldPaths(SCHEMA));
    expect(schema.additionalProperties).toBe(false);
  });
});
