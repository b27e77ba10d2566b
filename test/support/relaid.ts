import type { WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { type Layout, layoutTensors } from "../../runtime/weights/names/layouts.ts";
import type { TestTensor } from "./model-files.ts";

/** A stored tensor of 16-bit values. */
export interface HalfTensor extends TestTensor {
  readonly data: Uint16Array<ArrayBuffer>;
}

/** The tensors of a 16-bit safetensors file. */
export function parseHalves(file: Uint8Array<ArrayBuffer>): Record<string, HalfTensor> {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<
    string,
    { readonly dtype: string; readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] }
  >;
  delete header["__metadata__"];
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [start, end],
        },
      ]) => [name, { dtype, shape, data: new Uint16Array(file.slice(8 + length + start, 8 + length + end).buffer) }],
    ),
  );
}

/** Canonical tensors of a part as files of a naming hold them, under names with `prefix`. */
export function relaid(
  config: ModelConfig,
  part: WeightPart,
  layout: Layout,
  tensors: Readonly<Record<string, HalfTensor>>,
  prefix = "",
): Record<string, HalfTensor> {
  return Object.fromEntries(
    layoutTensors(config, part, layout).map(({ name, shape, pieces, channelsLast }) => {
      const data = new Uint16Array(shape.reduce((product, size) => product * size, 1));
      let at = 0;
      for (const { canonical, firstRow, rows } of pieces) {
        const from = tensors[canonical]!;
        const row = from.data.length / from.shape[0]!;
        data.set(from.data.subarray(firstRow * row, (firstRow + rows) * row), at);
        at += rows * row;
      }
      const stored = channelsLast ? turned(data, shape) : data;
      return [prefix + name, { dtype: tensors[pieces[0]!.canonical]!.dtype, shape, data: stored }];
    }),
  );
}

/** Kernels [out, in, height, width] in the order of `shape`, [out, height, width, in]. */
function turned(data: Uint16Array, shape: readonly number[]): Uint16Array<ArrayBuffer> {
  const [out, height, width, inputs] = shape as readonly [number, number, number, number];
  const last = new Uint16Array(data.length);
  let at = 0;
  for (let o = 0; o < out; o++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let i = 0; i < inputs; i++) last[at++] = data[((o * inputs + i) * height + y) * width + x]!;
  return last;
}
