import type { ModelFile, ModelSource } from "../weights/sources/model-source.ts";

/** Files of a model that are stored already, and the rest where it comes from. Closing it closes neither. */
export class LayeredSource implements ModelSource {
  readonly description: string;
  readonly #upper: ModelSource;
  readonly #lower: ModelSource;

  constructor(upper: ModelSource, lower: ModelSource) {
    this.description = lower.description;
    this.#upper = upper;
    this.#lower = lower;
  }

  async exists(path: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#upper.exists(path, signal)) || this.#lower.exists(path, signal);
  }

  async open(path: string, signal?: AbortSignal): Promise<ModelFile> {
    return ((await this.#upper.exists(path, signal)) ? this.#upper : this.#lower).open(path, signal);
  }

  async list(signal?: AbortSignal): Promise<readonly string[] | undefined> {
    const [upper, lower] = [await this.#upper.list(signal), await this.#lower.list(signal)];
    return upper && lower && [...new Set([...upper, ...lower])].toSorted();
  }

  async close(): Promise<void> {}
}
