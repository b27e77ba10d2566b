import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { TuningStorage } from "../autotune/tuning-cache.ts";
import { KleinbildError } from "../errors.ts";
import { LayeredSource } from "../models/layered-source.ts";
import type { ModelLocation } from "../models/model-location.ts";
import { httpLocation } from "../models/page-location.ts";
import { storedLocation } from "../models/stored-location.ts";
import { openFolderTuningStorage } from "./tuning-storage.ts";
import { FolderSource, type LocalFiles } from "./folder-source.ts";
import { HttpSource } from "../weights/sources/http-source.ts";
import { ModelStore } from "../weights/store/model-store.ts";
import { FolderBackend } from "./folder-backend.ts";

/**
 * A folder, a file with all parts, an http(s) address of a folder, `stored:` and the id of a kept model, or the place of each
 * file by its path in the model.
 */
export type NodeModel = string | Readonly<Record<string, string>>;

/** Klein-nano, which the package carries, unless a model is named. */
export async function openNodeLocation(model: NodeModel | undefined): Promise<ModelLocation> {
  if (model === undefined) return folderPlace(fileURLToPath(new URL("../../models/klein-nano", import.meta.url)));
  if (typeof model !== "string") return mixedPlace(model);
  if (isAddress(model)) return httpLocation(model);
  const stored = storedLocation(model);
  if (stored) return stored;
  const place = await stat(model).catch(() => undefined);
  if (!place)
    throw new KleinbildError("missing-file", `There is no folder or file ${model}.`, {
      parameter: "model",
      path: model,
    });
  return place.isFile() ? localPlace({ [basename(model)]: resolve(model) }) : folderPlace(model);
}

/** Where models are kept: in the user's cache folder unless told. */
export function openNodeStore(folder = storeFolder()): ModelStore {
  return new ModelStore(new FolderBackend(folder));
}

/** The tuning cache of this machine: a folder of its own inside the model store. */
export function openNodeTuningStorage(folder = storeFolder()): TuningStorage {
  return openFolderTuningStorage(join(folder, "measured"));
}

function storeFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "kleinbild", "models");
}

async function folderPlace(folder: string): Promise<ModelLocation> {
  const source = new FolderSource(folder);
  const paths = await source.list();
  const files = Object.fromEntries(paths.map((path) => [path, join(folder, path)]));
  return { source, key: `${resolve(folder)}?${await stamps(files)}`, urlOf: undefined };
}

async function localPlace(files: LocalFiles): Promise<ModelLocation> {
  const first = Object.values(files)[0] ?? "";
  return { source: new FolderSource(files), key: `${first}?${await stamps(files)}`, urlOf: undefined };
}

async function mixedPlace(files: Readonly<Record<string, string>>): Promise<ModelLocation> {
  const entries = Object.entries(files);
  const remote = Object.fromEntries(entries.filter(([, place]) => isAddress(place)));
  const local = Object.fromEntries(
    entries.filter(([, place]) => !isAddress(place)).map(([path, place]) => [path, resolve(place)]),
  );
  if (Object.keys(local).length === 0) return httpLocation(remote);
  const here = await localPlace(local);
  if (Object.keys(remote).length === 0) return here;
  const source = new LayeredSource(here.source, new HttpSource(remote));
  return { source, key: `${here.key} ${httpLocation(remote).key}`, urlOf: undefined };
}

const isAddress = (place: string): boolean => /^https?:/.test(place);

/** Sizes and times of files: another model may come to lie where one was. */
async function stamps(files: LocalFiles): Promise<string> {
  const all = await Promise.all(
    Object.entries(files).map(async ([path, place]) => {
      const { size, mtimeMs } = await stat(place).catch(() => ({ size: 0, mtimeMs: 0 }));
      return [path, size, mtimeMs];
    }),
  );
  return JSON.stringify(all);
}
