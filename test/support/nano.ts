import { fileURLToPath } from "node:url";
import type { TuningStorage } from "../../runtime/autotune/tuning-cache.ts";
import { Engine, type EngineEvent } from "../../runtime/engine/engine.ts";
import type { EngineResult } from "../../runtime/engine/engine-result.ts";
import type { EngineOptions } from "../../runtime/engine/engine-options.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { randomValues } from "./compare.ts";

export const NANO = modelFolder("klein-nano");

export function modelFolder(name: "klein-nano" | "klein-nano-base"): string {
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}

/** The smallest request: one step of 64 x 64 pixels. */
export const TINY: GenerateRequest = {
  prompt: "a fox on a teal background",
  width: 64,
  height: 64,
  steps: 1,
  seed: 7,
  previews: false,
};

export interface OpenOptions extends EngineOptions {
  readonly folder?: string;
  readonly gpu?: GPU;
  readonly tuningCache?: TuningStorage;
}

/** klein-nano in f32 on the project's own kernels, compiled as they are used, unless said otherwise. */
export async function openNano({ folder = NANO, gpu, tuningCache, ...options }: OpenOptions = {}): Promise<Engine> {
  const platform = { gpu: gpu ?? (await dawnGpu()), codec: new NodeImageCodec(), tuningCache };
  return Engine.create(platform, new FolderSource(folder), {
    dtype: "f32",
    backend: "wgsl",
    warmUp: false,
    ...options,
  });
}

/** Runs a request to its end; its first picture. */
export async function runEngine(
  engine: Engine,
  request: GenerateRequest,
  { signal, onEvent }: { readonly signal?: AbortSignal; readonly onEvent?: (event: EngineEvent) => void } = {},
): Promise<EngineResult & { readonly events: readonly EngineEvent[] }> {
  const events: EngineEvent[] = [];
  for await (const event of engine.generate(request, signal)) {
    events.push(event);
    onEvent?.(event);
  }
  const result = events.find((event) => event.type === "result");
  if (!result) throw new Error("the run gave no picture");
  return { ...result, events };
}

/** A picture of noise. */
export function randomPicture(seed: number, width = 64, height = 64): PixelImage {
  const values = randomValues(width * height * 4, seed);
  return { width, height, data: Uint8ClampedArray.from(values, (value, i) => (i % 4 === 3 ? 255 : (value + 1) * 127)) };
}
