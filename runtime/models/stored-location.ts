import { KleinbildError } from "../errors.ts";
import { HttpSource } from "../weights/sources/http-source.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";
import type { ModelStore } from "../weights/store/model-store.ts";
import type { ModelLocation } from "./model-location.ts";

const STORED = "stored:";

/** The place that `stored:` and a kept model's id name: the store alone has its files. Undefined for other names. */
export function storedLocation(model: unknown): ModelLocation | undefined {
  if (typeof model !== "string" || !model.startsWith(STORED)) return undefined;
  return { source: new HttpSource({}), key: model, urlOf: undefined, storedId: model.slice(STORED.length) };
}

/** The files of a kept model. @throws KleinbildError `missing-file` when it is not kept, or not whole */
export async function storedSource(store: ModelStore | undefined, id: string): Promise<ModelSource> {
  const model = await store?.find(id);
  if (store && model?.complete) return store.source(id);
  const problem = model
    ? `The stored model ${id} is not whole: download it again from ${model.address}.`
    : `There is no stored model ${id}.`;
  throw new KleinbildError("missing-file", problem, { id });
}
