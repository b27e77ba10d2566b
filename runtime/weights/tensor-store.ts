import { KleinbildError } from "../errors.ts";
import type { PackedRows, PackedTensor } from "./formats/tensor-file.ts";
import type { TensorView } from "./names/tensor-view.ts";

/** What was recognised for one part of a model. */
export interface PartRecognition {
  /** Paths of its files. */
  readonly files: readonly string[];
  /** Format of its files. */
  readonly format: "safetensors" | "gguf";
  /** The layout of its tensors, for example `diffusers` or `bfl`. */
  readonly naming: string;
  /** Number of used tensors of each type. */
  readonly types: Readonly<Record<string, number>>;
  /** Bytes of the used tensors. */
  readonly bytes: number;
  /** Stored names of known tensors that klein does not use: the text encoder's last layers and head. */
  readonly unused: readonly string[];
  /** Stored names of unknown tensors. The file may belong to another model. */
  readonly extra: readonly string[];
}

/** The tensors of one part of a model, under their names in diffusers or transformers. Rows are read as f32. */
export class TensorStore {
  readonly recognition: PartRecognition;
  readonly #where: string;
  readonly #views: ReadonlyMap<string, TensorView>;

  /** @param where  the files, for messages */
  constructor(where: string, views: ReadonlyMap<string, TensorView>, found: Omit<PartRecognition, "types" | "bytes">) {
    this.#where = where;
    this.#views = views;
    this.recognition = { ...found, ...typesAndBytes(views) };
  }

  /** Bytes of the wanted tensors in the files. */
  totalBytes(isWanted: (name: string) => boolean): number {
    let sum = 0;
    for (const [name, view] of this.#views) if (isWanted(name)) sum += view.bytes;
    return sum;
  }

  /** Bytes of a tensor in its files, or of `rows` of its rows. `rows` may be a fraction. */
  bytesOf(name: string, rows?: number): number {
    const view = this.#get(name);
    return rows === undefined ? view.bytes : (view.bytes * rows) / Math.max(1, view.rows);
  }

  /** @throws KleinbildError `invalid-model` when the tensor is missing or has another shape */
  expectShape(name: string, shape: readonly number[]): void {
    const stored = this.#get(name).shape;
    if (stored.length !== shape.length || stored.some((size, i) => size !== shape[i]))
      throw new KleinbildError(
        "invalid-model",
        `${this.#where}: ${name} is [${stored.join(", ")}]; the config requires [${shape.join(", ")}].`,
        { tensor: name },
      );
  }

  /** Rows of a tensor as f32. A row has all dimensions but the first. @throws KleinbildError `invalid-shape` beyond the last row */
  async readRows(name: string, first: number, rows: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    return this.#get(name).readRows(first, rows, signal);
  }

  async readAll(name: string, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    return this.readRows(name, 0, this.#get(name).rows, signal);
  }

  /** The stored type of a tensor; undefined if its pieces have several types. */
  typeOf(name: string): string | undefined {
    const types = new Set(this.#get(name).pieces.map(({ tensor }) => tensor.type));
    return types.size === 1 ? [...types][0] : undefined;
  }

  /** The packed format of a tensor; undefined if it is not packed. */
  packedFormat(name: string): PackedTensor["format"] | undefined {
    return this.#get(name).packedFormat;
  }

  /** Rows in the packed layout. @throws KleinbildError `invalid-shape` beyond the last row, and when `packedFormat` is undefined */
  async readPacked(name: string, first: number, rows: number, signal?: AbortSignal): Promise<PackedRows> {
    return this.#get(name).readPacked(first, rows, signal);
  }

  #get(name: string): TensorView {
    const view = this.#views.get(name);
    if (view) return view;
    throw new KleinbildError("invalid-model", `${this.#where} lacks the tensor ${name}.`, { tensor: name });
  }
}

function typesAndBytes(views: ReadonlyMap<string, TensorView>): Pick<PartRecognition, "types" | "bytes"> {
  const stored = new Set([...views.values()].flatMap(({ pieces }) => pieces.map(({ tensor }) => tensor)));
  const types: Record<string, number> = {};
  let bytes = 0;
  for (const tensor of stored) {
    types[tensor.type] = (types[tensor.type] ?? 0) + 1;
    bytes += tensor.bytes;
  }
  return { types, bytes };
}
