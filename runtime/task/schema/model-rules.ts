/** What differs from model to model in what a task may ask. */
export interface ModelRules {
  /** As tasks name it, for messages. */
  readonly id: string;
  readonly defaultSteps: number;
  /** Characters. */
  readonly negativePrompt: { readonly min: number; readonly max: number };
  /** Distilled models take no guidance and no step caching. */
  readonly distilled: boolean;
}

/** Rules for a task whose model is not known: the widest, so that its other problems can be named too. */
export const RULES_OF_ANY_MODEL: ModelRules = {
  id: "any model",
  defaultSteps: 28,
  negativePrompt: { min: 1, max: 10_000 },
  distilled: false,
};
