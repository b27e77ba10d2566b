import { BYTES_PER_ELEMENT, type ScalarType } from "../gpu/tensor.ts";
import { KleinbildError } from "../errors.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";

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
  const residual = BYTES_PER_ELEMENT.f32;
  const branch = BYTES_PER_ELEMENT[scalar];
  const widest = Math.max(
    residual * transformer.hidden,
    residual * transformer.textWidth,
    residual * transformer.inChannels,
    branch * transformer.mlpHidden,
    residual * text.hidden * textLayers.length,
    branch * text.intermediate,
    branch * text.heads * text.headDim,
  );
  const rows = Math.floor(maxBindingBytes / widest);
  if (rows < 1)
    throw new KleinbildError(
      "unsupported",
      `One row of this model's activations takes ${widest} bytes; this adapter binds at most ${maxBindingBytes}.`,
      { bytes: widest, limit: maxBindingBytes },
    );
  return rows;
}
