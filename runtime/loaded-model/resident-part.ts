import { KleinbildError } from "../errors.ts";
import type { WeightPart } from "../weights/inventory.ts";
import type { WeightLoader } from "../weights/loader/weight-loader.ts";

interface Loaded<T> {
  readonly value: T;
  readonly loader: WeightLoader;
}

/** A part of the model whose weights come to the GPU and go again. */
export class ResidentPart<T> {
  readonly name: WeightPart;
  /** Of the files, that a load reads. */
  readonly fileBytes: number;
  readonly #build: (loader: WeightLoader) => Promise<T>;
  #loaded: Loaded<T> | undefined;

  /** @param build  loads the weights */
  constructor(name: WeightPart, fileBytes: number, build: (loader: WeightLoader) => Promise<T>) {
    this.name = name;
    this.fileBytes = fileBytes;
    this.#build = build;
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  /** @throws KleinbildError `internal` while it is not loaded */
  get value(): T {
    if (!this.#loaded) throw new KleinbildError("internal", `The part ${this.name} is used while it is not loaded.`);
    return this.#loaded.value;
  }

  /** Loads it; what came is freed again when that fails or is aborted. */
  async load(loader: WeightLoader): Promise<void> {
    try {
      this.#loaded = { value: await this.#build(loader), loader };
    } catch (error) {
      loader.dispose();
      throw error;
    }
  }

  free(): void {
    this.#loaded?.loader.dispose();
    this.#loaded = undefined;
  }
}
