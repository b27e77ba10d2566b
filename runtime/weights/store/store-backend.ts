/** A file that is open for writing. Only one writer may have it open. */
export interface WritableFile {
  size(): Promise<number>;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws KleinbildError `storage-full` */
  write(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Makes earlier writes survive a crash. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A file that is open for reading. Several readers may have it open. */
export interface ReadableFile {
  readonly size: number;
  /** Fewer bytes than `length` at the end of the file. */
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

/** Storage for the files of a store. Paths are relative and use slashes. Folders exist while they hold files. */
export interface StoreBackend {
  /** Opens a file for writing, and creates it if it does not exist. */
  write(path: string): Promise<WritableFile>;
  /** Undefined if the file does not exist. */
  read(path: string): Promise<ReadableFile | undefined>;
  /** Replaces a small file. After a crash it has its old contents, its new ones, or contents that `readSealed` rejects. */
  replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Sorted names in a folder; empty if it does not exist. */
  list(folder: string): Promise<readonly string[]>;
  /** Removes a file, or a folder with its contents. Does nothing if it does not exist. */
  remove(path: string): Promise<void>;
  /** Runs `work` while no other tab or process holds the lock `name`. */
  withLock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  storage(): Promise<StorageReport>;
}
