import { BlobSource, type ModelBlobs } from "../weights/sources/blob-source.ts";
import { HttpSource, type ModelAddress } from "../weights/sources/http-source.ts";
import type { ModelLocation } from "./model-location.ts";
import { storedLocation } from "./model-location.ts";

/**
 * Where the files of a model are, as plain data that can cross to a worker: addresses, `stored:` and the id of a stored
 * model, or files that a user picked, by path.
 */
export type PageModel = ModelAddress | ModelBlobs;

/** @throws KleinbildError `invalid-request` for text that is no address */
export function openPageLocation(model: PageModel): ModelLocation {
  if (isBlobs(model)) return { source: new BlobSource(model), key: blobKey(model), urlOf: undefined };
  return storedLocation(model) ?? httpLocation(model);
}

/** A model at http(s) addresses. Its key leaves out their queries, which may hold access tokens. */
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
