import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../runtime/engine/engine.ts";
import type { EngineOptions } from "../../runtime/engine/engine-options.ts";
import type { LoadEvent } from "../../runtime/events.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { prepareModel, type PrepareOptions, storedIds } from "../../runtime/models/prepare-model.ts";
import { httpLocation } from "../../runtime/models/page-location.ts";
import { openModels } from "../../runtime/node/open-models.ts";
import { openNodeLocation, openNodeStore } from "../../runtime/node/location.ts";
import type { DownloadReport } from "../../runtime/weights/store/download/remote-files.ts";
import { InMemoryBackend } from "../../runtime/weights/store/in-memory-backend.ts";
import { ModelStore } from "../../runtime/weights/store/model-store.ts";
import { type ModelServer, serveModel } from "../../tools/synthesize/model-server.ts";
import { NANO, openNano, runEngine, TINY } from "../support/nano.ts";
import { psnr } from "../support/psnr.ts";

const WEIGHTS = [
  "text_encoder/model.safetensors",
  "transformer/diffusion_pytorch_model.safetensors",
  "vae/diffusion_pytorch_model.safetensors",
];

let folder: string;
let server: ModelServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kleinbild-"));
  server = await serveModel(NANO);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Made {
  readonly data: Uint8ClampedArray;
  readonly events: readonly LoadEvent[];
  readonly reports: readonly DownloadReport[];
}

/** A picture by an engine that reads the prepared model. */
async function make(storeFolder: string, model: string, options: PrepareOptions): Promise<Made> {
  const events: LoadEvent[] = [];
  const reports: DownloadReport[] = [];
  const source = await prepareModel(openNodeStore(storeFolder), await openNodeLocation(model), options, {
    onLoad: (event) => void events.push(event),
    onReport: (report) => void reports.push(report),
  });
  const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
  const engineOptions: EngineOptions = {
    dtype: "f32",
    backend: "wgsl",
    warmUp: false,
    quantization: options.quantization,
  };
  const engine = await Engine.create(platform, source, engineOptions);
  const { image } = await runEngine(engine, TINY);
  await engine.dispose();
  return { data: image.data, events, reports };
}

async function direct(options: EngineOptions): Promise<Uint8ClampedArray> {
  const engine = await openNano(options);
  const { image } = await runEngine(engine, TINY);
  await engine.dispose();
  return image.data;
}

describe("a model of a server", () => {
  it("is downloaded once, and then read without the server", async () => {
    const store = join(folder, "none");
    const options = { keep: "always" } as const;
    server.sentBytes.clear();
    const first = await make(store, server.url, options);
    expect(first.data).toEqual(await direct({}));
    expect(first.events.map(({ stage }) => stage)).toContain("download");
    for (const path of WEIGHTS) {
      const { size } = await stat(join(NANO, path));
      const headers = server.sentBytes.get(path)! - size; // read to know the model, before anything is kept
      expect(headers).toBeGreaterThanOrEqual(0);
      expect(headers).toBeLessThan(100_000);
    }
    expect(first.reports.map(({ repeatedBytes }) => repeatedBytes)).toEqual([0]);
    server.sentBytes.clear();
    expect((await make(store, server.url, options)).data).toEqual(first.data);
    expect(server.sentBytes.size).toBe(0);
  });

  it("is repacked part by part, its originals are given up, and the next start only reads", async () => {
    const storeFolder = join(folder, "q4");
    const options = { keep: "always", quantization: "q4" } as const;
    const first = await make(storeFolder, server.url, options);
    const stages = first.events.map(({ stage, part }) => `${stage} ${part}`);
    expect([...new Set(stages)]).toEqual([
      "download transformer",
      "repack transformer",
      "download textEncoder",
      "repack textEncoder",
      "download vae",
      "repack vae",
    ]);
    // scales are f16 in the store
    expect(psnr(first.data, await direct({ quantization: "q4" }))).toBeGreaterThan(50);
    const kept = await openModels({ storeFolder }).list();
    expect(kept.map(({ complete }) => complete)).toEqual([true]);
    server.sentBytes.clear();
    const second = await make(storeFolder, server.url, options);
    expect(second.data).toEqual(first.data);
    expect(second.events).toEqual([]);
    expect(server.sentBytes.size).toBe(0);
  });

  it("is read from its server if it is small or must not be kept", async () => {
    for (const keep of ["auto", "never"] as const) {
      const place = await openNodeLocation(server.url);
      expect(await prepareModel(openNodeStore(join(folder, keep)), place, { keep })).toBe(place.source);
    }
  });
});

describe("a model for which there is no room", () => {
  const options = { keep: "always" } as const;

  it("evicts only the models that the user listed, one after the other", async () => {
    const sizes = await Promise.all(WEIGHTS.map(async (path) => (await stat(join(NANO, path))).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const store = new ModelStore(new InMemoryBackend(2.9 * bytes));
    const servers = await Promise.all([serveModel(NANO), serveModel(NANO), serveModel(NANO)]);
    const [first, second, third] = servers.map(({ url }) => httpLocation(url));
    try {
      await prepareModel(store, first!, options);
      await prepareModel(store, second!, options);
      await expect(prepareModel(store, third!, options)).rejects.toMatchObject({ code: "storage-full" });
      const ids = (await store.list()).map(({ id }) => id);
      expect(ids).toHaveLength(2);
      const evict = [storedIds(third!, {}).prepared, "none of that name", storedIds(first!, {}).prepared, ...ids];
      await prepareModel(store, third!, { ...options, evict });
      expect((await store.list()).map(({ id, complete }) => [id, complete])).toEqual(
        [third!, second!].map((place) => [storedIds(place, {}).prepared, true]),
      );
    } finally {
      for (const each of servers) await each.close();
    }
  });
});

describe("a model that is to be repacked, for which there is no room", () => {
  // the store is full at the start, during the first original, during its repacking, and during the next original
  it.each([0.1, 0.6, 1, 1.15])("leaves no files if there is room for only %d of its transformer", async (times) => {
    const { size } = await stat(join(NANO, WEIGHTS[1]!));
    const backend = new InMemoryBackend(times * size);
    const preparing = prepareModel(new ModelStore(backend), httpLocation(server.url), {
      keep: "always",
      quantization: "q4",
    });
    await expect(preparing).rejects.toMatchObject({ code: "storage-full" });
    expect(await backend.list("")).toEqual([]);
    expect((await backend.storage()).usedBytes).toBe(0);
  });
});

describe("openModels", () => {
  it("says how much space a model needs, before its download and after", async () => {
    const models = openModels({ storeFolder: join(folder, "library") });
    server.sentBytes.clear();
    const options = { keep: "always", request: { width: 128, height: 128 } } as const;
    const before = await models.availability(server.url, options);
    expect(before).toMatchObject({ status: "downloadable", missing: [], model: { name: "klein-nano" } });
    const sizes = await Promise.all(WEIGHTS.map(async (path) => (await stat(join(NANO, path))).size));
    const weights = sizes.reduce((sum, size) => sum + size, 0);
    expect(before.downloadBytes).toBeGreaterThan(weights);
    expect(before.store).toMatchObject({ bytes: before.downloadBytes, peakBytes: before.downloadBytes });
    const read = await models.availability(server.url, { ...options, keep: "never" });
    expect(read.downloadBytes).toBeLessThan(weights);
    expect(read.downloadBytes).toBeGreaterThan(0.9 * weights);
    expect([...server.sentBytes.values()].reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(0.1 * weights);
    expect(before.plan!.peakBytes).toBeGreaterThan(before.plan!.weights.transformer);
    const kept = await models.download(server.url);
    expect(kept).toMatchObject({ complete: true, name: "klein-nano", id: before.store.id });
    expect(kept!.bytes).toBe(before.downloadBytes);
    await openNodeStore(join(folder, "library")).deleteFiles(kept!.id, [WEIGHTS[1]!]);
    expect((await models.availability(server.url, options)).downloadBytes).toBe(sizes[1]);
    await models.download(server.url);
    expect(await models.availability(server.url, options)).toMatchObject({ status: "ready", downloadBytes: 0 });
    expect(await models.verify(kept!.id)).toEqual([]);
    expect((await models.storage())!.freeBytes).toBeGreaterThan(0);
    await models.delete(kept!.id);
    expect(await models.list()).toEqual([]);
  });

  it("counts whole files of parts that must be repacked, and none of parts that are finished", async () => {
    const storeFolder = join(folder, "repacked");
    const models = openModels({ storeFolder });
    const options = { keep: "always", quantization: "q4" } as const;
    const all = await models.availability(server.url, { keep: "always" });
    const before = await models.availability(server.url, options);
    expect(before.downloadBytes).toBe(all.downloadBytes);
    const { size } = await stat(join(NANO, WEIGHTS[1]!));
    const largest = Math.max(...(await Promise.all(WEIGHTS.map(async (path) => (await stat(join(NANO, path))).size))));
    expect(before.store.peakBytes).toBe(before.store.bytes + largest);
    const { id } = (await models.download(server.url, options))!;
    await openNodeStore(storeFolder).deleteFiles(id, [WEIGHTS[1]!]);
    const after = await models.availability(server.url, options);
    expect(after.downloadBytes).toBeGreaterThan(size);
    expect(before.downloadBytes - after.downloadBytes).toBe(
      (await stat(join(NANO, WEIGHTS[0]!))).size + (await stat(join(NANO, WEIGHTS[2]!))).size,
    );
  });

  it("finds a complete model by its id alone, without its server", async () => {
    const storeFolder = join(folder, "by id");
    const models = openModels({ storeFolder });
    const passing = await serveModel(NANO);
    const { id } = (await models.download(passing.url, { quantization: "q4" }))!;
    await passing.close();
    expect(await models.availability(`stored:${id}`)).toMatchObject({ status: "ready", store: { id } });
    const { data, events } = await make(storeFolder, `stored:${id}`, {});
    expect(psnr(data, await direct({ quantization: "q4" }))).toBeGreaterThan(50);
    expect(events).toEqual([]);
    await openNodeStore(storeFolder).deleteFiles(id, ["vae/diffusion_pytorch_model.safetensors"]);
    await expect(models.availability(`stored:${id}`)).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringContaining(passing.url),
    });
    await expect(models.download("stored:another")).rejects.toMatchObject({ code: "missing-file" });
  });

  it("says which limit is too small, and the nearest size that fits", async () => {
    const models = openModels({ storeFolder: join(folder, "library") });
    const all = await models.availability(undefined, { request: { width: 512, height: 512 } });
    expect(all.status).toBe("ready");
    const memoryBudgetBytes = all.plan!.peakBytes * 0.6;
    const less = await models.availability(undefined, { memoryBudgetBytes, request: { width: 512, height: 512 } });
    expect(less.status).toBe("too-small");
    expect(less.plan!.nearest).toBeDefined();
    expect(less.missing[0]).toContain(`${less.plan!.nearest!.width} x ${less.plan!.nearest!.height} fits`);
  });

  it("accepts a model as the addresses of its files, and names missing ones", async () => {
    const models = openModels({ storeFolder: join(folder, "library") });
    const files = {
      "a.safetensors": `${server.url}transformer/diffusion_pytorch_model.safetensors`,
      "b.safetensors": join(NANO, "vae/diffusion_pytorch_model.safetensors"),
      "transformer/config.json": join(NANO, "transformer/config.json"),
      "vae/config.json": join(NANO, "vae/config.json"),
      "kleinbild.json": join(NANO, "kleinbild.json"),
    };
    await expect(models.availability(files)).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringMatching(/textEncoder is missing/),
    });
    await expect(models.availability(join(folder, "nowhere"))).rejects.toMatchObject({ code: "missing-file" });
    const whole = {
      ...files,
      "c.safetensors": join(NANO, "text_encoder/model.safetensors"),
      "text_encoder/config.json": join(NANO, "text_encoder/config.json"),
      "tokenizer/tokenizer.json": `${server.url}tokenizer/tokenizer.json`,
      "tokenizer/tokenizer_config.json": join(NANO, "tokenizer/tokenizer_config.json"),
    };
    expect(await models.availability(whole)).toMatchObject({
      status: "ready",
      recognition: { parts: { transformer: { files: ["a.safetensors"], naming: "diffusers" } } },
    });
  });
});
