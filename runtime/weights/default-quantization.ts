import { inventory } from "./inventory.ts";
import type { Quantization } from "./loader/weight-loader.ts";
import type { OpenModel } from "./open-model.ts";

const PARTS = ["textEncoder", "transformer"] as const;
/** Below this, values have fewer than 16 bits. */
const QUANTIZED_BYTES_PER_VALUE = 1.25;

/**
 * The quantization of block matrices on the GPU that suits the type of most values in the files. Values of 16 bits or more
 * stay unquantized, and packed values keep their format. Values in other quantized formats become `q8`, because rounding them
 * to 4 bits would add to the error of their files.
 */
export function defaultQuantization({ config, stores }: Pick<OpenModel, "config" | "stores">): Quantization {
  const values = { none: 0, q8: 0, q4: 0 };
  for (const part of PARTS)
    for (const { name, shape, role } of inventory(config, part)) {
      if (role !== "block") continue;
      const count = shape.reduce((all, size) => all * size, 1);
      const isQuantized = stores[part].bytesOf(name) / count < QUANTIZED_BYTES_PER_VALUE;
      values[stores[part].packedFormat(name) ?? (isQuantized ? "q8" : "none")] += count;
    }
  if (values.none >= values.q8 + values.q4) return "none";
  return values.q4 > values.q8 ? "q4" : "q8";
}
