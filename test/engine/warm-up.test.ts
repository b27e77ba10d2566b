import { expect, it } from "vitest";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { modelFolder, openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";
import { watchGpu } from "../support/watched-gpu.ts";

const SIZE = { width: 128, height: 128, steps: 4 };

it.each([
  ["klein-nano", "f32", "none"],
  ["klein-nano", "f16", "q4"],
  ["klein-nano-base", "f16", "q8"],
] as const)(
  "a picture and an edit of %s in %s, weights %s, compile nothing that loading has not",
  async (name, dtype, quantization) => {
    const watch = watchGpu(await dawnGpu());
    const engine = await openNano({ folder: modelFolder(name), dtype, quantization, gpu: watch.gpu, warmUp: true });
    await runEngine(engine, { ...TINY, ...SIZE, previews: true });
    await runEngine(engine, { ...TINY, ...SIZE, references: [randomPicture(1, 128, 128)] });
    await engine.dispose();
    expect(watch.compiledOnUse).toEqual([]);
  },
);
