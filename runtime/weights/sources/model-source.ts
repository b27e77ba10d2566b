import { KleinbildError } from "../../errors.ts";

/** A file of a model that can be read in parts. */
export interface ModelFile {
  readonly size: number;
  /** Bytes `offset … offset + length − 1`, from the start of a buffer of their own. @throws KleinbildError `invalid-model` beyond the end */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** Where the files of a model come from. Paths are relative, with slashes. */
export interface ModelSource {
  /** For people: a folder or address. */
  readonly description: string;
  exists(path: string, signal?: AbortSignal): Promise<boolean>;
  /** @throws KleinbildError `missing-file` */
  open(path: string, signal?: AbortSignal): Promise<ModelFile>;
  /** Paths of all files, sorted; undefined where the source cannot tell, as below an address. */
  list(signal?: AbortSignal): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

/** @throws KleinbildError `invalid-model` when a file ends before the bytes that are asked for. */
export function assertWithin(path: string, size: number, offset: number, length: number): void {
  if (offset + length > size)
    throw new KleinbildError("invalid-model", `${path} ends at byte ${size}; ${offset + length} were expected.`, {
      path,
      bytes: size,
    });
}
