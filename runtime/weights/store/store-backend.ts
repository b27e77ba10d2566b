/** A file of a store that is written, by one writer at a time. */
export interface WritableFile {
  size(): Promise<number>;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws KleinbildError `storage-full` */
  write(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  truncate(size: number): Promise<void>;
  /** What was written survives a crash from here on. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A file of a store that is read; others may read it at the same time. */
export interface ReadableFile {
  readonly size: number;
  /** Fewer bytes where the file is cut. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The storage of a model store: this origin's quota in a page, the folder's disk in Node. */
export interface StorageReport {
  /** Bytes in use. */
  readonly usedBytes: number;
  /** Bytes that are free. Undefined when the platform does not report it. */
  readonly freeBytes: number | undefined;
  /** Whether the platform promised never to clear the storage by itself. */
  readonly persisted: boolean;
}

/** Where a store keeps its files. Paths are relative, with slashes; folders come and go with their files. */
export interface StoreBackend {
  /** Creates the file where it is not there. */
  write(path: string): Promise<WritableFile>;
  /** Undefined where there is no such file. */
  read(path: string): Promise<ReadableFile | undefined>;
  /** Writes a small file whole: afterwards it has the old contents or the new ones, or some that its reader refuses. */
  replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Names in a folder, sorted; none where it is not there. */
  list(folder: string): Promise<readonly string[]>;
  /** A file, or a folder with all that is in it; nothing where it is not there. */
  remove(path: string): Promise<void>;
  /** Runs `work` while no other tab or process holds the lock of that name. */
  withLock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  storage(): Promise<StorageReport>;
}
