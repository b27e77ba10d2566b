import { BlobSource, type ModelBlobs } from "../weights/sources/blob-source.ts";
import { HttpSource, type ModelAddress } from "../weights/sources/http-source.ts";
import type { ModelLocation } from "./model-location.ts";
import { storedLocation } from "./stored-location.ts";

/**
 * Where a model's files are, as plain data that crosses to a worker: addresses, `stored:` and the id of a kept model, or
 * files that a user picked, by path.
 */
export type PageModel = ModelAddress | ModelBlobs;

/** @throws KleinbildError `invalid-request` for what is no address */
export function openPageLocation(model: PageModel): ModelLocation {
  if (isBlobs(model)) return { source: new BlobSource(model), key: blobKey(model), urlOf: undefined };
  return storedLocation(model) ?? httpLocation(model);
}

/** A model behind addresses. Access tokens in their queries do not make it another one. */
export function httpLocation(address: ModelAddress): ModelLocation {
  const source = new HttpSource(address);
  const bare = (url: string | URL): string => String(url).replace(/[?#].*$/, "");
  const isFolder = typeof address === "string" || address instanceof URL;
  const key = isFolder
    ? bare(address).replace(/\/*$/, "/")
    : JSON.stringify(Object.entries(address).map(([path, url]) => [path, bare(url)]));
  return { source, key, urlOf: (path) => source.urlOf(path) };
}

function isBlobs(model: PageModel): model is ModelBlobs {
  return (
    typeof model === "object" && !(model instanceof URL) && Object.values(model).some((file) => file instanceof Blob)
  );
}

function blobKey(blobs: ModelBlobs): string {
  const files = Object.entries(blobs).map(([path, blob]) => [
    path,
    blob.size,
    blob instanceof File ? blob.lastModified : 0,
  ]);
  return JSON.stringify(files);
}
