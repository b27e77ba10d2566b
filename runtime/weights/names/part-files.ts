import { KleinbildError } from "../../errors.ts";
import { openTensorFile } from "../formats/open-tensor-file.ts";
import type { StoredTensor, TensorFile } from "../formats/tensor-file.ts";
import type { WeightPart } from "../inventory.ts";
import type { ModelSource } from "../sources/model-source.ts";
import { bareName, isUnread } from "./bare-names.ts";
import { anchorNames, type BareTensors, layoutOf } from "./naming.ts";
import { listed } from "./part-views.ts";
import { folderWeights, WEIGHT_FILE_NAMES, weightGroups } from "./weight-files.ts";

/** The folders of diffusers. */
const PART_FOLDERS = {
  textEncoder: "text_encoder",
  transformer: "transformer",
  vae: "vae",
} as const satisfies Record<WeightPart, string>;

/** The files of a part and its tensors in them. */
export interface PartFiles {
  readonly files: readonly TensorFile[];
  /** The index of a sharded part. */
  readonly index?: string | undefined;
  readonly tensors: BareTensors;
}

/** Paths of the files of parts that need not be searched for. */
export type PartPaths = Partial<Record<WeightPart, readonly string[]>>;

/** Finds the files of a part: the given files, those with the names of diffusers, or any file with its tensors. */
export class PartFinder {
  readonly #source: ModelSource;
  readonly #layers: number;
  readonly #signal: AbortSignal | undefined;
  readonly #opened = new Map<string, Promise<TensorFile>>();
  #groups: Promise<readonly (readonly TensorFile[])[]> | undefined;
  /** Errors of unreadable files. They count only if a part is not found. */
  readonly #failures: unknown[] = [];

  /** @param layers  number of text encoder layers that are needed */
  constructor(source: ModelSource, layers: number, signal?: AbortSignal) {
    this.#source = source;
    this.#layers = layers;
    this.#signal = signal;
  }

  /** @throws KleinbildError `missing-file` when no file holds the part, `invalid-model` when several do or one is damaged */
  async find(part: WeightPart, given?: readonly string[]): Promise<PartFiles> {
    const isRead = (name: string): boolean => {
      const bare = bareName(part, name);
      return bare === undefined || !isUnread(part, bare, this.#layers);
    };
    const named = given
      ? { weights: given }
      : await folderWeights(this.#source, PART_FOLDERS[part], isRead, this.#signal);
    if (named) {
      const files = await Promise.all(named.weights.map((path) => this.#open(path)));
      return { files, index: named.index, tensors: partTensors(part, files) };
    }
    const found = (await this.#listedGroups())
      .map((files) => ({ files, tensors: partTensors(part, files) }))
      .filter(({ tensors }) => layoutOf(part, tensors) !== undefined);
    const here = found.filter(({ files }) => files[0]!.path.startsWith(`${PART_FOLDERS[part]}/`));
    const [one, ...others] = here.length > 0 ? here : found;
    if (!one) throw this.#failures[0] ?? (await this.#missing(part));
    if (others.length > 0)
      throw new KleinbildError(
        "invalid-model",
        `Several files hold the ${part}: ${listed([one, ...others].map(({ files }) => files[0]!.path))}. One was expected: remove the others, or name the file to use.`,
        { part },
      );
    return one;
  }

  #open(path: string): Promise<TensorFile> {
    const opened = this.#opened.get(path) ?? openTensorFile(this.#source, path, this.#signal);
    this.#opened.set(path, opened);
    return opened;
  }

  #listedGroups(): Promise<readonly (readonly TensorFile[])[]> {
    return (this.#groups ??= this.#openListed());
  }

  async #openListed(): Promise<readonly (readonly TensorFile[])[]> {
    const groups: TensorFile[][] = [];
    for (const paths of weightGroups((await this.#source.list(this.#signal)) ?? []))
      try {
        groups.push(await Promise.all(paths.map((path) => this.#open(path))));
      } catch (error) {
        this.#signal?.throwIfAborted();
        this.#failures.push(error);
      }
    return groups;
  }

  async #missing(part: WeightPart): Promise<KleinbildError> {
    const folder = PART_FOLDERS[part];
    const { description } = this.#source;
    const others = (await this.#source.list(this.#signal))
      ? `none of its ${(await this.#listedGroups()).flat().length} safetensors and GGUF files has the tensor ${anchorNames(part)}`
      : "its other files cannot be listed";
    return new KleinbildError(
      "missing-file",
      `The ${part} is missing: ${folder}/ of ${description} has neither ${WEIGHT_FILE_NAMES} nor an index, and ${others}.`,
      { folder, part },
    );
  }
}

/** @throws KleinbildError `invalid-model` when a tensor is stored twice */
function partTensors(part: WeightPart, files: readonly TensorFile[]): BareTensors {
  const found = new Map<string, StoredTensor>();
  for (const { path, tensors } of files)
    for (const tensor of tensors.values()) {
      const bare = bareName(part, tensor.name);
      if (bare === undefined) continue;
      if (found.has(bare))
        throw new KleinbildError(
          "invalid-model",
          `${path}: ${tensor.name} is stored twice; ${found.get(bare)!.name} is the same tensor.`,
          { tensor: tensor.name, path },
        );
      found.set(bare, tensor);
    }
  return found;
}
