import type { ModelAddress } from "../weights/http-source.ts";

/** Where a model's files are, as plain data that crosses to a worker: addresses, or files that a user picked, by path. */
export type ModelLocation = ModelAddress | Readonly<Record<string, Blob>>;
