import { inventory, type TensorRole, type WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { type Layout, layoutTensors, type LayoutTensor } from "../../runtime/weights/names/layouts.ts";
import { type EncodedTensor, type Encoding, UNQUANTIZED } from "./encodings.ts";

/** A tensor of a file to be written. */
export interface TensorToWrite {
  readonly name: string;
  /** As it is stored. */
  readonly shape: readonly number[];
  readonly dtype: string | number;
  readonly bytes: number;
  readonly encoding: EncodedTensor;
  /** What its values are of. */
  readonly values: LayoutTensor;
  readonly role: TensorRole;
}

/** The tensors of a part's file in a naming, its block matrices in an encoding and the others as they must be. */
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
