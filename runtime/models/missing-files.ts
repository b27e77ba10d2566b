import type { WeightPart } from "../weights/inventory.ts";
import type { OpenModel } from "../weights/open-model.ts";
import { WEIGHT_FILES } from "../weights/repack/repack-model.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";
import type { ModelStore } from "../weights/store/model-store.ts";

/**
 * Bytes of the files that preparing a model downloads: whole files, also where some of their tensors are not read.
 *
 * @param id  what the store has the model under; originals of what is repacked have that id and a dot before theirs
 */
export async function missingBytes(
  store: ModelStore,
  id: string,
  source: ModelSource,
  { files, recognition }: OpenModel,
  isRepacked: boolean,
  signal?: AbortSignal,
): Promise<number> {
  const pathsOf = (isAsked: (id: string) => boolean): ReadonlySet<string> =>
    new Set(kept.filter((model) => isAsked(model.id)).flatMap((model) => model.files.map(({ path }) => path)));
  const kept = await store.list();
  const own = pathsOf((other) => other === id);
  const there = isRepacked ? pathsOf((other) => other.startsWith(`${id}.`)) : own;
  const parts = Object.entries(recognition.parts) as [WeightPart, { readonly files: readonly string[] }][];
  // a file of which one part is made has to come for another one as well
  const isMade = (path: string): boolean => {
    const using = parts.filter(([, part]) => part.files.includes(path));
    return isRepacked && using.length > 0 && using.every(([part]) => own.has(WEIGHT_FILES[part]));
  };
  return sizeOf(
    source,
    files.filter((path) => !there.has(path) && !isMade(path)),
    signal,
  );
}

/** Bytes of files, which are asked for their size. */
export async function sizeOf(source: ModelSource, paths: readonly string[], signal?: AbortSignal): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await source.open(path, signal)).size;
  return bytes;
}
