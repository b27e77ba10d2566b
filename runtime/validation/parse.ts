import * as v from "valibot";
import { type ErrorDetails, KleinbildError } from "../errors.ts";
import { expectation, nearestNumber, show } from "./describe-field.ts";
import { dotted, factsOf, fieldAt, type Path, type Schema } from "./field-facts.ts";
import { type ShapeProblem, shapeProblems } from "./shape.ts";

/** How errors name what is parsed. */
interface Naming {
  /** The whole: "A request". Default: `parameter`. */
  readonly what?: string | undefined;
  /** Path of the value in a request; undefined: it is the whole request. */
  readonly parameter?: string | undefined;
  /** What its members are called. Default: field. */
  readonly member?: "field" | "option" | undefined;
}

/**
 * Checks a value against a schema and fills in the defaults.
 *
 * @throws KleinbildError `invalid-request` for the first problem, with `parameter` in its details, and with `min`, `max` and
 * `nearest` where the field has them
 */
export function parse<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown, naming: Naming): Output {
  for (const problem of shapeProblems(schema, value)) throw shapeError(problem, naming);
  const { issues = [], output } = v.safeParse(schema, value);
  const issue = issues.find((one) => !isUnknownField(one));
  if (issue) throw issueError(schema, issue, naming);
  return output as Output;
}

/** Whether valibot's issue is about a field that does not exist; `shapeProblems` finds those. */
export function isUnknownField({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === "strict_object" && expected === "never";
}

/** Where in the value an issue is. */
export function pathOf({ path }: v.BaseIssue<unknown>): Path {
  return (path ?? []).map(({ key }) => key) as Path;
}

function shapeError(problem: ShapeProblem, naming: Naming): KleinbildError {
  const { path } = problem;
  const what = nameOf(naming, path);
  if (problem.kind === "list")
    return invalid(`${what} must be an object; got ${show(problem.value)}.`, pathIn(naming, path));
  const { name, known } = problem;
  const message = `${what} has no ${naming.member ?? "field"} ${name}; there are ${known.join(", ")}.`;
  return invalid(message, pathIn(naming, [...path, name]));
}

function issueError(schema: Schema, issue: v.BaseIssue<unknown>, naming: Naming): KleinbildError {
  const path = pathOf(issue);
  const field = fieldAt(schema, path) ?? schema;
  const value = path.length === 0 ? issue.input : issue.path?.at(-1)?.value;
  const facts = factsOf(field);
  const nearest = nearestNumber(facts, value);
  return invalid(`${nameOf(naming, path)} must be ${expectation(field)}; got ${show(value)}.`, pathIn(naming, path), {
    ...(facts.min !== undefined && { min: facts.min }),
    ...(facts.max !== undefined && { max: facts.max }),
    ...(nearest !== undefined && { nearest }),
  });
}

function nameOf(naming: Naming, path: Path): string | undefined {
  return (path.length === 0 ? naming.what : undefined) ?? pathIn(naming, path);
}

function pathIn({ parameter }: Naming, path: Path): string | undefined {
  if (path.length === 0) return parameter;
  const inner = dotted(path);
  if (parameter === undefined) return inner;
  return inner.startsWith("[") ? `${parameter}${inner}` : `${parameter}.${inner}`;
}

function invalid(message: string, parameter: string | undefined, details: ErrorDetails = {}): KleinbildError {
  return new KleinbildError("invalid-request", message, {
    ...(parameter !== undefined && { parameter }),
    ...details,
  });
}
