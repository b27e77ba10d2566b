import type { ModelFile, ModelSource } from "../weights/sources/model-source.ts";

/** Two sources as one: a file of the upper hides the one of the lower. Closing it closes neither. */
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
