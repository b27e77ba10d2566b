import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { modelFolder, openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";

const A = randomPicture(1);
const B = randomPicture(2);
const withReferences = (...references: readonly PixelImage[]) => ({ ...TINY, references });

describe("kept reference keys and values", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openNano();
  });
  afterAll(() => engine.dispose());

  it("serve a second request, with other prompt, seed and size too, without a references pass", async () => {
    const first = await runEngine(engine, withReferences(A, B));
    expect(first.events).toContainEqual({ type: "encode", what: "references", reused: false });
    expect(first.report.referenceCache).toMatchObject({ hit: false, hits: 0, misses: 1, entries: 1 });
    const other = { ...withReferences(A, B), prompt: "a cat", seed: 9, width: 80, height: 64, steps: 2 };
    const second = await runEngine(engine, other);
    expect(second.events).toContainEqual({ type: "encode", what: "references", reused: true });
    expect(second.report.referenceCache).toMatchObject({ hit: true, hits: 1, misses: 1, entries: 1 });
    expect(second.report.timings.references).toBeLessThan(first.report.timings.references! / 10);
  });

  it("give the picture that a fresh engine gives, bit for bit", async () => {
    const kept = await runEngine(engine, withReferences(A, B));
    expect(kept.report.referenceCache.hit).toBe(true);
    const fresh = await openNano();
    const again = await runEngine(fresh, withReferences(A, B));
    await fresh.dispose();
    expect(again.report.referenceCache.hit).toBe(false);
    expect(kept.image.data).toEqual(again.image.data);
  });

  it("are computed again after a change of one pixel, of the order, and of the number of pictures", async () => {
    await runEngine(engine, withReferences(A, B));
    const changed = { ...A, data: A.data.slice() };
    changed.data[4 * 1000]! ^= 1;
    const pictures = [];
    for (const references of [[changed, B], [B, A], [A]]) {
      const { report, image } = await runEngine(engine, withReferences(...references));
      expect(report.referenceCache.hit).toBe(false);
      pictures.push(image.data.join());
    }
    const original = await runEngine(engine, withReferences(A, B));
    expect(original.report.referenceCache.hit).toBe(true);
    expect(new Set([...pictures, original.image.data.join()]).size).toBe(4);
  });

  it("belong to one model: another one has its own", async () => {
    const base = await openNano({ folder: modelFolder("klein-nano-base") });
    const { report } = await runEngine(base, { ...withReferences(A, B), guidance: null });
    expect(report.referenceCache).toMatchObject({ hit: false, hits: 0, entries: 1 });
    expect(base.model.fingerprint).not.toBe(engine.model.fingerprint);
    await base.dispose();
  });

  it("are shared by both passes of guidance", async () => {
    const base = await openNano({ folder: modelFolder("klein-nano-base") });
    const { report } = await runEngine(base, { ...withReferences(A), guidance: 3 });
    expect(report.referenceCache).toMatchObject({ misses: 1, entries: 1 });
    await base.dispose();
  });

  it("go, least recently used first, when the budget is exceeded, and are computed again when asked for", async () => {
    const one = await openNano();
    const { bytes } = (await runEngine(one, withReferences(A))).report.referenceCache;
    await one.dispose();
    const small = await openNano({ referenceCacheBytes: 2 * bytes });
    for (const picture of [A, B]) await runEngine(small, withReferences(picture));
    await runEngine(small, withReferences(A)); // B is now the least recent
    await runEngine(small, withReferences(randomPicture(3)));
    expect(small.info.referenceCache).toMatchObject({ entries: 2, bytes: 2 * bytes, evictions: 1 });
    expect((await runEngine(small, withReferences(A))).report.referenceCache.hit).toBe(true);
    expect((await runEngine(small, withReferences(B))).report.referenceCache.hit).toBe(false);
    await small.dispose();
  });

  it("are used by their own run, then dropped, where the budget is too small for even one", async () => {
    const none = await openNano({ referenceCacheBytes: 0 });
    const { report, image } = await runEngine(none, withReferences(A, B));
    expect(report.referenceCache.hit).toBe(false);
    expect(none.info.referenceCache).toMatchObject({ entries: 0, bytes: 0 });
    expect(none.info.memory.byCategory.referenceCache?.currentBytes ?? 0).toBe(0);
    expect(image.data).toEqual((await runEngine(engine, withReferences(A, B))).image.data);
    await none.dispose();
  });

  it("equals the mode recompute on the same weights", async () => {
    const exact = await runEngine(engine, withReferences(A, B));
    const recomputed = await runEngine(engine, { ...withReferences(A, B), referenceMode: "recompute" });
    expect(recomputed.report).toMatchObject({ referenceMode: "recompute" });
    expect(recomputed.image.data).toEqual(exact.image.data);
  });
});
