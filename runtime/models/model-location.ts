import type { ModelSource } from "../weights/sources/model-source.ts";

/** Where a model comes from. */
export interface ModelLocation {
  readonly source: ModelSource;
  /** Names it in the store: the same for the same files. */
  readonly key: string;
  /** The address of a file of it; undefined where its files are on this machine already. */
  readonly urlOf: ((path: string) => string) | undefined;
  /** Its id, where the store is the only place that has it. */
  readonly storedId?: string;
}
