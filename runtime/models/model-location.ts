import { KleinbildError } from "../errors.ts";
import { HttpSource } from "../weights/sources/http-source.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";
import type { ModelStore } from "../weights/store/model-store.ts";

/** Where a model comes from. */
export interface ModelLocation {
  readonly source: ModelSource;
  /** Identifies the model in the store: the same for the same files. */
  readonly key: string;
  /** The address of a file of the model; undefined when its files are on this machine already. */
  readonly urlOf: ((path: string) => string) | undefined;
  /** The id of the model, when only the store has its files. */
  readonly storedId?: string;
}

const STORED = "stored:";

/** The location that `stored:` and the id of a stored model name; undefined for other names. */
export function storedLocation(model: unknown): ModelLocation | undefined {
  if (typeof model !== "string" || !model.startsWith(STORED)) return undefined;
  return { source: new HttpSource({}), key: model, urlOf: undefined, storedId: model.slice(STORED.length) };
}

/** The files of a stored model. @throws KleinbildError `missing-file` when it is not in the store, or incomplete */
export async function storedSource(store: ModelStore | undefined, id: string): Promise<ModelSource> {
  const model = await store?.find(id);
  if (store && model?.complete) return store.source(id);
  const problem = model
    ? `The stored model ${id} is incomplete: download it again from ${model.address}.`
    : `The store has no model ${id}.`;
  throw new KleinbildError("missing-file", problem, { id });
}
