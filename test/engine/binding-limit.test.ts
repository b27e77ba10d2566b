import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import { openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";

const ONE_MIB = 2 ** 20;
const REQUEST = { ...TINY, width: 128, height: 128, references: [randomPicture(1, 128, 128)] };

describe("bindings of at most 1 MiB", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openNano({ maxBindingBytes: ONE_MIB });
  });
  afterAll(() => engine.dispose());

  it("cut the matrices of the blocks into pieces of whole rows", () => {
    const { single, double } = engine.model.transformer.weights;
    for (const matrix of [single[0]!.mlpOut, double[0]!.image.down]) expect(matrix.pieces.length).toBe(1); // 768 KiB
    const { image } = engine.model.transformer.weights.modulation; // [1536, 256] f32: 1.5 MiB
    expect(image.pieces.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
      [0, 1024],
      [1024, 512],
    ]);
    for (const { values } of image.pieces) expect(values.buffer.size).toBeLessThanOrEqual(ONE_MIB);
  });

  it("cut the autoencoder's maps into bands", async () => {
    const { gpu, vae } = engine.model;
    const bands = await gpu.checked("decode", async () => {
      using scope = gpu.memory.scope();
      const tokens = scope.tensor("tokens", "f32", [64, 64]);
      gpu.recorder.clear(tokens);
      const map = await vae.decode(scope, tokens, { width: 128, height: 128 });
      return map.bands.map(({ shape }) => shape[1]!);
    });
    expect(bands.length).toBeGreaterThan(1);
    expect(bands.reduce((sum, rows) => sum + rows, 0)).toBe(128);
  });

  it("give the picture that unlimited ones give, and count every byte down to zero", async () => {
    const unlimited = await openNano();
    const expected = await runEngine(unlimited, REQUEST);
    await unlimited.dispose();
    const cut = await runEngine(engine, REQUEST);
    const worst = cut.image.data.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - expected.image.data[i]!)),
      0,
    );
    expect(worst).toBeLessThanOrEqual(1);
    const { memory } = engine.model.gpu;
    const before = memory.report();
    process.stderr.write(`128 x 128 with a reference, bindings of 1 MiB: peak ${before.peakBytes} bytes\n`);
    await engine.dispose();
    expect(memory.report().currentBytes).toBe(0);
    engine = await openNano({ maxBindingBytes: ONE_MIB });
  });

  it("refuse a picture so wide that not even two rows of features fit, and say why", async () => {
    await expect(runEngine(engine, { ...TINY, width: 8192, height: 16 })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("Ask for a narrower picture"),
    });
  });
});
