/** Limits and defaults of tasks that depend on the model. */
export interface ModelRules {
  /** AIR id of the model, for messages. */
  readonly id: string;
  /** `steps` of a task that has none. */
  readonly defaultSteps: number;
  /** Limits of its length, in characters. */
  readonly negativePrompt: { readonly min: number; readonly max: number };
  /** Distilled models take no guidance and no step caching. */
  readonly distilled: boolean;
}

/** The widest rules, for tasks of an unknown model: their other problems are reported too. */
export const RULES_OF_ANY_MODEL: ModelRules = {
  id: "any model",
  defaultSteps: 28,
  negativePrompt: { min: 1, max: 10_000 },
  distilled: false,
};
