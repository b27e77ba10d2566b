import type { ModelFile } from "../../runtime/weights/sources/model-source.ts";
import { MemorySource, withHeader } from "./model-files.ts";

/** A tensor without values. */
export interface HollowTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A model whose safetensors files have true headers and, as many bytes as these say, nothing but zeros. */
export class HollowSource extends MemorySource {
  readonly #sizes = new Map<string, number>();

  /** @param weights  bf16 tensors by path */
  constructor(
    weights: Readonly<Record<string, readonly HollowTensor[]>>,
    files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>,
  ) {
    const headers: Record<string, Uint8Array<ArrayBuffer>> = {};
    const sizes: Record<string, number> = {};
    for (const [path, tensors] of Object.entries(weights)) {
      let end = 0;
      const entries = tensors.map(({ name, shape }) => {
        const start = end;
        end += shape.reduce((product, size) => product * size, 2);
        return [name, { dtype: "BF16", shape, data_offsets: [start, end] }];
      });
      headers[path] = withHeader(JSON.stringify(Object.fromEntries(entries)));
      sizes[path] = headers[path].length + end;
    }
    super({ ...headers, ...files });
    for (const [path, size] of Object.entries(sizes)) this.#sizes.set(path, size);
  }

  override async open(path: string): Promise<ModelFile> {
    const header = await super.open(path);
    const size = this.#sizes.get(path);
    if (size === undefined) return header;
    return {
      size,
      read: async (offset, length, signal) =>
        offset + length <= header.size ? header.read(offset, length, signal) : new Uint8Array(length),
    };
  }
}
