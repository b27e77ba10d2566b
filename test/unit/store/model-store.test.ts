import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { InMemoryBackend } from "../../../runtime/weights/store/in-memory-backend.ts";
import { ModelStore } from "../../../runtime/weights/store/model-store.ts";
import { FolderBackend } from "../../../runtime/node/folder-backend.ts";
import type { StoreBackend } from "../../../runtime/weights/store/store-backend.ts";
import { CHUNK_BYTES, storedFilePath } from "../../../runtime/weights/store/stored-model.ts";
import { expectSameBytes, randomValues } from "../../support/compare.ts";

const BYTES = new Uint8Array(randomValues((2.5 * CHUNK_BYTES) / 4).buffer);
const ABOUT = { name: "a name", address: "https://example.org/a/" };

async function add(store: ModelStore, id: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await store.write(id, ABOUT, async (writer) => {
    for (const [path, bytes] of Object.entries(files)) {
      const file = await writer.file(path);
      await file.write(bytes);
      await file.close();
    }
    await writer.publish();
  });
}

describe.each(["memory", "a folder"])("a ModelStore in %s", (kind) => {
  let folder: string;
  const backends: StoreBackend[] = [];
  const fresh = (): StoreBackend => {
    const backend =
      kind === "memory" ? new InMemoryBackend() : new FolderBackend(join(folder, String(backends.length)));
    backends.push(backend);
    return backend;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kleinbild-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(() => vi.useRealTimers());

  it("reads written bytes at any offset", async () => {
    const store = new ModelStore(fresh());
    await add(store, "one", { "a/b c%.safetensors": BYTES, empty: new Uint8Array(0) });
    const source = await store.source("one");
    expect(source.description).toBe(ABOUT.address);
    expect(await source.list()).toEqual(["a/b c%.safetensors", "empty"]);
    const file = await source.open("a/b c%.safetensors");
    expect(file.size).toBe(BYTES.length);
    for (const [offset, length] of [
      [0, BYTES.length],
      [CHUNK_BYTES - 3, 6],
      [2 * CHUNK_BYTES, 10],
      [5, 0],
    ] as const)
      expectSameBytes(await file.read(offset, length), BYTES.slice(offset, offset + length));
    await expect(file.read(BYTES.length - 1, 2)).rejects.toMatchObject({ code: "invalid-model" });
    expect((await (await source.open("empty")).read(0, 0)).length).toBe(0);
    await expect(source.open("nowhere")).rejects.toMatchObject({ code: "missing-file" });
    await source.close();
  });

  it("lists models, last used first, and deletes them", async () => {
    const backend = fresh();
    const store = new ModelStore(backend);
    await add(store, "one", { a: BYTES });
    await add(store, "two", { a: BYTES });
    vi.setSystemTime(new Date("2030-01-01"));
    await (await store.source("one")).close();
    expect((await store.list()).map(({ id, complete, bytes }) => ({ id, complete, bytes }))).toEqual([
      { id: "one", complete: true, bytes: BYTES.length },
      { id: "two", complete: true, bytes: BYTES.length },
    ]);
    await store.delete("one");
    expect((await store.list()).map(({ id }) => id)).toEqual(["two"]);
    await expect(store.source("one")).rejects.toMatchObject({ code: "missing-file" });
    await store.delete("one");
  });

  it("does not use a damaged byte, and finds it when it verifies", async () => {
    const backend = fresh();
    const store = new ModelStore(backend);
    await add(store, "one", { a: BYTES, b: BYTES });
    const file = await backend.write(storedFilePath("one", "a"));
    const [byte] = await file.read(CHUNK_BYTES + 5, 1);
    await file.write(CHUNK_BYTES + 5, Uint8Array.of(byte! ^ 1));
    await file.close();
    const source = await store.source("one");
    const read = await source.open("a");
    expect(await read.read(0, 10)).toEqual(BYTES.slice(0, 10));
    await expect(read.read(2 * CHUNK_BYTES - 1, 1)).rejects.toMatchObject({
      code: "damaged",
      details: { id: "one", path: "a" },
    });
    await source.close();
    expect(await store.verify("one")).toEqual([{ path: "a", offset: CHUNK_BYTES }]);
    expect(await store.find("one")).toMatchObject({ complete: false, bytes: BYTES.length });
    expect(await store.verify("one")).toEqual([]);
  });

  it("reports a file that was cut or deleted", async () => {
    const backend = fresh();
    const store = new ModelStore(backend);
    await add(store, "one", { a: BYTES });
    const file = await backend.write(storedFilePath("one", "a"));
    await file.truncate(100);
    await file.close();
    await expect((await store.source("one")).open("a")).rejects.toMatchObject({ code: "damaged" });
    await backend.remove(storedFilePath("one", "a"));
    await expect((await store.source("one")).open("a")).rejects.toMatchObject({ code: "damaged" });
  });

  it("ignores a manifest that was cut anywhere", async () => {
    const backend = fresh();
    const store = new ModelStore(backend);
    await add(store, "one", { a: Uint8Array.of(1, 2, 3) });
    const file = (await backend.read("one/model.json"))!;
    const manifest = await file.read(0, file.size);
    await file.close();
    for (const length of [0, 1, 63, 64, 65, manifest.length - 1]) {
      await backend.replace("one/model.json", manifest.slice(0, length));
      expect(await store.find("one"), `cut at ${length}`).toBeUndefined();
    }
    await backend.replace("one/model.json", manifest);
    expect(await store.find("one")).toMatchObject({ complete: true });
  });

  it("lets one at a time write a model", async () => {
    const store = new ModelStore(fresh());
    const order: string[] = [];
    const write = (name: string): Promise<void> =>
      store.write("one", ABOUT, async () => {
        order.push(`${name} begins`);
        for (let i = 0; i < 10; i++) await store.list(); // time for the other to begin
        order.push(`${name} ends`);
      });
    await Promise.all([write("first"), write("second")]);
    expect(order).toHaveLength(4);
    expect(order[1]).toBe(order[0]!.replace("begins", "ends"));
  });

  it("takes files off a model", async () => {
    const store = new ModelStore(fresh());
    await add(store, "one", { a: BYTES, b: Uint8Array.of(1) });
    await store.deleteFiles("one", ["a"]);
    expect(await store.find("one")).toMatchObject({ complete: false, bytes: 1 });
  });
});
