import { inventory, type TensorRole, type WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/model-config.ts";
import { type Layout, layoutTensors, type LayoutTensor } from "../../runtime/weights/names/layouts.ts";
import { type EncodedPart, type Encoding, KEPT } from "./encodings.ts";

/** A tensor of a file to be written. */
export interface TensorToWrite {
  readonly name: string;
  /** As it is stored. */
  readonly shape: readonly number[];
  readonly dtype: string | number;
  readonly bytes: number;
  readonly part: EncodedPart;
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
  const kept = KEPT[encoding.format];
  return layoutTensors(config, part, layout).flatMap((values): TensorToWrite[] => {
    const role = roles.get(values.pieces[0]!.canonical)!;
    const { shape } = values;
    const width = shape.at(-1)!;
    const count = shape.reduce((all, size) => all * size, 1);
    const fits = encoding.parts.every(({ blockValues }) => blockValues === Infinity || width % blockValues === 0);
    const isPlain = encoding.parts.every(({ blockValues }) => blockValues === 1);
    const quantized = (role === "block" || isPlain) && fits && shape.length > 1;
    const chosen = quantized
      ? encoding
      : shape.length > 1
        ? kept.matrix
        : isPlain && encoding.format === "safetensors"
          ? encoding
          : kept.vector;
    return chosen.parts.map((each) => ({
      name: each.suffix === "" ? values.name : `${values.name.replace(/\.weight$/, "")}${each.suffix}`,
      shape: each.shape(shape),
      dtype: each.dtype,
      bytes: each.blockValues === Infinity ? each.blockBytes : (count / each.blockValues) * each.blockBytes,
      part: each,
      values,
      role,
    }));
  });
}
