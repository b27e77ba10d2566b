import type { Matrix } from "../backend/matrix.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { WeightLoader } from "../weights/loader/weight-loader.ts";
import type { TextEncoderConfig } from "../weights/config/model-config.ts";

export interface LayerWeights {
  /** [hidden] f32 */
  readonly inputNorm: Tensor;
  readonly outputNorm: Tensor;
  /** [heads · headDim, hidden], [kvHeads · headDim, hidden] twice */
  readonly qkv: readonly [Matrix, Matrix, Matrix];
  /** [2, headDim] f32 */
  readonly headNorms: Tensor;
  /** [hidden, heads · headDim] */
  readonly attentionOut: Matrix;
  /** [intermediate, hidden] */
  readonly gate: Matrix;
  readonly up: Matrix;
  /** [hidden, intermediate] */
  readonly down: Matrix;
}

/** Loads layers 0 … `layers` − 1 of a Qwen3 decoder by their transformers names. */
export async function loadTextEncoderWeights(
  loader: WeightLoader,
  config: TextEncoderConfig,
  layers: number,
): Promise<LayerWeights[]> {
  const { hidden, heads, kvHeads, headDim, intermediate } = config;
  const loaded: LayerWeights[] = [];
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`;
    const matrix = (name: string, out: number, columns: number): Promise<Matrix> =>
      loader.matrix({ name: `${layer}.${name}.weight`, shape: [out, columns] });
    const [gate, up] = await loader.aligned([
      { name: `${layer}.mlp.gate_proj.weight`, shape: [intermediate, hidden] },
      { name: `${layer}.mlp.up_proj.weight`, shape: [intermediate, hidden] },
    ]);
    loaded.push({
      inputNorm: await loader.vector(`${layer}.input_layernorm.weight`, hidden),
      outputNorm: await loader.vector(`${layer}.post_attention_layernorm.weight`, hidden),
      qkv: [
        await matrix("self_attn.q_proj", heads * headDim, hidden),
        await matrix("self_attn.k_proj", kvHeads * headDim, hidden),
        await matrix("self_attn.v_proj", kvHeads * headDim, hidden),
      ],
      headNorms: await loader.vectors(
        [`${layer}.self_attn.q_norm.weight`, `${layer}.self_attn.k_norm.weight`],
        headDim,
      ),
      attentionOut: await matrix("self_attn.o_proj", hidden, heads * headDim),
      gate: gate!,
      up: up!,
      down: await matrix("mlp.down_proj", hidden, intermediate),
    });
  }
  return loaded;
}
