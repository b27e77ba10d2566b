import { readMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { empiricalMu, buildSigmas, type SigmaSpacing } from "../../runtime/sampling/schedule.ts";
import { torchNoise } from "../../runtime/sampling/noise-torch.ts";
import { PromptTokenizer } from "../../runtime/text/tokenizer.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import { f16ToF32 } from "../../runtime/weights/float.ts";
import { floats, type GoldenCase, type GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";

export async function textKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const model = await context.model(golden);
  const tensors = await context.tensors(golden);
  const tokens = model.tokenizer.encode(golden["prompt"] as string, model.config.textLength);
  const actual = await model.gpu.checked(golden.name, async () => {
    const { embeddings } = await model.promptEmbeddings.get(tokens);
    return readMatrix(model.gpu.recorder, embeddings);
  });
  return [
    { name: "ids", actual: tokens.ids, expected: tensors.get("ids")!.values, exact: true },
    { name: "mask", actual: tokens.mask, expected: tensors.get("mask")!.values, exact: true },
    { name: "embeddings", actual, expected: floats(tensors, "embeddings") },
  ];
}

export async function vaeKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const { gpu, vae } = await context.model(golden);
  const tensors = await context.tensors(golden);
  const size = { width: golden["width"] as number, height: golden["height"] as number };
  return gpu.checked(golden.name, async () => {
    using scope = gpu.memory.scope();
    const latents = await vae.encodeFeatures(scope, channelsLast(floats(tensors, "image"), 3), size);
    const noise = floats(tensors, "noise_latents");
    const tokens = scope.tensor("noise latents", "f32", tensors.get("noise_latents")!.shape);
    gpu.recorder.write(tokens, noise);
    const map = await vae.decode(scope, tokens, size);
    const decoded: number[] = [];
    for (const band of map.bands) {
      const bytes = await gpu.recorder.read(band);
      const count = band.shape.reduce((product, length) => product * length, 1);
      decoded.push(
        ...(band.dtype === "f16" ? f16ToF32(new Uint16Array(bytes, 0, count)) : new Float32Array(bytes, 0, count)),
      );
    }
    return [
      { name: "latents", actual: await gpu.recorder.readF32(latents), expected: floats(tensors, "latents") },
      { name: "decoded", actual: decoded, expected: channelsLast(floats(tensors, "decoded"), 3) },
    ];
  });
}

/** Converts [channels, positions] to [positions, channels]. */
function channelsLast(planes: Float32Array, channels: number): Float32Array<ArrayBuffer> {
  const positions = planes.length / channels;
  const values = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < positions; i++) values[i * channels + c] = planes[c * positions + i]!;
  return values;
}

interface ScheduleRow {
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly spacing?: SigmaSpacing;
  readonly mu: number;
  readonly sigmas: readonly number[];
}

export async function scheduleKind(_: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const rows = [...(golden["rows"] as ScheduleRow[]), ...((golden["spaced"] as ScheduleRow[] | undefined) ?? [])];
  return rows.flatMap(({ width, height, steps, spacing, mu, sigmas }) => {
    const tokens = (width / PIXELS_PER_TOKEN) * (height / PIXELS_PER_TOKEN);
    const name = `${width}x${height} ${steps} ${spacing ?? ""}`;
    const spaced = spacing === undefined ? {} : { spacing };
    return [
      { name: `${name} mu`, actual: [empiricalMu(tokens, steps)], expected: [mu] },
      { name: `${name} sigmas`, actual: buildSigmas({ tokens, steps, ...spaced }), expected: sigmas },
    ];
  });
}

export async function torchNoiseKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const tensors = await context.tensors(golden);
  const seeds = golden["seeds"] as Record<string, { readonly seed: string; readonly shape: readonly number[] }>;
  return Object.entries(seeds).map(([name, { seed, shape }]) => ({
    name,
    actual: torchNoise(
      BigInt(seed),
      shape.reduce((product, length) => product * length, 1),
    ),
    expected: floats(tensors, name),
  }));
}

export async function tokenizerKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const tokenizer = PromptTokenizer.create(await context.files.qwen3Tokenizer(), { pad_token: "<|endoftext|>" });
  const rows = golden["rows"] as readonly {
    readonly prompt: string;
    readonly length: number;
    readonly ids: readonly number[];
  }[];
  return rows.flatMap(({ prompt, length, ids }) => {
    const encoded = tokenizer.encode(prompt, 512);
    return [
      { name: `length of ${JSON.stringify(prompt)}`, actual: [encoded.tokens], expected: [length], exact: true },
      {
        name: JSON.stringify(prompt),
        actual: encoded.ids.subarray(0, Math.min(encoded.tokens, 512)),
        expected: ids,
        exact: true,
      },
    ];
  });
}
