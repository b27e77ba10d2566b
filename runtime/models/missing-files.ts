import type { WeightPart } from "../weights/inventory.ts";
import type { OpenModel } from "../weights/open-model.ts";
import { WEIGHT_FILES } from "../weights/repack/repack-model.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";
import type { ModelStore } from "../weights/store/model-store.ts";

/** A model that is to be prepared. */
interface ToPrepare {
  readonly store: ModelStore;
  /** Id of the prepared model. The originals of repacked parts have this id, a dot and a suffix. */
  readonly id: string;
  readonly source: ModelSource;
  readonly model: OpenModel;
  readonly isRepacked: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that preparing a model downloads: whole files, also if only some of their tensors are read. */
export async function missingBytes({ store, id, source, model, isRepacked, signal }: ToPrepare): Promise<number> {
  const stored = await store.list();
  const pathsOf = (matches: (id: string) => boolean): ReadonlySet<string> =>
    new Set(stored.filter((one) => matches(one.id)).flatMap(({ files }) => files.map(({ path }) => path)));
  const own = pathsOf((other) => other === id);
  const downloaded = isRepacked ? pathsOf((other) => other.startsWith(`${id}.`)) : own;
  const parts = Object.entries(model.recognition.parts) as [WeightPart, { readonly files: readonly string[] }][];
  // a file that several parts share is needed until all of them are repacked
  const isDone = (path: string): boolean => {
    const using = parts.filter(([, part]) => part.files.includes(path));
    return isRepacked && using.length > 0 && using.every(([part]) => own.has(WEIGHT_FILES[part]));
  };
  const missing = model.files.filter((path) => !downloaded.has(path) && !isDone(path));
  return sizeOf(source, missing, signal);
}

/** The total size of files. */
export async function sizeOf(source: ModelSource, paths: readonly string[], signal?: AbortSignal): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await source.open(path, signal)).size;
  return bytes;
}
