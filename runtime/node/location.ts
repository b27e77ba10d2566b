import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { TuningStorage } from "../autotune/tuning-cache.ts";
import { KleinbildError } from "../errors.ts";
import { LayeredSource } from "../models/layered-source.ts";
import type { ModelLocation } from "../models/model-location.ts";
import { httpLocation } from "../models/page-location.ts";
import { storedLocation } from "../models/model-location.ts";
import { openFolderTuningStorage } from "./tuning-storage.ts";
import { FolderSource, type LocalFiles } from "./folder-source.ts";
import { HttpSource } from "../weights/sources/http-source.ts";
import { ModelStore } from "../weights/store/model-store.ts";
import { FolderBackend } from "./folder-backend.ts";

/**
 * A model: a folder, one file with all its parts, the http(s) address of a folder, `stored:` and the id of a stored model, or
 * the path or http(s) address of each file, by its path in the model.
 */
export type NodeModel = string | Readonly<Record<string, string>>;

/** @param model  Default: klein-nano, which is part of the package */
export async function openNodeLocation(model: NodeModel | undefined): Promise<ModelLocation> {
  if (model === undefined) return folderLocation(fileURLToPath(new URL("../../models/klein-nano", import.meta.url)));
  if (typeof model !== "string") return listedLocation(model);
  if (isAddress(model)) return httpLocation(model);
  const stored = storedLocation(model);
  if (stored) return stored;
  const stats = await stat(model).catch(() => undefined);
  if (!stats)
    throw new KleinbildError("missing-file", `There is no folder or file ${model}.`, {
      parameter: "model",
      path: model,
    });
  return stats.isFile() ? localLocation({ [basename(model)]: resolve(model) }) : folderLocation(model);
}

/** @param folder  Default: `kleinbild/models` in the user's cache folder */
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

async function folderLocation(folder: string): Promise<ModelLocation> {
  const source = new FolderSource(folder);
  const paths = await source.list();
  const files = Object.fromEntries(paths.map((path) => [path, join(folder, path)]));
  return { source, key: `${resolve(folder)}?${await stamps(files)}`, urlOf: undefined };
}

async function localLocation(files: LocalFiles): Promise<ModelLocation> {
  const first = Object.values(files)[0] ?? "";
  return { source: new FolderSource(files), key: `${first}?${await stamps(files)}`, urlOf: undefined };
}

async function listedLocation(files: Readonly<Record<string, string>>): Promise<ModelLocation> {
  const entries = Object.entries(files);
  const remote = Object.fromEntries(entries.filter(([, file]) => isAddress(file)));
  const local = Object.fromEntries(
    entries.filter(([, file]) => !isAddress(file)).map(([path, file]) => [path, resolve(file)]),
  );
  if (Object.keys(local).length === 0) return httpLocation(remote);
  const here = await localLocation(local);
  if (Object.keys(remote).length === 0) return here;
  const source = new LayeredSource(here.source, new HttpSource(remote));
  return { source, key: `${here.key} ${httpLocation(remote).key}`, urlOf: undefined };
}

const isAddress = (text: string): boolean => /^https?:/.test(text);

/** Sizes and times of files: another model may replace one at the same path. */
async function stamps(files: LocalFiles): Promise<string> {
  const all = await Promise.all(
    Object.entries(files).map(async ([path, file]) => {
      const { size, mtimeMs } = await stat(file).catch(() => ({ size: 0, mtimeMs: 0 }));
      return [path, size, mtimeMs];
    }),
  );
  return JSON.stringify(all);
}
