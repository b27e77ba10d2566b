import { type ApiError, fieldCode } from "./api-error.ts";

/** The steps that may reuse computations. Each end is a step or a percentage of the steps. */
interface WindowOptions {
  readonly cacheStartStep?: number | undefined;
  readonly cacheStartStepPercentage?: number | undefined;
  readonly cacheEndStep?: number | undefined;
  readonly cacheEndStepPercentage?: number | undefined;
}

/**
 * The window in steps: from 0, the end exclusive. Percentages are rounded outwards to whole steps, so that a window with its
 * end above its start is never empty. An end that is not given stays `undefined`.
 */
export function resolveWindow(
  options: WindowOptions,
  steps: number,
): { readonly start: number | undefined; readonly end: number | undefined } {
  const { cacheStartStep, cacheStartStepPercentage: from, cacheEndStep, cacheEndStepPercentage: to } = options;
  return {
    start: from === undefined ? cacheStartStep : Math.floor((steps * from) / 100),
    end: to === undefined ? cacheEndStep : Math.ceil((steps * to) / 100),
  };
}

/**
 * Checks that each end is given once, that the start is before the end, and that the end is within the steps.
 *
 * @param steps  of the task; `undefined` when they are wrong themselves
 */
export function windowErrors(options: WindowOptions, steps: number | undefined): ApiError[] {
  const twice = (["cacheStartStep", "cacheEndStep"] as const)
    .filter((end) => options[end] !== undefined && options[`${end}Percentage`] !== undefined)
    .map((end) => givenTwice(`acceleratorOptions.${end}`));
  if (twice.length > 0) return twice;
  const { cacheStartStep, cacheStartStepPercentage: from, cacheEndStep, cacheEndStepPercentage: to } = options;
  if (from !== undefined && to !== undefined && to <= from)
    return [outside("cacheEndStepPercentage", to, `above cacheStartStepPercentage, ${from}`, from + 1, 100)];
  if (cacheStartStep !== undefined && steps !== undefined && cacheStartStep >= steps)
    return [outside("cacheStartStep", cacheStartStep, `below steps, ${steps}`, 0, steps - 1)];
  if (cacheEndStep !== undefined && steps !== undefined && cacheEndStep > steps)
    return [outside("cacheEndStep", cacheEndStep, `at most steps, ${steps}`, 1, steps)];
  return orderErrors(options, steps);
}

/** Checks that the start is before the end, when both are known in steps. */
function orderErrors(options: WindowOptions, steps: number | undefined): ApiError[] {
  const { cacheEndStep, cacheEndStepPercentage, cacheStartStepPercentage } = options;
  const inPercent = cacheEndStepPercentage !== undefined || cacheStartStepPercentage !== undefined;
  if (inPercent && steps === undefined) return [];
  const { start, end } = resolveWindow(options, steps ?? 0);
  if (start === undefined || end === undefined || start < end) return [];
  if (cacheEndStep !== undefined)
    return [outside("cacheEndStep", cacheEndStep, `above the start of reuse, step ${start}`, start + 1, steps)];
  return [outside("cacheStartStep", start, `below the end of reuse, step ${end}`, 0, end - 1)];
}

function givenTwice(end: string): ApiError {
  const parameter = `${end}Percentage`;
  const message = `${end} and ${parameter} mean the same; give one of them.`;
  return { code: "incompatibleParameters", message, parameter, type: "integer" };
}

function outside(
  field: keyof WindowOptions,
  value: number,
  expected: string,
  min: number,
  max: number | undefined,
): ApiError {
  const parameter = `acceleratorOptions.${field}`;
  const message = `${parameter} must be ${expected}; got ${value}.`;
  const code = fieldCode("invalid", parameter);
  return { code, message, parameter, type: "integer", min, ...(max !== undefined && { max }) };
}
