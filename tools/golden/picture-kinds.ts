import { drainPipeline } from "./drain.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { prepareReference } from "../../runtime/image/prepare.ts";
import { seededNoise } from "../../runtime/sampling/noise.ts";
import { compileSolver } from "../../runtime/sampling/solver.ts";
import { buildSigmas } from "../../runtime/sampling/schedule.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import { floats, type GoldenCase, type GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";

/** Allowed largest error of the engine's schedule and noise. */
const INPUT_MAX_ABS = 1e-5;
const SAMPLING_STRIDE = 8;

export async function pipelineKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const model = await context.model(golden);
  const tensors = await context.tensors(golden);
  const { width, height, steps } = golden as unknown as { width: number; height: number; steps: number };
  const grid = { width: width / PIXELS_PER_TOKEN, height: height / PIXELS_PER_TOKEN };
  const sigmas = Float32Array.from(golden["sigmas"] as number[]);
  const noise = floats(tensors, "noise");
  const references: PixelImage[] = [];
  for (const file of golden["references"] as string[])
    references.push(
      await prepareReference(
        await context.platform.codec.decode(await context.files.read(`cases/${golden.name}/${file}`)),
      ),
    );
  const comparisons: Comparison[] = [
    {
      name: "sigmas",
      actual: buildSigmas({ tokens: grid.width * grid.height, steps }),
      expected: sigmas,
      maxAbs: INPUT_MAX_ABS,
    },
  ];
  if (typeof golden["seed"] === "string") {
    const drawn = seededNoise("torch", BigInt(golden["seed"]), grid, model.transformer.config.inChannels).initial();
    comparisons.push({ name: "noise", actual: drawn, expected: noise, maxAbs: INPUT_MAX_ABS });
  }
  const image = await drainPipeline(model, {
    prompt: golden["prompt"] as string,
    negativePrompt: "",
    width,
    height,
    program: compileSolver("euler", sigmas),
    noises: [{ initial: () => noise, next: () => noise }],
    loras: [],
    guidance: golden["cfgScale"] as number | null,
    references,
    referenceMode: model.config.referenceAttention === "isolated" ? "exact" : "recompute",
    previews: false,
    onLatents: (step, latents) => {
      const name = `step.${step}`;
      if (tensors.has(name)) comparisons.push({ name, actual: latents, expected: floats(tensors, name) });
    },
  });
  comparisons.push({ name: "image", actual: colours(image), expected: floats(tensors, "image") });
  return comparisons;
}

/** Colours as [height, width, 3] from 0 to 1. */
function colours({ data, width, height }: PixelImage): Float32Array {
  const values = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) values[i * 3 + c] = data[i * 4 + c]! / 255;
  return values;
}

export async function imageKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const { width, height } = golden as unknown as { width: number; height: number };
  const prepared = await prepareReference(drawPattern(width, height));
  const expected = (await context.tensors(golden)).get("expected")!.values;
  return [
    {
      name: "size",
      actual: [prepared.width, prepared.height],
      expected: [golden["outputWidth"] as number, golden["outputHeight"] as number],
      exact: true,
    },
    { name: "pixels", actual: everyEighth(prepared), expected },
  ];
}

/** The picture that a case defines by a formula for r, g and b at (x, y), clamped and truncated to 8 bits. */
function drawPattern(width: number, height: number): PixelImage {
  const data = new Uint8ClampedArray(width * height * 4);
  const byte = (value: number): number => Math.trunc(Math.min(255, Math.max(0, value)));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      data[at] = byte(127 + 120 * Math.sin(x / 7.3 + y / 31));
      data[at + 1] = byte((255 * x) / width);
      data[at + 2] = byte(127 + 100 * Math.cos(y / 5.1) * Math.sin(x / 13));
      data[at + 3] = 255;
    }
  return { width, height, data };
}

/** Every 8th pixel in x and y as [3, ⌈height / 8⌉, ⌈width / 8⌉]. */
function everyEighth({ data, width, height }: PixelImage): number[] {
  const values = [];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y += SAMPLING_STRIDE)
      for (let x = 0; x < width; x += SAMPLING_STRIDE) values.push(data[(y * width + x) * 4 + c]!);
  return values;
}
