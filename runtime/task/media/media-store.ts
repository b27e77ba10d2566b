import { LRUCache } from "lru-cache";
import { KleinbildError } from "../../errors.ts";

/** A picture that can be named by its UUID. */
export interface StoredMedia {
  /** Version 4, in lower case. */
  readonly uuid: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** MIME type. */
  readonly type: string;
}

/** Makes addresses for stored pictures: object URLs in pages, files in Node, paths of a server. */
export interface MediaUrls {
  create(media: StoredMedia): string;
  /** Called once for each address, when its picture is dropped. */
  revoke(url: string): void;
}

export interface MediaStoreOptions {
  /** Default: 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long pictures are kept at most that say nothing else. Default: for as long as there is room. */
  readonly ttlSeconds?: number | undefined;
  /** Default: pictures have no address. */
  readonly urls?: MediaUrls | undefined;
}

export interface PutOptions {
  /** How long it is kept at most. Default: that of the store. */
  readonly ttlSeconds?: number | undefined;
}

export interface MediaStoreStatistics {
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Pictures that gave way to newer ones. */
  readonly evictions: number;
  /** Pictures whose time was over. */
  readonly expirations: number;
}

interface Entry {
  readonly media: StoredMedia;
  url?: string;
  timer?: ReturnType<typeof setTimeout>;
}

const MEDIA_BUDGET_BYTES = 256 << 20;
/** The longest time that timers take; longer ones fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Outputs and uploads by UUID. Beyond the byte budget the least recently used go, after their time each; their addresses
 * are revoked with them.
 */
export class MediaStore {
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
   * Keeps a picture under a new UUID. Bytes that are a part of a larger buffer are copied; others must not change any more.
   *
   * @throws KleinbildError `invalid-request` when there are no bytes, or more than the budget
   */
  put(bytes: Uint8Array, type: string, { ttlSeconds = this.#ttlSeconds }: PutOptions = {}): StoredMedia {
    const { length } = bytes;
    if (length === 0) throw new KleinbildError("invalid-request", "A picture without bytes cannot be kept.");
    if (length > this.maxBytes)
      throw new KleinbildError(
        "invalid-request",
        `A picture of ${length} bytes cannot be kept: there is room for ${this.maxBytes} bytes. Raise \`maxBytes\` of the media store.`,
        { bytes: length, max: this.maxBytes },
      );
    const media = { uuid: crypto.randomUUID(), bytes: ownBytes(bytes), type };
    const entry: Entry = { media };
    const ttl = ttlSeconds === undefined ? undefined : ttlSeconds * 1000;
    this.#entries.set(media.uuid, entry, ttl === undefined ? {} : { ttl });
    if (ttl !== undefined) this.#expireLater(entry, ttl);
    return media;
  }

  /** The picture, which counts as used; undefined when it never was there or is there no more. */
  get(uuid: string): StoredMedia | undefined {
    return this.#entries.get(uuid.toLowerCase())?.media;
  }

  /** The picture behind an address that `urlOf` gave. */
  getByUrl(url: string): StoredMedia | undefined {
    const uuid = this.#uuids.get(url);
    return uuid === undefined ? undefined : this.get(uuid);
  }

  /** The address of a picture, made when it is first asked for; undefined without the picture or without `urls`. */
  urlOf(uuid: string): string | undefined {
    const entry = this.#entries.get(uuid.toLowerCase());
    if (!entry || !this.#urls) return undefined;
    if (entry.url === undefined) {
      entry.url = this.#urls.create(entry.media);
      this.#uuids.set(entry.url, entry.media.uuid);
    }
    return entry.url;
  }

  /** @returns whether it was there */
  delete(uuid: string): boolean {
    return this.#entries.delete(uuid.toLowerCase());
  }

  /** Drops everything and revokes every address. */
  clear(): void {
    this.#entries.clear();
  }

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
    (entry.timer as { unref?: () => void }).unref?.(); // no reason to keep a Node process
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

/** A view would keep the whole buffer alive that it looks into, uncounted. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) return new Uint8Array(buffer);
  return new Uint8Array(bytes);
}
