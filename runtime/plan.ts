import { BYTES_PER_ELEMENT, type ScalarType } from "./gpu/tensor.ts";
import { KleinbildError } from "./errors.ts";
import type { ModelConfig } from "./weights/model-config.ts";

/**
 * Rows of a token stream that go through dense operators at once: the widest activation of them fits one binding.
 *
 * @throws KleinbildError `unsupported` when not even one row fits
 */
export function rowsPerChunk(
  { transformer, text, textLayers }: ModelConfig,
  scalar: ScalarType,
  maxBindingBytes: number,
): number {
  const branch = BYTES_PER_ELEMENT[scalar];
  const widest = Math.max(
    4 * transformer.hidden,
    4 * transformer.textWidth,
    branch * transformer.mlpHidden,
    4 * transformer.inChannels,
    4 * text.hidden * textLayers.length,
    branch * text.intermediate,
    branch * text.heads * text.headDim,
  );
  const rows = Math.floor(maxBindingBytes / widest);
  if (rows < 1)
    throw new KleinbildError(
      "unsupported",
      `One row of activations takes ${widest} bytes; the adapter binds ${maxBindingBytes}.`,
      {
        bytes: widest,
        limit: maxBindingBytes,
      },
    );
  return rows;
}
