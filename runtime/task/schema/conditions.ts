import type { ApiError } from "./api-error.ts";
import { windowErrors } from "./cache-window.ts";
import type { ImageInferenceOutput } from "./image-inference-schema.ts";
import type { ModelRules } from "./model-rules.ts";

type Task = Partial<ImageInferenceOutput>;
type Accelerator = NonNullable<ImageInferenceOutput["acceleratorOptions"]>;

const CACHES = ["fbCache", "teaCache", "dbCache"] as const satisfies readonly (keyof Accelerator)[];
const NOT_AVAILABLE = "is not available here; leave it out.";

/**
 * Errors of rules between fields, and between fields and the model. Fields with problems of their own are left out, so that
 * each problem is reported once.
 *
 * @param task    output of the schema, without the fields that are wrong
 * @param errors  problems of single fields
 */
export function conditionErrors(task: Task, rules: ModelRules, errors: readonly ApiError[]): ApiError[] {
  const right = <Fields extends object>(fields: Fields | undefined, path: string): Partial<Fields> => {
    if (fields === undefined || errors.some(({ parameter }) => parameter === path)) return {};
    const kept = Object.entries(fields).filter(([name]) => !isWrong(errors, `${path}.${name}`));
    return Object.fromEntries(kept) as Partial<Fields>;
  };
  const accelerator = right(task.acceleratorOptions, "acceleratorOptions");
  return [
    ...safetyErrors(right(task.safety, "safety")),
    ...cacheErrors(accelerator, rules),
    ...windowErrors(accelerator, isWrong(errors, "steps") ? undefined : task.steps),
    ...featureErrors(task).filter(({ parameter }) => !isWrong(errors, parameter!)),
  ];
}

/** Whether a field, or one inside it, has a problem of its own. */
function isWrong(errors: readonly ApiError[], field: string): boolean {
  return errors.some(({ parameter }) => parameter === field || parameter?.startsWith(`${field}.`));
}

function safetyErrors({ checkContent, mode }: Partial<NonNullable<Task["safety"]>>): ApiError[] {
  const errors: ApiError[] = [];
  if (checkContent) errors.push(unsupported("safety.checkContent", NOT_AVAILABLE));
  if (mode === "fast") errors.push(unsupported("safety.mode", NOT_AVAILABLE));
  return errors;
}

function featureErrors({ ultralytics, advancedFeatures }: Task): ApiError[] {
  const errors: ApiError[] = [];
  if (ultralytics) errors.push(unsupported("ultralytics", NOT_AVAILABLE));
  if (advancedFeatures?.ultralytics) errors.push(unsupported("advancedFeatures.ultralytics", NOT_AVAILABLE));
  return errors;
}

/** At most one cache, and none on a distilled model. */
function cacheErrors(options: Partial<Accelerator>, { distilled, id }: ModelRules): ApiError[] {
  const asked = CACHES.filter((cache) => options[cache]).map((cache) => `acceleratorOptions.${cache}`);
  if (distilled)
    return asked.map((parameter) =>
      unsupported(parameter, `is for Base models: ${id} is distilled and has no steps to spare. Leave it out.`),
    );
  const [, second] = asked;
  if (second === undefined) return [];
  const message = `${asked.join(" and ")} exclude each other: only one cache can decide which steps are reused. Set one of them.`;
  return [{ code: "incompatibleParameters", message, parameter: second, type: "boolean" }];
}

function unsupported(parameter: string, why: string): ApiError {
  return { code: "unsupportedParameter", message: `${parameter} ${why}`, parameter };
}
