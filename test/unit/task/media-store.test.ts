import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UUID_V4 } from "../../../runtime/validation/field-kinds.ts";
import { MediaStore, type MediaUrls } from "../../../runtime/task/media/media-store.ts";
import { ObjectUrls } from "../../../runtime/page/object-urls.ts";
import { FileUrls } from "../../../runtime/node/file-urls.ts";

const PNG = "image/png";
const DAY_S = 86_400;

const filled = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);

class CountedUrls implements MediaUrls {
  readonly created: string[] = [];
  readonly revoked: string[] = [];
  create({ uuid }: { readonly uuid: string }): string {
    this.created.push(`test:${uuid}`);
    return `test:${uuid}`;
  }
  revoke(url: string): void {
    this.revoked.push(url);
  }
}

describe("MediaStore", () => {
  it("gives back what was put, under a UUID of version 4 in either case", () => {
    const store = new MediaStore();
    const { uuid } = store.put(Uint8Array.of(1, 2, 3), PNG);
    expect(uuid).toMatch(UUID_V4);
    expect(store.get(uuid)).toEqual({ uuid, bytes: Uint8Array.of(1, 2, 3), type: PNG });
    expect(store.get(uuid.toUpperCase())).toBe(store.get(uuid));
    expect(store.get(crypto.randomUUID())).toBeUndefined();
  });

  it("keeps files that fill the budget exactly, and drops the least recently used beyond it", () => {
    const store = new MediaStore({ maxBytes: 100 });
    const [first, second] = [store.put(filled(50), PNG), store.put(filled(50), PNG)];
    expect(store.statistics).toEqual({ entries: 2, bytes: 100, maxBytes: 100, evictions: 0, expirations: 0 });
    store.get(first.uuid);
    const third = store.put(filled(1), PNG);
    expect(store.get(second.uuid)).toBeUndefined();
    expect(store.get(first.uuid)).toBeDefined();
    expect(store.get(third.uuid)).toBeDefined();
    expect(store.statistics).toEqual({ entries: 2, bytes: 51, maxBytes: 100, evictions: 1, expirations: 0 });
  });

  it("takes a picture as large as the budget, and refuses a larger one without dropping others", () => {
    const store = new MediaStore({ maxBytes: 100 });
    const { uuid } = store.put(filled(100), PNG);
    expect(() => store.put(filled(101), PNG)).toThrow("A picture of 101 bytes cannot be stored: there is room for 100");
    expect(store.get(uuid)).toBeDefined();
  });

  it("refuses a picture without bytes", () => {
    expect(() => new MediaStore().put(new Uint8Array(0), PNG)).toThrow("without bytes");
  });

  it("copies a part of a larger buffer, and only that", () => {
    const store = new MediaStore();
    const whole = filled(10);
    const part = whole.subarray(2, 4);
    const { uuid } = store.put(part, PNG);
    part.fill(0);
    expect(store.get(uuid)!.bytes).toEqual(Uint8Array.of(7, 7));
    expect(store.get(uuid)!.bytes.buffer.byteLength).toBe(2);
    expect(store.put(whole, PNG).bytes.buffer).toBe(whole.buffer);
  });

  it("makes an address once, finds the picture by it, and revokes it when the picture is dropped", () => {
    const urls = new CountedUrls();
    const store = new MediaStore({ maxBytes: 100, urls });
    const kept = store.put(filled(60), PNG);
    const url = store.urlOf(kept.uuid)!;
    expect(store.urlOf(kept.uuid)).toBe(url);
    expect(urls.created).toEqual([url]);
    expect(store.getByUrl(url)).toBe(kept);
    store.put(filled(60), PNG);
    expect(urls.revoked).toEqual([url]);
    expect(store.getByUrl(url)).toBeUndefined();
    expect(store.urlOf(kept.uuid)).toBeUndefined();
  });

  it("revokes on deletion and when it is cleared, and only what has an address", () => {
    const urls = new CountedUrls();
    const store = new MediaStore({ urls });
    const [first, second] = [store.put(filled(1), PNG), store.put(filled(1), PNG)];
    store.put(filled(1), PNG);
    const addresses = [store.urlOf(first.uuid), store.urlOf(second.uuid)];
    expect(store.delete(first.uuid)).toBe(true);
    expect(store.delete(first.uuid)).toBe(false);
    expect(urls.revoked).toEqual([addresses[0]]);
    store.clear();
    expect(urls.revoked).toEqual(addresses);
    expect(store.statistics).toMatchObject({ entries: 0, bytes: 0 });
  });

  it("has no addresses without something that makes them", () => {
    const store = new MediaStore();
    expect(store.urlOf(store.put(filled(1), PNG).uuid)).toBeUndefined();
  });

  describe("with a ttl", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("drops the picture and its address when its time is over, not before", () => {
      const urls = new CountedUrls();
      const store = new MediaStore({ urls });
      const { uuid } = store.put(filled(1), PNG, { ttlSeconds: 60 });
      const url = store.urlOf(uuid)!;
      vi.advanceTimersByTime(59_999);
      expect(store.get(uuid)).toBeDefined();
      expect(urls.revoked).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(urls.revoked).toEqual([url]);
      expect(store.get(uuid)).toBeUndefined();
      expect(store.statistics).toMatchObject({ entries: 0, bytes: 0, expirations: 1 });
    });

    it("counts from when it was put, however often it is used", () => {
      const store = new MediaStore();
      const { uuid } = store.put(filled(1), PNG, { ttlSeconds: 60 });
      vi.advanceTimersByTime(50_000);
      store.get(uuid);
      vi.advanceTimersByTime(10_000);
      expect(store.get(uuid)).toBeUndefined();
    });

    it("holds for longer than a timer runs", () => {
      const store = new MediaStore();
      const { uuid } = store.put(filled(1), PNG, { ttlSeconds: 60 * DAY_S });
      vi.advanceTimersByTime(59 * DAY_S * 1000);
      expect(store.get(uuid)).toBeDefined();
      vi.advanceTimersByTime(DAY_S * 1000);
      expect(store.statistics.entries).toBe(0);
    });

    it("takes the store's where a picture has none, and keeps for ever without either", () => {
      const brief = new MediaStore({ ttlSeconds: 60 });
      const [usual, long] = [brief.put(filled(1), PNG), brief.put(filled(1), PNG, { ttlSeconds: 120 })];
      const lasting = new MediaStore();
      const { uuid } = lasting.put(filled(1), PNG);
      vi.advanceTimersByTime(60_000);
      expect(brief.get(usual.uuid)).toBeUndefined();
      expect(brief.get(long.uuid)).toBeDefined();
      vi.advanceTimersByTime(365 * DAY_S * 1000);
      expect(lasting.get(uuid)).toBeDefined();
    });

    it("stops its timer when it is cleared", () => {
      const store = new MediaStore();
      store.put(filled(1), PNG, { ttlSeconds: 60 });
      store.clear();
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

describe("ObjectUrls", () => {
  it("gives an address that is fetched with bytes and type, until the picture is dropped", async () => {
    const store = new MediaStore({ urls: new ObjectUrls() });
    const { uuid } = store.put(Uint8Array.of(1, 2, 3), PNG);
    const url = store.urlOf(uuid)!;
    const response = await fetch(url);
    expect(response.headers.get("content-type")).toBe(PNG);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3));
    store.delete(uuid);
    await expect(fetch(url)).rejects.toThrow(TypeError);
  });
});

describe("FileUrls", () => {
  let folder = "";
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "kleinbild-test-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [type, extension] of [
    ["image/jpeg", "jpg"],
    ["image/png", "png"],
    ["image/webp", "webp"],
  ] as const)
    it(`writes ${type} as a file *.${extension} and removes it with the picture`, () => {
      const store = new MediaStore({ urls: new FileUrls(join(folder, "new")) });
      const { uuid } = store.put(Uint8Array.of(1, 2, 3), type);
      const url = store.urlOf(uuid)!;
      const path = fileURLToPath(url);
      expect(path).toBe(join(folder, "new", `${uuid}.${extension}`));
      expect(new Uint8Array(readFileSync(path))).toEqual(Uint8Array.of(1, 2, 3));
      store.delete(uuid);
      expect(existsSync(path)).toBe(false);
    });

  it("makes a temporary folder of its own", () => {
    const urls = new FileUrls();
    const url = urls.create({ uuid: crypto.randomUUID(), bytes: Uint8Array.of(1), type: PNG });
    const path = fileURLToPath(url);
    expect(path.startsWith(join(tmpdir(), "kleinbild-"))).toBe(true);
    rmSync(join(path, ".."), { recursive: true });
  });

  it("ignores a file that is deleted already", () => {
    const urls = new FileUrls(folder);
    const url = urls.create({ uuid: crypto.randomUUID(), bytes: Uint8Array.of(1), type: PNG });
    rmSync(fileURLToPath(url));
    expect(() => urls.revoke(url)).not.toThrow();
  });
});
