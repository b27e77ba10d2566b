import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { RemoteFile } from "../../../runtime/weights/store/download/remote-files.ts";
import { InMemoryBackend } from "../../../runtime/weights/store/in-memory-backend.ts";
import { ModelStore } from "../../../runtime/weights/store/model-store.ts";
import { CHUNK_BYTES } from "../../../runtime/weights/store/stored-model.ts";
import { type Chaos, type ChaosServer, chaosServer } from "../../support/chaos-server.ts";
import { expectSameBytes, randomValues } from "../../support/compare.ts";

const MIB = 1 << 20;
const noise = (count: number, seed: number): Uint8Array<ArrayBuffer> => {
  const words = randomValues(Math.ceil(count / 4), seed);
  return new Uint8Array(words.buffer).slice(0, count);
};
/** 12.3 MiB: whole requests, and a chunk that is not whole. */
const FILE = noise(12 * MIB + 300_001, 1);
const OTHER = noise(11 * MIB + 7, 2);
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const chunkHashes = (bytes: Uint8Array): string[] =>
  Array.from({ length: Math.ceil(bytes.length / MIB) }, (_, i) => hash(bytes.subarray(i * MIB, (i + 1) * MIB)));
const FAST = { retryDelayMs: 1, stallMs: 2000 };

const servers: ChaosServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function serve(chaos: Chaos = {}, bytes: Uint8Array = FILE): Promise<ChaosServer> {
  const server = await chaosServer(bytes, chaos);
  servers.push(server);
  return server;
}

const plan = (...urls: string[]) => ({ name: "test", address: urls[0]!, files: [{ path: "a/weights", urls }] });
const planWith = (file: Partial<RemoteFile>, ...urls: string[]) => ({
  ...plan(...urls),
  files: [{ path: "a/weights", urls, ...file }],
});
async function stored(store: ModelStore, path = "a/weights"): Promise<Uint8Array> {
  const source = await store.source("test");
  const file = await source.open(path);
  const bytes = await file.read(0, file.size);
  await source.close();
  return bytes;
}
/** Random numbers, the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("ModelStore.download", () => {
  it("takes a file in ranges, and nothing of it twice", async () => {
    const server = await serve();
    const store = new ModelStore(new InMemoryBackend());
    const progress: number[] = [];
    const report = await store.download("test", plan(server.url), {
      ...FAST,
      onProgress: ({ storedBytes, totalBytes }) => {
        expect(totalBytes).toBe(FILE.length);
        progress.push(storedBytes);
      },
    });
    expect(report).toEqual({ wireBytes: FILE.length, repeatedBytes: 0, retries: 0, restarts: 0 });
    expect(server.sentBytes).toBe(FILE.length);
    expect(progress.at(-1)).toBe(FILE.length);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(hash(await stored(store))).toBe(hash(FILE));
    expect(await store.find("test")).toMatchObject({ complete: true, bytes: FILE.length });
    expect(server.requests.slice(1).every(({ ifRange }) => ifRange !== undefined)).toBe(true);
  });

  it("asks for nothing when all is there", async () => {
    const server = await serve();
    const store = new ModelStore(new InMemoryBackend());
    await store.download("test", plan(server.url), FAST);
    const { length } = server.requests;
    expect((await store.download("test", plan(server.url), FAST)).wireBytes).toBe(0);
    expect(server.requests.length).toBe(length);
  });

  it("takes empty files, and files of one chunk", async () => {
    for (const bytes of [new Uint8Array(0), noise(5, 1), noise(CHUNK_BYTES, 3), noise(CHUNK_BYTES + 1, 4)]) {
      const server = await serve({}, bytes);
      const store = new ModelStore(new InMemoryBackend());
      await store.download("test", plan(server.url), FAST);
      expectSameBytes(await stored(store), bytes);
    }
  });

  it.each([1, 2, 3])("goes on where connections are cut after a random number of bytes (seed %d)", async (seed) => {
    const next = random(seed);
    const server = await serve({ cutAfter: () => Math.floor(next() * 12 * MIB) });
    const store = new ModelStore(new InMemoryBackend());
    const report = await store.download("test", plan(server.url), { ...FAST, attempts: 50 });
    expect(hash(await stored(store))).toBe(hash(FILE));
    expect(report.retries).toBeGreaterThan(0);
    expect(report.wireBytes - report.repeatedBytes).toBe(FILE.length);
    expect(report.repeatedBytes / FILE.length).toBeLessThan(0.05);
  });

  it("gives up a stalled connection, and continues with another one", async () => {
    const server = await serve({ stallAfter: (request) => (request === 1 ? 3 * MIB + 5 : undefined) });
    const store = new ModelStore(new InMemoryBackend());
    // long enough that a busy machine does not stall the other connections too
    const report = await store.download("test", plan(server.url), { ...FAST, stallMs: 1000 });
    expect(hash(await stored(store))).toBe(hash(FILE));
    expect(report.retries).toBe(1);
    expect(report.wireBytes - report.repeatedBytes).toBe(FILE.length);
  });

  it("gives up a server that sends nothing, and says so", async () => {
    const server = await serve({ cutAfter: () => 0 });
    const store = new ModelStore(new InMemoryBackend());
    await expect(store.download("test", plan(server.url), { ...FAST, attempts: 3 })).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/3 tries failed/),
    });
    expect(server.requests.length).toBe(3);
    expect(await store.find("test")).toMatchObject({ complete: false });
  });

  it("begins again when the file changes, and ends with the new one", async () => {
    const server = await serve({
      file: (request) => (request < 2 ? { bytes: FILE, etag: '"one"' } : { bytes: OTHER, etag: '"two"' }),
    });
    const store = new ModelStore(new InMemoryBackend());
    const report = await store.download("test", plan(server.url), { ...FAST, parallel: 1 });
    expect(hash(await stored(store))).toBe(hash(OTHER));
    expect(report.restarts).toBe(1);
    expect(report.wireBytes - report.repeatedBytes).toBe(OTHER.length);
  });

  it("gives up a file that changes with every request", async () => {
    const server = await serve({ file: (request) => ({ bytes: FILE, etag: `"${request}"` }) });
    const store = new ModelStore(new InMemoryBackend());
    await expect(store.download("test", plan(server.url), FAST)).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/changed at its server again and again/),
    });
  });

  it("downloads a whole file from a server without ranges, and the rest of one that stopped supporting them", async () => {
    const server = await serve({ ignoresRanges: true });
    const store = new ModelStore(new InMemoryBackend());
    expect(await store.download("test", plan(server.url), FAST)).toMatchObject({
      wireBytes: FILE.length,
      repeatedBytes: 0,
    });
    expect(hash(await stored(store))).toBe(hash(FILE));

    const other = await serve();
    other.chaos.status = (request) => {
      other.chaos.ignoresRanges = request >= 1;
      return undefined;
    };
    const second = new ModelStore(new InMemoryBackend());
    const report = await second.download("test", plan(other.url), { ...FAST, parallel: 1 });
    expect(hash(await stored(second))).toBe(hash(FILE));
    expect(report.repeatedBytes).toBe(MIB); // the first request's chunk
  });

  it("fetches a chunk again that comes with a flipped bit", async () => {
    const flip = (body: Uint8Array, from: number): Uint8Array => {
      if (from > 5 * MIB || from + body.length <= 5 * MIB) return body;
      body[5 * MIB - from]! ^= 4;
      return body;
    };
    let times = 0;
    const server = await serve({ distort: (body, from) => (times++ < 3 ? flip(body, from) : body) });
    const store = new ModelStore(new InMemoryBackend());
    const chunks = { bytes: MIB, sha256: chunkHashes(FILE) };
    const report = await store.download("test", planWith({ chunks }, server.url), FAST);
    expect(hash(await stored(store))).toBe(hash(FILE));
    expect(report.repeatedBytes).toBeGreaterThanOrEqual(MIB);

    const always = await serve({ distort: flip });
    const second = new ModelStore(new InMemoryBackend());
    await expect(second.download("test", planWith({ chunks }, always.url), FAST)).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringMatching(/a\/weights is damaged at its server: its bytes from 5242880 on/),
    });
    expect(await second.find("test")).toMatchObject({ complete: false, files: [] });
  });

  it("checks the hash of the file where its chunks have none, and its size", async () => {
    const server = await serve();
    const store = new ModelStore(new InMemoryBackend());
    await expect(store.download("test", planWith({ sha256: hash(OTHER) }, server.url), FAST)).rejects.toMatchObject({
      code: "damaged",
    });
    await expect(store.download("test", planWith({ bytes: 5 }, server.url), FAST)).rejects.toMatchObject({
      code: "damaged",
    });
    await store.download("test", planWith({ sha256: hash(FILE), bytes: FILE.length }, server.url), FAST);
    expect(hash(await stored(store))).toBe(hash(FILE));
  });

  it("asks mirrors where an address fails, is busy, or has no such file", async () => {
    for (const status of [503, 404]) {
      const broken = await serve({ status: () => status });
      const mirror = await serve();
      const store = new ModelStore(new InMemoryBackend());
      await store.download("test", plan(broken.url, mirror.url), FAST);
      expect(hash(await stored(store))).toBe(hash(FILE));
    }
  });

  it.each([
    [404, "missing-file"],
    [403, "network"],
    [503, "network"],
  ])("reports a status %d as %s", async (status, code) => {
    const server = await serve({ status: () => status });
    const store = new ModelStore(new InMemoryBackend());
    await expect(store.download("test", plan(server.url), { ...FAST, attempts: 2 })).rejects.toMatchObject({ code });
  });

  it("ends at its signal, and resumes later from the stored chunks", async () => {
    const server = await serve();
    const backend = new InMemoryBackend();
    const abort = new AbortController();
    const reason = new Error("enough");
    const stopped = new ModelStore(backend).download("test", plan(server.url), {
      ...FAST,
      parallel: 1,
      signal: abort.signal,
      onProgress: ({ storedBytes }) => {
        if (storedBytes > 6 * MIB) abort.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    const report = await new ModelStore(backend).download("test", plan(server.url), FAST);
    expect(report.wireBytes).toBeLessThan(7 * MIB);
    expect(report.repeatedBytes).toBe(0);
    expect(hash(await stored(new ModelStore(backend)))).toBe(hash(FILE));
  });

  it("lets one of two downloads do the work", async () => {
    const server = await serve();
    const backend = new InMemoryBackend();
    const [one, two] = await Promise.all([
      new ModelStore(backend).download("test", plan(server.url), FAST),
      new ModelStore(backend).download("test", plan(server.url), FAST),
    ]);
    expect(one.wireBytes + two.wireBytes).toBe(FILE.length);
  });

  it("refuses a model without enough space, with the figures, and leaves no files", async () => {
    const server = await serve();
    const backend = new InMemoryBackend(8 * MIB);
    const store = new ModelStore(backend);
    await expect(store.download("test", planWith({ bytes: FILE.length }, server.url), FAST)).rejects.toMatchObject({
      code: "storage-full",
      details: { neededBytes: FILE.length, freeBytes: 8 * MIB },
    });
    expect(server.requests.length).toBe(0);
    await expect(store.download("test", plan(server.url), FAST)).rejects.toMatchObject({ code: "storage-full" });
    expect(await backend.list("")).toEqual([]);
    expect(await store.list()).toEqual([]);
  });
});
