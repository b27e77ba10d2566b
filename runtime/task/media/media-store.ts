import { LRUCache } from "lru-cache";
import { KleinbildError } from "../../errors.ts";

/** A picture with a UUID. */
export interface StoredMedia {
  /** Version 4, in lower case. */
  readonly uuid: string;
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** MIME type. */
  readonly type: string;
}

/** Makes addresses for stored pictures: object URLs in pages, files in Node, paths of a server. */
export interface MediaUrls {
  /** Makes the address of a picture. Called at most once for each. */
  create(media: StoredMedia): string;
  /** Called once for each address, when its picture is dropped. */
  revoke(url: string): void;
}

/** Options of a `MediaStore`. */
export interface MediaStoreOptions {
  /** Most bytes of all pictures. Default: 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** Longest time for which a picture is stored, unless `put` gives one. Default: as long as there is room. */
  readonly ttlSeconds?: number | undefined;
  /** Makes addresses of pictures. Default: they have none. */
  readonly urls?: MediaUrls | undefined;
}

/** Options of `MediaStore.put`. */
export interface PutOptions {
  /** Longest time for which the picture is stored. Default: `ttlSeconds` of the store. */
  readonly ttlSeconds?: number | undefined;
}

/** Counts of a `MediaStore`. */
export interface MediaStoreStatistics {
  /** Number of stored pictures. */
  readonly entries: number;
  /** Bytes of all stored pictures. */
  readonly bytes: number;
  /** Most bytes of all stored pictures. */
  readonly maxBytes: number;
  /** Pictures that were dropped to make room. */
  readonly evictions: number;
  /** Pictures that expired. */
  readonly expirations: number;
}

interface Entry {
  readonly media: StoredMedia;
  url?: string;
  timer?: ReturnType<typeof setTimeout>;
}

const MEDIA_BUDGET_BYTES = 256 << 20;
/** Timers with a longer time fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Outputs and uploads by UUID. Pictures are dropped when they expire and, the least recently used first, when there are more
 * bytes than `maxBytes`. Their addresses are then revoked.
 */
export class MediaStore {
  /** Most bytes of all stored pictures. */
  readonly maxBytes: number;
  readonly #entries: LRUCache<string, Entry>;
  readonly #uuids = new Map<string, string>();
  readonly #urls: MediaUrls | undefined;
  readonly #ttlSeconds: number | undefined;
  #evictions = 0;
  #expirations = 0;

  /** @internal `LocalTaskRunner.media` is one. */
  constructor({ maxBytes = MEDIA_BUDGET_BYTES, ttlSeconds, urls }: MediaStoreOptions = {}) {
    this.maxBytes = maxBytes;
    this.#ttlSeconds = ttlSeconds;
    this.#urls = urls;
    this.#entries = new LRUCache<string, Entry>({
      maxSize: maxBytes,
      sizeCalculation: ({ media }) => media.bytes.length,
      perf: { now: () => performance.now() },
      dispose: (entry, _uuid, reason) => this.#drop(entry, reason),
    });
  }

  /**
   * Stores a picture under a new UUID. Bytes that are part of a larger buffer are copied; others must not change afterwards.
   *
   * @throws KleinbildError `invalid-request` when there are no bytes, or more than the budget
   */
  put(bytes: Uint8Array, type: string, { ttlSeconds = this.#ttlSeconds }: PutOptions = {}): StoredMedia {
    const { length } = bytes;
    if (length === 0) throw new KleinbildError("invalid-request", "A picture without bytes cannot be stored.");
    if (length > this.maxBytes)
      throw new KleinbildError(
        "invalid-request",
        `A picture of ${length} bytes cannot be stored: there is room for ${this.maxBytes} bytes. Raise \`maxBytes\` of the media store.`,
        { bytes: length, max: this.maxBytes },
      );
    const media = { uuid: crypto.randomUUID(), bytes: ownBytes(bytes), type };
    const entry: Entry = { media };
    const ttl = ttlSeconds === undefined ? undefined : ttlSeconds * 1000;
    this.#entries.set(media.uuid, entry, ttl === undefined ? {} : { ttl });
    if (ttl !== undefined) this.#expireLater(entry, ttl);
    return media;
  }

  /** The picture, which then counts as used; undefined if it is not stored. */
  get(uuid: string): StoredMedia | undefined {
    return this.#entries.get(uuid.toLowerCase())?.media;
  }

  /** The picture of an address that `urlOf` returned; undefined if it is not stored. */
  getByUrl(url: string): StoredMedia | undefined {
    const uuid = this.#uuids.get(url);
    return uuid === undefined ? undefined : this.get(uuid);
  }

  /** The address of a picture, made at the first call. Undefined if the picture is not stored, or without `urls`. */
  urlOf(uuid: string): string | undefined {
    const entry = this.#entries.get(uuid.toLowerCase());
    if (!entry || !this.#urls) return undefined;
    if (entry.url === undefined) {
      entry.url = this.#urls.create(entry.media);
      this.#uuids.set(entry.url, entry.media.uuid);
    }
    return entry.url;
  }

  /** Drops a picture. @returns whether it was stored */
  delete(uuid: string): boolean {
    return this.#entries.delete(uuid.toLowerCase());
  }

  /** Drops everything and revokes every address. */
  clear(): void {
    this.#entries.clear();
  }

  /** Current counts. */
  get statistics(): MediaStoreStatistics {
    return {
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
      maxBytes: this.maxBytes,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  #expireLater(entry: Entry, milliseconds: number): void {
    entry.timer = setTimeout(
      () => {
        const left = milliseconds - MAX_TIMER_MS;
        if (left > 0) this.#expireLater(entry, left);
        else if (this.#entries.delete(entry.media.uuid)) this.#expirations++;
      },
      Math.min(milliseconds, MAX_TIMER_MS),
    );
    (entry.timer as { unref?: () => void }).unref?.(); // it does not hold a Node process open
  }

  #drop({ url, timer }: Entry, reason: LRUCache.DisposeReason): void {
    clearTimeout(timer);
    if (reason === "evict") this.#evictions++;
    if (reason === "expire") this.#expirations++;
    if (url === undefined) return;
    this.#uuids.delete(url);
    this.#urls?.revoke(url);
  }
}

/** A copy if the bytes are part of a larger buffer, which a view would hold in memory uncounted. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) return new Uint8Array(buffer);
  return new Uint8Array(bytes);
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};

/** A name for a picture's file: its UUID, and the usual extension of its type. */
export function mediaFileName({ uuid, type }: Pick<StoredMedia, "uuid" | "type">): string {
  return `${uuid}.${EXTENSIONS[type] ?? "bin"}`;
}
