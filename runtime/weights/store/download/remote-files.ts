/** A file at one or more servers. */
export interface RemoteFile {
  /** Its path within the model. */
  readonly path: string;
  /** Its addresses, best first. The next one is tried when one fails. */
  readonly urls: readonly string[];
  /** Expected size, if known. */
  readonly bytes?: number | undefined;
  /** Expected SHA-256, hexadecimal, if known. */
  readonly sha256?: string | undefined;
  /** Expected SHA-256 of each chunk of `bytes` bytes, if known. */
  readonly chunks?: { readonly bytes: number; readonly sha256: readonly string[] } | undefined;
}

/** A model to download. */
export interface RemoteModel {
  readonly name: string;
  /** Where it comes from, for people. */
  readonly address: string;
  readonly files: readonly RemoteFile[];
}

/** What a download transferred. */
export interface DownloadReport {
  /** Bytes of response bodies, without headers. */
  readonly wireBytes: number;
  /** The bytes among `wireBytes` that had to be transferred more than once. */
  readonly repeatedBytes: number;
  /** Repeated requests. */
  readonly retries: number;
  /** Downloads of a file that started over because the file changed at its server. */
  readonly restarts: number;
}

/** Counts while a download runs. */
export type Meter = { -readonly [K in keyof DownloadReport]: DownloadReport[K] };

export interface DownloadProgress {
  /** The file that is being downloaded. */
  readonly path: string;
  /** Stored bytes of all files. */
  readonly storedBytes: number;
  /** Bytes of all files, as far as their sizes are known. */
  readonly totalBytes: number;
}

export interface DownloadTuning {
  /** Parallel requests. Default: 4. */
  readonly parallel?: number | undefined;
  /** Consecutive failures without progress after which a download fails. Default: 8. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second try. They double from try to try, up to 30 seconds. Default: 500. */
  readonly retryDelayMs?: number | undefined;
  /** Milliseconds without a byte after which a connection is given up. Default: 30,000. */
  readonly stallMs?: number | undefined;
}
