import { KleinbildError } from "../../errors.ts";

/** A file of a model. Any range of its bytes can be read. */
export interface ModelFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * Reads the bytes `offset … offset + length − 1` into a buffer of their own.
   * @throws KleinbildError `invalid-model` when the range goes beyond the end of the file
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** Where the files of a model come from. Paths are relative and use slashes. */
export interface ModelSource {
  /** The folder or address, for messages. */
  readonly description: string;
  exists(path: string, signal?: AbortSignal): Promise<boolean>;
  /** @throws KleinbildError `missing-file` */
  open(path: string, signal?: AbortSignal): Promise<ModelFile>;
  /** Paths of all files, sorted; undefined when the source cannot list them. HTTP has no listing of a folder. */
  list(signal?: AbortSignal): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

/** @throws KleinbildError `invalid-model` when a range goes beyond the end of a file */
export function assertWithin(path: string, size: number, offset: number, length: number): void {
  if (offset + length > size)
    throw new KleinbildError("invalid-model", `${path} ends at byte ${size}; ${offset + length} bytes were expected.`, {
      path,
      bytes: size,
    });
}
