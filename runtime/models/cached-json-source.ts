import type { ModelFile, ModelSource } from "../weights/sources/model-source.ts";

/** Larger JSON files are not cached. The real tokenizer has 11 MB. */
const MAX_BYTES = 64 << 20;

/** A source that reads each JSON file once, because a model is opened again for each part that is prepared. */
export class CachedJsonSource implements ModelSource {
  readonly description: string;
  readonly #source: ModelSource;
  readonly #files = new Map<string, ModelFile>();

  constructor(source: ModelSource) {
    this.description = source.description;
    this.#source = source;
  }

  async exists(path: string, signal?: AbortSignal): Promise<boolean> {
    return this.#files.has(path) || this.#source.exists(path, signal);
  }

  async open(path: string, signal?: AbortSignal): Promise<ModelFile> {
    const known = this.#files.get(path);
    if (known) return known;
    const file = await this.#source.open(path, signal);
    if (!path.endsWith(".json") || file.size > MAX_BYTES) return file;
    const bytes = await file.read(0, file.size, signal);
    const remembered: ModelFile = {
      size: bytes.length,
      read: async (offset, length) => bytes.slice(offset, offset + length),
    };
    this.#files.set(path, remembered);
    return remembered;
  }

  list(signal?: AbortSignal): Promise<readonly string[] | undefined> {
    return this.#source.list(signal);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
