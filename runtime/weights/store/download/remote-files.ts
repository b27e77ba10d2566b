/** A file to download. */
export interface RemoteFile {
  /** Its path within the model. */
  readonly path: string;
  /** Where it is, best first; the others are asked when one fails. */
  readonly urls: readonly string[];
  /** What it must be, where that is known. Hexadecimal. */
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
  /** Hashes of parts of so many bytes. */
  readonly chunks?: { readonly bytes: number; readonly sha256: readonly string[] } | undefined;
}

/** A model to download. */
export interface RemoteModel {
  readonly name: string;
  /** Where it comes from, for people and for sources' descriptions. */
  readonly address: string;
  readonly files: readonly RemoteFile[];
}

/** What came over the wire. */
export interface DownloadReport {
  /** Bytes of bodies, headers not counted. */
  readonly wireBytes: number;
  /** Those of them that had come before. */
  readonly repeatedBytes: number;
  /** Requests that were made again. */
  readonly retries: number;
  /** Files that were begun again because they changed at the server. */
  readonly restarts: number;
}

export interface DownloadProgress {
  readonly path: string;
  /** Of all files of the plan, as far as their sizes are known. */
  readonly storedBytes: number;
  readonly totalBytes: number;
}

/** How hard to try. */
export interface DownloadTuning {
  /** Requests at the same time. Default: 4. */
  readonly parallel?: number | undefined;
  /** Failures in a row, without a byte between them, after which a file is given up. Default: 8. */
  readonly attempts?: number | undefined;
  /** Wait before the second try; it doubles from try to try, up to 30 seconds. Default: 500. */
  readonly retryDelayMs?: number | undefined;
  /** A connection over which nothing has come for so long is given up. Default: 30,000. */
  readonly stallMs?: number | undefined;
}
