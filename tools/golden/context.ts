import { type Engine, Engine as EngineClass, type Platform } from "../../runtime/engine/engine.ts";
import type { EngineOptions } from "../../runtime/engine/engine-options.ts";
import type { LoadedModel } from "../../runtime/loaded-model/loaded-model.ts";
import type { GoldenFiles, GoldenTensor } from "./files.ts";
import { readTensors } from "./files.ts";
import type { Tolerance } from "./judge.ts";

/** `case.json`. Other fields belong to the kind of the case. */
export interface GoldenCase {
  readonly name: string;
  readonly kind: string;
  readonly model?: string;
  readonly tolerance: Tolerance;
  readonly [field: string]: unknown;
}

/** The context of a case: its files, a platform, and models that stay loaded between cases. */
export class GoldenContext {
  readonly files: GoldenFiles;
  readonly platform: Platform;
  readonly #options: EngineOptions;
  readonly #engines = new Map<string, Promise<Engine>>();

  constructor(files: GoldenFiles, platform: Platform, options: EngineOptions) {
    this.files = files;
    this.platform = platform;
    this.#options = options;
  }

  async case(name: string): Promise<GoldenCase> {
    const bytes = await this.files.read(`cases/${name}/case.json`);
    return { ...(JSON.parse(new TextDecoder().decode(bytes)) as Omit<GoldenCase, "name">), name } as GoldenCase;
  }

  async tensors({ name }: GoldenCase): Promise<ReadonlyMap<string, GoldenTensor>> {
    return readTensors(await this.files.read(`cases/${name}/tensors.safetensors`));
  }

  async model({ name, model }: GoldenCase): Promise<LoadedModel> {
    if (model === undefined) throw new Error(`${name} names no model`);
    let engine = this.#engines.get(model);
    if (!engine) {
      engine = EngineClass.create(this.platform, this.files.model(model), { warmUp: false, ...this.#options });
      this.#engines.set(model, engine);
    }
    return (await engine).model;
  }

  async dispose(): Promise<void> {
    for (const engine of await Promise.allSettled(this.#engines.values()))
      if (engine.status === "fulfilled") await engine.value.dispose();
  }
}

/** The f32 values of a tensor in the case. */
export function floats(tensors: ReadonlyMap<string, GoldenTensor>, name: string): Float32Array<ArrayBuffer> {
  const tensor = tensors.get(name);
  if (!(tensor?.values instanceof Float32Array)) throw new Error(`the case has no f32 tensor ${name}`);
  return tensor.values;
}
