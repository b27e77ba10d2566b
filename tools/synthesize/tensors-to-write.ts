import { inventory, type TensorRole, type WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { type Layout, layoutTensors, type LayoutTensor } from "../../runtime/weights/names/layouts.ts";
import { type EncodedTensor, type Encoding, UNQUANTIZED } from "./encodings.ts";

/** A tensor to write to a file. */
export interface TensorToWrite {
  readonly name: string;
  /** Stored shape. */
  readonly shape: readonly number[];
  readonly dtype: string | number;
  readonly bytes: number;
  readonly encoding: EncodedTensor;
  /** The tensor that the values belong to. */
  readonly values: LayoutTensor;
  readonly role: TensorRole;
}

/** The tensors of a part in a layout. Block matrices use `encoding`, others an encoding that does not quantize them. */
export function tensorsToWrite<P extends WeightPart>(
  config: ModelConfig,
  part: P,
  layout: Layout<P>,
  encoding: Encoding,
): readonly TensorToWrite[] {
  const roles = new Map(inventory(config, part).map(({ name, role }) => [name, role]));
  const unquantized = UNQUANTIZED[encoding.format];
  return layoutTensors(config, part, layout).flatMap((values): TensorToWrite[] => {
    const role = roles.get(values.pieces[0]!.canonical)!;
    const { shape } = values;
    const width = shape.at(-1)!;
    const count = shape.reduce((all, size) => all * size, 1);
    const fits = encoding.tensors.every(({ blockValues }) => blockValues === Infinity || width % blockValues === 0);
    const isPlain = encoding.tensors.every(({ blockValues }) => blockValues === 1);
    const quantized = (role === "block" || isPlain) && fits && shape.length > 1;
    const chosen = quantized
      ? encoding
      : shape.length > 1
        ? unquantized.matrix
        : isPlain && encoding.format === "safetensors"
          ? encoding
          : unquantized.vector;
    return chosen.tensors.map((each) => ({
      name: each.suffix === "" ? values.name : `${values.name.replace(/\.weight$/, "")}${each.suffix}`,
      shape: each.shape(shape),
      dtype: each.dtype,
      bytes: each.blockValues === Infinity ? each.blockBytes : (count / each.blockValues) * each.blockBytes,
      encoding: each,
      values,
      role,
    }));
  });
}
