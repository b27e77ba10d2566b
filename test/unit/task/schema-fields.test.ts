import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { ApiError } from "../../../runtime/task/schema/api-error.ts";
import { imageInferenceSchema } from "../../../runtime/task/schema/image-inference-schema.ts";
import type { ModelRules } from "../../../runtime/task/schema/schema.ts";
import { BASE_PAGE, KV_PAGE, type PageField, UNLISTED } from "./fields.ts";
import { BASE, errorsOf, type Fields, KV, TASK } from "./tasks.ts";

const UUID = "00000000-0000-4000-8000-000000000000";
/** Their largest values are in other fields: schema-conditions.test.ts. */
const BOUNDED_BY_STEPS = new Set(["acceleratorOptions.cacheStartStep", "acceleratorOptions.cacheEndStep"]);
/** The only default that differs from the API: step caches change pixels, so they are used only on request. */
const NOT_BY_DEFAULT = "acceleration";

interface Case {
  /** `runware:400@6 width` */
  readonly name: string;
  readonly field: PageField;
  readonly rules: ModelRules;
}

const CASES: readonly Case[] = [
  ...KV_PAGE.map((field) => ({ name: `${KV.id} ${field.path}`, field, rules: KV })),
  ...[...BASE_PAGE, ...UNLISTED].map((field) => ({ name: `${BASE.id} ${field.path}`, field, rules: BASE })),
];
const ofType = (...types: readonly PageField["type"][]): Case[] =>
  CASES.filter(({ field }) => types.includes(field.type));

describe("a required field", () => {
  for (const { name, field, rules } of CASES.filter(({ field }) => field.required))
    it(`must be there: ${name}`, () => {
      const [error, ...others] = errorsOf(withField(field.path, undefined), rules);
      const last = field.path.split(".").at(-1)!;
      expect(error?.code).toBe(`missing${last[0]!.toUpperCase()}${last.slice(1)}`);
      expect(error?.message).toContain("is missing");
      expect(others).toEqual([]);
    });
});

describe("another field", () => {
  for (const { name, field, rules } of CASES.filter(({ field }) => !field.required))
    it(`may be left out or undefined: ${name}`, () => expectGood(field, undefined, rules));

  for (const { name, field, rules } of CASES.filter(({ field }) => field.default !== undefined))
    it(`has the page's default: ${name}`, () => {
      const output = v.parse(imageInferenceSchema(rules), withField(field.path, undefined));
      expect(valueAt(output, field.path)).toBe(field.path === NOT_BY_DEFAULT ? undefined : field.default);
    });
});

describe("a number", () => {
  const numbers = ofType("integer", "float");

  for (const { name, field, rules } of numbers.filter(({ field }) => field.min !== undefined))
    it(`may be ${field.min}, not less: ${name}`, () => {
      expectGood(field, field.min, rules);
      expectBad(field, sum(field.min!, -unitOf(field)), rules);
    });

  for (const { name, field, rules } of numbers.filter(({ field }) => field.max !== undefined))
    it(`may be ${field.max}, not more: ${name}`, () => {
      expectGood(field, field.max, rules);
      // the next double above the largest seed is 2048 away
      expectBad(field, field.path === "seed" ? 2 ** 63 + 2048 : sum(field.max!, unitOf(field)), rules);
    });

  for (const { name, field, rules } of numbers.filter(({ field }) => field.max === undefined))
    it(`has no largest value: ${name}`, () =>
      expectGood(field, BOUNDED_BY_STEPS.has(field.path) ? rules.defaultSteps - 1 : 1e9, rules));

  for (const { name, field, rules } of numbers.filter(({ field }) => field.step !== undefined))
    it(`is a multiple of ${field.step}: ${name}`, () => {
      const inside = sum(field.min ?? 0, field.step!);
      expectGood(field, inside, rules);
      expectBad(field, inside + field.step! / 2, rules);
    });

  for (const { name, field, rules } of ofType("integer"))
    it(`is whole: ${name}`, () => expectBad(field, (field.min ?? 0) + 0.5, rules));

  for (const { name, field, rules } of numbers)
    it(`is no other type: ${name}`, () => {
      const text = field.path === "seed" ? "x" : "1";
      for (const value of [text, true, null, [], {}, NaN, Infinity, -Infinity]) expectBad(field, value, rules);
    });
});

describe("a field of another type", () => {
  for (const { name, field, rules } of ofType("boolean"))
    it(`is true or false: ${name}`, () => {
      for (const value of [true, false]) expectGood(field, value, rules);
      for (const value of ["true", 1, 0, null, [], {}]) expectBad(field, value, rules);
    });

  for (const { name, field, rules } of ofType("object"))
    it(`is an object: ${name}`, () => {
      expectGood(field, {}, rules);
      for (const value of ["x", 1, true, null, [], [{}]]) expectBad(field, value, rules);
    });

  for (const { name, field, rules } of ofType("array of objects"))
    it(`is a list of at least one object: ${name}`, () => {
      for (const length of [1, 30])
        expectGood(
          field,
          Array.from({ length }, () => ({ model: "x" })),
          rules,
        );
      for (const value of [[], "x", 1, true, null, {}]) expectBad(field, value, rules);
    });

  for (const { name, field, rules } of ofType("array of strings"))
    it(`is a list of one to four strings: ${name}`, () => {
      const pictures = (length: number): string[] => Array.from({ length }, () => UUID);
      for (const length of [1, 4]) expectGood(field, pictures(length), rules);
      for (const length of [0, 5]) expectBad(field, pictures(length), rules);
      for (const value of [UUID, 1, null, {}]) expectBad(field, value, rules);
      for (const value of ["", 1, null, {}])
        expect(problems(field, [UUID, UUID, value], rules)).toMatchObject([{ parameter: `${field.path}[2]` }]);
    });
});

describe("a string", () => {
  const strings = ofType("string", undefined);

  for (const { name, field, rules } of strings)
    it(`is no other type: ${name}`, () => {
      for (const value of [1, true, null, [], {}]) expectBad(field, value, rules);
    });

  for (const { name, field, rules } of strings.filter(({ field }) => field.min !== undefined))
    it(`has ${field.min} to ${field.max} characters: ${name}`, () => {
      for (const length of [field.min!, field.max!]) expectGood(field, "x".repeat(length), rules);
      for (const length of [field.min! - 1, field.max! + 1]) expectBad(field, "x".repeat(length), rules);
    });

  for (const { name, field, rules } of strings.filter(({ field }) => field.allowed))
    it(`is one of ${field.allowed!.length} names: ${name}`, () => {
      for (const value of field.allowed!) expectGood(field, value, rules);
      for (const value of ["", "nothing like it", `${field.allowed![0]} `]) expectBad(field, value, rules);
      const [problem] = problems(field, "nothing like it", rules);
      expect(problem!.allowedValues!.toSorted()).toEqual(field.allowed!.toSorted());
    });

  for (const { name, field, rules } of strings.filter(({ field }) => field.format === "UUID v4"))
    it(`is a UUID of version 4: ${name}`, () => {
      for (const value of [UUID, UUID.replace("-8", "-b"), crypto.randomUUID().toUpperCase()])
        expectGood(field, value, rules);
      const others = [UUID.replace("-4", "-7"), UUID.replace("-8", "-c"), `${UUID}0`, `{${UUID}}`, "", "fox"];
      for (const value of others) expectBad(field, value, rules);
    });

  for (const { name, field, rules } of strings.filter(({ field }) => field.format === "URI"))
    it(`is an http or https address: ${name}`, () => {
      for (const value of ["https://a.example", "http://localhost:8080/hook", "HTTPS://a.example/?x=%20"])
        expectGood(field, value, rules);
      const others = ["", "a.example", "/hook", "ftp://a.example", "data:,x", "https://", "https:///x", "http://a b"];
      for (const value of others) expectBad(field, value, rules);
    });
});

/** What is wrong with a task that is good but for this field; that a feature is not built counts for nothing here. */
function problems({ path }: PageField, value: unknown, rules: ModelRules): ApiError[] {
  return errorsOf(withField(path, value), rules).filter(({ code }) => code !== "unsupportedParameter");
}

function expectGood(field: PageField, value: unknown, rules: ModelRules): void {
  expect(problems(field, value, rules)).toEqual([]);
}

/** Expects one error, of this field, with the message of the page. */
function expectBad(field: PageField, value: unknown, rules: ModelRules): void {
  const parameter = field.path.replace(/^lora\./, "lora[0].");
  const found = problems(field, value, rules);
  expect(found.map((error) => error.parameter)).toEqual([parameter]);
  expect(found[0]).toMatchObject(factsOnPage(field));
  expect(found[0]!.message).toContain(`${parameter} must be`);
}

function factsOnPage({ type = "string", min, max, step, default: preset, path }: PageField): Partial<ApiError> {
  return {
    type: type.startsWith("array") ? "array" : type,
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(step !== undefined && { multiplier: step }),
    ...(preset !== undefined && path !== NOT_BY_DEFAULT && { default: preset }),
  };
}

function withField(path: string, value: unknown): Fields {
  const [top = "", middle, bottom] = path.split(".");
  if (middle === undefined) return { ...TASK, [top]: value };
  if (top === "lora") return { ...TASK, lora: [{ model: "x", [middle]: value }] };
  return { ...TASK, [top]: { [middle]: bottom === undefined ? value : { [bottom]: value } } };
}

function valueAt(output: object, path: string): unknown {
  const step = (value: unknown, name: string): unknown =>
    (Array.isArray(value) ? value[0] : value)?.[name as keyof typeof value];
  return path.split(".").reduce<unknown>(step, output);
}

/** The step between two values. */
function unitOf({ step, type }: PageField): number {
  return step ?? (type === "integer" ? 1 : 0.01);
}

/** Without the rounding error of floating point. */
function sum(limit: number, step: number): number {
  return Math.round((limit + step) * 100) / 100;
}
