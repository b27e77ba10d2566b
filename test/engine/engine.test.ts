import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKleinbild, type Kleinbild, KleinbildError, type PixelImage } from "../../runtime/node.ts";
import { modelFolder, openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";

describe("an engine on klein-nano", () => {
  let engine: Kleinbild;
  beforeAll(async () => {
    engine = await createKleinbild({ dtype: "f32", backend: "wgsl", warmUp: false });
  });
  afterAll(() => engine.dispose());

  it("yields typed events in order, with a preview of an eighth of the size", async () => {
    const seen = [];
    const generation = engine.generate({ ...TINY, steps: 2, previews: true });
    for await (const event of generation) seen.push(event);
    expect(seen.map(({ type }) => type)).toEqual(["encode", "step", "step", "decode", "result"]);
    expect(seen[1]).toMatchObject({ step: 1, steps: 2, sigma: 1, preview: { width: 8, height: 8 } });
    const { image, report } = await generation.result;
    expect([image.width, image.height, image.pixels.data.length]).toEqual([64, 64, 64 * 64 * 4]);
    expect(report).toMatchObject({
      model: "klein-nano",
      backend: "wgsl",
      dtype: "f32",
      seed: "7",
      steps: 2,
      guidance: null,
    });
    for (const stage of ["prompt", "steps", "decode", "total"] as const)
      expect(report.timings[stage]).toBeGreaterThan(0);
    expect(report.memory.peakBytes).toBeGreaterThan(report.memory.byCategory.transformer!.currentBytes);
  });

  it("gives the same picture for the same seed, another one for another seed, and reports a random seed", async () => {
    const pixels = async (seed?: number): Promise<string> =>
      (await engine.generate({ ...TINY, seed }).result).image.pixels.data.join();
    expect(await pixels(7)).toBe(await pixels(7));
    expect(await pixels(8)).not.toBe(await pixels(7));
    const { report, image } = await engine.generate({ ...TINY, seed: undefined }).result;
    expect(await pixels(Number(report.seed))).toBe(image.pixels.data.join());
  });

  it("previews the prediction of a step: the last preview looks like the picture", async () => {
    const generation = engine.generate({ ...TINY, width: 128, height: 128, steps: 4, previews: true });
    let preview: PixelImage | undefined;
    for await (const event of generation) if (event.type === "step") ({ preview } = event);
    const { image } = await generation.result;
    let difference = 0;
    for (let y = 0; y < 16; y++)
      for (let x = 0; x < 16; x++)
        for (let c = 0; c < 3; c++) {
          let mean = 0;
          for (let i = 0; i < 64; i++)
            mean += image.pixels.data[((y * 8 + (i >> 3)) * 128 + x * 8 + (i & 7)) * 4 + c]! / 64;
          difference += Math.abs(mean - preview!.data[(y * 16 + x) * 4 + c]!) / (16 * 16 * 3);
        }
    expect(difference).toBeLessThan(24); // of 255; a grey picture is over 60 away
  });

  it("takes its size from the first reference when none is asked for, else from the model", async () => {
    const { width: _w, height: _h, ...unsized } = TINY;
    const edited = await engine.generate({ ...unsized, references: [randomPicture(1, 100, 70), randomPicture(2)] })
      .result;
    expect([edited.image.width, edited.image.height]).toEqual([96, 64]);
    const plain = await engine.generate(unsized).result;
    expect([plain.image.width, plain.image.height]).toEqual([128, 128]);
  });

  it("settles `result` with the first of several pictures and `results` with all", async () => {
    const generation = engine.generate({ ...TINY, results: 2 });
    const order: string[] = [];
    void generation.result.then(() => order.push("result"));
    void generation.results.then(() => order.push("results"));
    const seen = [];
    for await (const event of generation) seen.push(event);
    const pictures = await generation.results;
    expect(order).toEqual(["result", "results"]);
    expect(await generation.result).toBe(pictures[0]);
    expect(seen.filter(({ type }) => type === "result")).toEqual(pictures);
    expect((await pictures[1]!.image.encode()).type).toBe("image/png");
  });

  it("runs requests one after the other", async () => {
    const order: string[] = [];
    const watch = async (name: string): Promise<void> => {
      for await (const event of engine.generate(TINY)) order.push(`${name} ${event.type}`);
    };
    await Promise.all([watch("a"), watch("b")]);
    expect(order).toEqual(
      ["a", "b"].flatMap((name) => ["encode", "step", "decode", "result"].map((type) => `${name} ${type}`)),
    );
  });

  it("refuses bad requests and bad pictures with code and parameter, and goes on", async () => {
    const failure = async (request: object): Promise<unknown> =>
      engine.generate({ ...TINY, ...request }).result.catch((error: unknown) => error);
    const size = await failure({ width: 1000 });
    expect(size).toBeInstanceOf(KleinbildError);
    expect(size).toMatchObject({ code: "invalid-request", details: { parameter: "width", nearest: 1008 } });
    expect(await failure({ references: [new Uint8Array(10)] })).toMatchObject({ code: "invalid-image" });
    expect(await failure({ references: [randomPicture(1), randomPicture(1, 63, 64)] })).toMatchObject({
      code: "invalid-image",
      message: expect.stringMatching(/^Reference 2: .*63 x 64/),
      details: { parameter: "references", index: 1 },
    });
    expect((await engine.generate(TINY).result).report.steps).toBe(1);
  });

  it("warns of guidance on distilled weights, and follows it on others", async () => {
    const { report } = await engine.generate({ ...TINY, guidance: 3, negativePrompt: "a cat" }).result;
    expect(report.guidance).toBe(null);
    expect(report.warnings).toHaveLength(2);
    const base = await openNano({ folder: modelFolder("klein-nano-base") });
    const guided = await runEngine(base, { ...TINY, guidance: 3, negativePrompt: "a cat" });
    const unguided = await runEngine(base, { ...TINY, guidance: 1 });
    await base.dispose();
    expect(guided.report).toMatchObject({ guidance: 3, warnings: [] });
    expect(guided.events.filter(({ type }) => type === "encode")).toHaveLength(2);
    expect(guided.image.data).not.toEqual(unguided.image.data);
  });

  it("warns of a prompt that is cut", async () => {
    const { report } = await engine.generate({ ...TINY, prompt: "a fox ".repeat(60) }).result;
    expect(report.warnings).toEqual([
      expect.stringMatching(/^prompt has \d+ tokens with its frame; the model takes 48/),
    ]);
  });

  it("frees everything by dispose, and says so afterwards", async () => {
    const other = await openNano();
    const { memory } = other.model.gpu;
    await runEngine(other, TINY);
    const { currentBytes, peakBytes } = memory.report();
    process.stderr.write(`klein-nano at 64 x 64: ${peakBytes} bytes at the peak, ${currentBytes} between runs\n`);
    expect(currentBytes).toBeGreaterThan(10e6);
    await other.dispose();
    expect(memory.report().currentBytes).toBe(0);
    expect(() => other.info).toThrow(/disposed/);
    const client = await createKleinbild({ dtype: "f32", backend: "wgsl", warmUp: false });
    const running = client.generate(TINY);
    await client.dispose();
    await expect(running.result).rejects.toThrow(/abort|disposed/i);
    expect(() => client.generate(TINY)).toThrow(/disposed/);
  });
});

describe("recovery", () => {
  it("loads again and runs again when the GPU is lost in a run", async () => {
    const engine = await openNano();
    const expected = await runEngine(engine, { ...TINY, steps: 2 });
    const { events, image, report } = await runEngine(
      engine,
      { ...TINY, steps: 2 },
      {
        onEvent: (event) => {
          if (event.type === "step" && event.step === 1 && !engine.model.gpu.lost && !lostOnce) {
            lostOnce = true;
            engine.model.gpu.lost = { reason: "unknown", message: "simulated" } as GPUDeviceLostInfo;
          }
        },
      },
    );
    expect(events.map(({ type }) => type)).toContain("load");
    expect(report.warnings).toEqual(["The GPU was lost; the model was loaded again and the request run again."]);
    expect(image.data).toEqual(expected.image.data);
    await engine.dispose();
  });
});
let lostOnce = false;
