import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRunner, type ImageItem, type LocalTaskRunner, readMetadata } from "../../runtime/node.ts";
import { inSharp, solidImage } from "../support/images.ts";
import { modelFolder } from "../support/nano.ts";
import { EXAMPLES } from "../unit/task/examples.ts";

/** The whole schedule of an example takes a minute on a software GPU. */
const FULL = process.env["KLEINBILD_FULL"] === "1";
const UUID_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const COLOURS = [
  [200, 40, 40],
  [40, 200, 40],
  [40, 40, 200],
] as const;

/** An example of the pages, its references replaced by local ones and its size reduced in its proportions. */
async function local(example: (typeof EXAMPLES)[number]): Promise<Record<string, unknown>> {
  const scale = 128 / Math.min(example.width, example.height);
  const side = (pixels: number): number => Math.round((pixels * scale) / 16) * 16;
  const references = "inputs" in example ? await Promise.all(COLOURS.map(pictureUri)) : undefined;
  return {
    ...example,
    width: side(example.width),
    height: side(example.height),
    ...(references && { inputs: { referenceImages: references } }),
    ...(FULL ? {} : { steps: 1 }),
  };
}

async function pictureUri([red, green, blue]: readonly [number, number, number]): Promise<string> {
  const png = await inSharp(solidImage(64, 64, [red, green, blue, 255]))
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

describe("tasks of the API on the miniatures", () => {
  let runner: LocalTaskRunner<object>;
  beforeAll(() => {
    const base = { model: modelFolder("klein-nano-base"), dtype: "f32", backend: "wgsl", warmUp: false } as const;
    const nano = { model: modelFolder("klein-nano"), dtype: "f32", backend: "wgsl", warmUp: false } as const;
    runner = createTaskRunner({ models: { "runware:400@3": base, "runware:400@6": nano } });
  });
  afterAll(() => runner.dispose());

  // the first has references
  for (const [i, example] of [...EXAMPLES.entries()].filter(([at]) => FULL || at === 0))
    it(`answers example ${i + 1} of the Base page in the documented shape`, async () => {
      const task = await local(example);
      const { data, errors } = await runner.runTasks(task);
      expect(errors).toEqual([]);
      expect(data).toEqual([
        {
          taskType: "imageInference",
          taskUUID: example.taskUUID,
          imageUUID: expect.stringMatching(UUID_4),
          imageURL: expect.stringMatching(/^file:\/\/\/.*\.jpg$/),
          seed: example.seed,
          run: expect.objectContaining({ model: "klein-nano-base" }),
          // the miniature reads 48 tokens
          warnings: [
            expect.stringMatching(/^prompt has \d+ tokens/),
            expect.stringMatching(/^negativePrompt has \d+ tokens/),
          ],
        },
      ]);
      const item = data[0] as ImageItem;
      const file = fileURLToPath(item.imageURL!);
      const { format, width, height } = await sharp(file).metadata();
      expect({ format, width, height }).toEqual({ format: "jpeg", width: task["width"], height: task["height"] });
      expect(await readMetadata(readFileSync(file))).toMatchObject({ guidance: 4, seed: String(example.seed) });
      expect(item.run!.passes.total).toBe((task["steps"] as number) * 2);
      expect(item.run!.referenceMode).toBe("inputs" in example ? "exact" : undefined);
    });

  it("makes every kind of output, edits an earlier one by its UUID, and keeps the references' keys and values", async () => {
    const common = {
      taskType: "imageInference",
      model: "runware:400@6",
      positivePrompt: "make the background red",
      width: 128,
      height: 128,
      steps: 1,
      seed: 1,
    };
    const outputs = [
      { outputType: "base64Data", outputFormat: "PNG" },
      { outputType: "dataURI", outputFormat: "WEBP" },
    ];
    const first = await runner.runTasks(
      outputs.map((output) => ({ ...common, ...output, taskUUID: crypto.randomUUID() })),
    );
    expect(first.errors).toEqual([]);
    const [png, webp] = first.data as ImageItem[];
    expect(Buffer.from(png!.imageBase64Data!, "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(webp!.imageDataURI).toMatch(/^data:image\/webp;base64,UklGR/);
    const edit = { ...common, inputs: { referenceImages: [png!.imageUUID] }, outputType: "base64Data" };
    const edits = await runner.runTasks([1, 2].map((seed) => ({ ...edit, seed, taskUUID: crypto.randomUUID() })));
    expect(edits.errors).toEqual([]);
    expect((edits.data as ImageItem[]).map(({ run }) => run!.referenceCacheHit)).toEqual([false, true]);
  });

  it("names the reference that is too small or too elongated", async () => {
    const small = await inSharp(solidImage(63, 64, [0, 0, 0, 255]))
      .png()
      .toBuffer();
    const long = await inSharp(solidImage(640, 64, [0, 0, 0, 255]))
      .png()
      .toBuffer();
    const task = { taskType: "imageInference", model: "runware:400@6", positivePrompt: "x", width: 128, height: 128 };
    const { errors } = await runner.runTasks(
      [small, long].map((bytes) => ({
        ...task,
        taskUUID: crypto.randomUUID(),
        inputs: { referenceImages: [bytes.toString("base64")] },
      })),
    );
    expect(errors).toMatchObject([
      {
        code: "invalidReferenceImages",
        parameter: "inputs.referenceImages[0]",
        message: expect.stringMatching(/63 x 64/),
      },
      {
        code: "invalidReferenceImages",
        parameter: "inputs.referenceImages[0]",
        message: expect.stringMatching(/640 x 64/),
      },
    ]);
  });
});
