import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGetResponse, parseImageInference, parseImageUpload } from "../../../runtime/task/schema/schema.ts";
import { BASE_PAGE, KV_PAGE, UNLISTED } from "./fields.ts";
import { BASE, KV, TASK, thrown } from "./tasks.ts";

const NAMES = [...KV_PAGE, ...BASE_PAGE, ...UNLISTED].flatMap(({ path }) => path.split("."));
const STRANGE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "",
  "0",
  "a.b",
  "lora[0]",
];

/** Any value, including values that JSON cannot express, with names of the schema and names that objects inherit. */
const anything = fc.anything({
  key: fc.oneof(fc.constantFrom(...NAMES, ...STRANGE_NAMES), fc.string()),
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 5,
});
/** Values near the limits of numbers and strings. */
const edge = fc.oneof(
  fc.constantFrom(
    NaN,
    Infinity,
    -Infinity,
    -0,
    0,
    1,
    2 ** 53,
    2 ** 63,
    1e308,
    5e-324,
    2n ** 63n,
    -1n,
    10n ** 100n,
    "",
    null,
    undefined,
  ),
  fc.double(),
  fc.integer({ min: -5, max: 3000 }),
  fc.string(),
  anything,
);
/** Good tasks in which some fields are anything. */
const nearTask = fc
  .dictionary(fc.constantFrom(...new Set(NAMES), ...STRANGE_NAMES), edge, { maxKeys: 12 })
  .map((fields) => ({ ...TASK, ...fields }));

/** Parses to a task or a `TaskError` that can be sent. Any other error fails the test. */
function expectAnswer(parse: () => unknown): void {
  const errors = thrown(parse);
  expect(errors.length).toBeLessThanOrEqual(50);
  expect(JSON.parse(JSON.stringify(errors))).toEqual(errors);
  expect(JSON.stringify(errors).length).toBeLessThan(50_000);
  for (const { code, message } of errors) {
    expect(code).toMatch(/^[a-z][A-Za-z0-9]+$/);
    expect(message).toMatch(/[.?]$/);
  }
}

describe("any value", () => {
  for (const [name, parse] of [
    ["imageInference on a Base model", (value: unknown) => parseImageInference(value, BASE)],
    ["imageInference on a distilled model", (value: unknown) => parseImageInference(value, KV)],
    ["imageUpload", parseImageUpload],
    ["getResponse", parseGetResponse],
  ] as const) {
    it(`is a task or is refused: ${name}`, () =>
      fc.assert(
        fc.property(fc.oneof(anything, nearTask, fc.jsonValue()), (value) => expectAnswer(() => parse(value))),
      ));

    it(`leaves every prototype as it is: ${name}`, () => {
      const pollution =
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"lora":[{"__proto__":{"polluted":1}}]}';
      expectAnswer(() => parse(JSON.parse(pollution)));
      expect({}).not.toHaveProperty("polluted");
    });
  }

  it("is refused when it is deep, long, wide or has no end", () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth++) deep = { inputs: deep, lora: [deep] };
    const endless: Record<string, unknown> = { ...TASK };
    endless["inputs"] = endless;
    endless["lora"] = [endless, endless];
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`x${index}`, index]));
    const values: readonly unknown[] = [
      deep,
      endless,
      wide,
      { ...TASK, positivePrompt: "x".repeat(20_000_000) },
      { ...TASK, scheduler: "E".repeat(1_000_000), taskUUID: "a".repeat(1_000_000), seed: "9".repeat(1_000_000) },
      { ...TASK, webhookURL: `https://${"a/".repeat(1_000_000)} ` },
      { ...TASK, lora: Array.from({ length: 100_000 }, () => 1) },
      { ...TASK, inputs: { referenceImages: Array.from({ length: 100_000 }, () => 1) } },
    ];
    for (const value of values) expectAnswer(() => parseImageInference(value, BASE));
  }, 60_000); // a machine that does other work is slow, not endless
});
