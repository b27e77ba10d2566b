import { BYTES_PER_ELEMENT, rowRanges } from "../gpu/tensor.ts";
import { CACHED_PROMPTS } from "../text/prompt-embedding-cache.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { PlanContext } from "./plan-context.ts";
import { PlannedAttention } from "./planned-attention.ts";

/** Bytes of the text states that are kept from request to request. */
export function keptTextStatesBytes({ textLength, text, textLayers }: ModelConfig): number {
  return CACHED_PROMPTS * textLength * text.hidden * textLayers.length * BYTES_PER_ELEMENT.f32;
}

/** What `TextStates.get` allocates for a prompt that is not kept. All layers allocate alike. */
export function planTextEncoding(context: PlanContext): void {
  const { memory, dense } = context;
  const { config, scalar, maxBindingBytes, rowsPerChunk } = context.setup;
  const { hidden: width, heads, kvHeads, headDim, intermediate } = config.text;
  const length = config.textLength;
  const attention = new PlannedAttention(config.text, scalar, maxBindingBytes);
  using states = memory.scope("textEncoder");
  using scope = memory.scope();
  states.rows("f32", length, width * config.textLayers.length, rowsPerChunk);
  scope.rows("f32", length, width, rowsPerChunk);
  scope.tensor("f32", [length, headDim / 2, 2]);
  scope.tensor("u32", [Math.ceil(length / 32)]);

  attention.queries(scope, length);
  attention.keysValues(scope, length);
  scope.rows(scalar, length, heads * headDim, rowsPerChunk);
  const widths = [heads, kvHeads, kvHeads].map((count) => count * headDim);
  for (const { count: rows } of rowRanges(length, rowsPerChunk)) {
    const qkv = widths.map((out) => scope.tensor(scalar, [rows, out]));
    const matrices = widths.map((out) => context.block(out, width));
    dense.project(scope, rows, "f32", true, matrices, scalar);
    scope.release(...qkv);
  }
  for (const { count: rows } of rowRanges(length, rowsPerChunk)) {
    const mlp = scope.tensor(scalar, [rows, intermediate]);
    dense.addProducts(scope, rows, [context.block(width, heads * headDim)]);
    dense.gatedProject(scope, rows, context.block(intermediate, width), false);
    dense.addProducts(scope, rows, [context.block(width, intermediate)]);
    scope.release(mlp);
  }
}
