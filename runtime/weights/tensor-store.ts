import * as v from "valibot";
import { KleinbildError } from "../errors.ts";
import { bf16ToF32, f16ToF32 } from "./float.ts";
import type { PackedRows } from "./formats/tensor-file.ts";
import { readJson } from "./read-json.ts";
import {
  isReadable,
  readSafetensorsHeader,
  SAFETENSORS_BYTES,
  type SafetensorsType,
  type TensorEntry,
} from "./safetensors.ts";
import type { ModelFile, ModelSource } from "./source.ts";

const SINGLE_FILES = ["diffusion_pytorch_model.safetensors", "model.safetensors"] as const;
/** Shards lie beside their index: a name with slashes could lead anywhere. */
const ShardName = v.pipe(v.string(), v.regex(/^[\w.-]+\.safetensors$/));
const ShardIndex = v.object({ weight_map: v.record(v.string(), ShardName) });

interface Stored {
  readonly file: ModelFile;
  readonly entry: TensorEntry;
}

/** The tensors of one folder of a model, in one file or in shards, read as f32 row by row. */
export class TensorStore {
  readonly #folder: string;
  readonly #tensors: ReadonlyMap<string, Stored>;

  private constructor(folder: string, tensors: ReadonlyMap<string, Stored>) {
    this.#folder = folder;
    this.#tensors = tensors;
  }

  /** @throws KleinbildError `missing-file` when the folder has no weights, `invalid-model` when they are damaged */
  static async open(source: ModelSource, folder: string, signal?: AbortSignal): Promise<TensorStore> {
    const tensors = new Map<string, Stored>();
    for (const path of await weightFiles(source, folder, signal)) {
      const file = await source.open(path, signal);
      for (const [name, entry] of await readSafetensorsHeader(file, path, signal)) {
        if (tensors.has(name))
          throw new KleinbildError("invalid-model", `${folder}: ${name} is in ${path} and in another file too.`, {
            tensor: name,
          });
        tensors.set(name, { file, entry });
      }
    }
    return new TensorStore(folder, tensors);
  }

  /** Bytes of the tensors that `isWanted`, as they lie in the files. */
  totalBytes(isWanted: (name: string) => boolean): number {
    let sum = 0;
    for (const [name, { entry }] of this.#tensors) if (isWanted(name)) sum += entry.bytes;
    return sum;
  }

  /** Bytes of a tensor in its file; those of `rows` of its rows, which may be a fraction, where they are given. */
  bytesOf(name: string, rows?: number): number {
    const { bytes, shape } = this.#get(name).entry;
    return rows === undefined ? bytes : (bytes * rows) / Math.max(1, shape[0] ?? 1);
  }

  /** The format in which rows of a tensor can be had as the kernels read them. */
  packedFormat(name: string): "q4" | "q8" | undefined {
    this.#get(name);
    return undefined;
  }

  /** Rows as the kernels read them. @throws KleinbildError `invalid-shape` beyond the last row, or where `packedFormat` is undefined */
  async readPacked(name: string, _first: number, _rows: number, _signal?: AbortSignal): Promise<PackedRows> {
    throw new KleinbildError("invalid-shape", `${name} is not stored in a packed format.`, { tensor: name });
  }

  /** @throws KleinbildError `invalid-model` when the tensor is missing, of a type that is not read, or of another shape */
  expectShape(name: string, shape: readonly number[]): void {
    const stored = this.#get(name).entry.shape;
    if (stored.length !== shape.length || stored.some((size, i) => size !== shape[i]))
      throw new KleinbildError(
        "invalid-model",
        `${this.#folder}: ${name} is [${stored.join(", ")}]; the config asks for [${shape.join(", ")}].`,
        { tensor: name },
      );
  }

  /** Rows of a tensor as f32; a row is everything behind the first dimension. @throws KleinbildError `invalid-shape` beyond the last row */
  async readRows(name: string, first: number, rows: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    const { file, entry, type } = this.#get(name);
    const [stored = 1, ...row] = entry.shape;
    if (first < 0 || rows < 0 || first + rows > stored)
      throw new KleinbildError(
        "invalid-shape",
        `${name} has ${stored} rows; ${rows} from row ${first} were asked for.`,
        { tensor: name },
      );
    const rowBytes = row.reduce((product, size) => product * size, SAFETENSORS_BYTES[type]);
    const bytes = await file.read(entry.offset + first * rowBytes, rows * rowBytes, signal);
    signal?.throwIfAborted();
    switch (type) {
      case "F32":
        return new Float32Array(bytes.buffer);
      case "BF16":
        return bf16ToF32(new Uint16Array(bytes.buffer));
      case "F16":
        return f16ToF32(new Uint16Array(bytes.buffer));
      default:
        return type satisfies never;
    }
  }

  async readAll(name: string, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    return this.readRows(name, 0, this.#get(name).entry.shape[0] ?? 1, signal);
  }

  #get(name: string): Stored & { readonly type: SafetensorsType } {
    const stored = this.#tensors.get(name);
    if (!stored)
      throw new KleinbildError("invalid-model", `${this.#folder} lacks the tensor ${name}.`, { tensor: name });
    const { type } = stored.entry;
    if (!isReadable(type))
      throw new KleinbildError(
        "invalid-model",
        `${this.#folder}: ${name} is stored as ${type}; ${Object.keys(SAFETENSORS_BYTES).join(", ")} can be read.`,
        { tensor: name },
      );
    return { ...stored, type };
  }
}

async function weightFiles(source: ModelSource, folder: string, signal?: AbortSignal): Promise<readonly string[]> {
  for (const name of SINGLE_FILES) {
    if (await source.exists(`${folder}/${name}`, signal)) return [`${folder}/${name}`];
    const index = `${folder}/${name}.index.json`;
    if (!(await source.exists(index, signal))) continue;
    const parsed = v.safeParse(ShardIndex, await readJson(source, index, signal));
    if (!parsed.success)
      throw new KleinbildError(
        "invalid-model",
        `${index} must hold a weight_map from tensors to .safetensors files beside it.`,
        { path: index },
      );
    return [...new Set(Object.values(parsed.output.weight_map))].map((shard) => `${folder}/${shard}`);
  }
  throw new KleinbildError(
    "missing-file",
    `${folder}/ of ${source.description} holds none of ${SINGLE_FILES.join(", ")} or their indexes.`,
    { folder },
  );
}
