import { type BenchmarkOptions, CASE_NAMES, type CaseName, CASES } from "../../bench/index.ts";

/** What is chosen in the form. */
export type FormChoice = Pick<BenchmarkOptions, "cases" | "repeats" | "seconds" | "dtype" | "shapes">;

export const DEFAULT_ROUNDS = 5;
export const MAX_ROUNDS = 1000;
export const DEFAULT_SECONDS = 120;

export const PRECISIONS = {
  "": "Automatic",
  f16: "f16",
  f32: "f32",
} as const satisfies Record<NonNullable<FormChoice["dtype"]> | "", string>;

export const SHAPES = {
  "": "Automatic",
  gpu: "klein 4B",
  software: "For a CPU",
  tiny: "Tiny",
} as const satisfies Record<NonNullable<FormChoice["shapes"]> | "", string>;

/** Cases that a page can run. */
export const PAGE_CASES: readonly CaseName[] = CASE_NAMES.filter((name) => !CASES[name].nodeOnly);

export function needsBaseModel(name: CaseName): boolean {
  return name === "base" || name === "acceleration";
}

/** The fields `case`, `rounds`, `seconds` (empty: as long as it takes), `dtype` and `shapes` (empty: by the adapter). */
export function choiceOf(fields: FormData): FormChoice {
  const text = (name: string): string => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const chosen = fields.getAll("case");
  return {
    cases: PAGE_CASES.filter((name) => chosen.includes(name)),
    repeats: Number(text("rounds")),
    seconds: text("seconds") ? Number(text("seconds")) : undefined,
    dtype: keyOf(PRECISIONS, text("dtype")),
    shapes: keyOf(SHAPES, text("shapes")),
  };
}

function keyOf<Key extends string>(choices: Readonly<Record<Key, string>>, text: string): Exclude<Key, ""> | undefined {
  return text !== "" && text in choices ? (text as Exclude<Key, "">) : undefined;
}
