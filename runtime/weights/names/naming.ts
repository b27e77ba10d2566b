import type { StoredTensor } from "../formats/tensor-file.ts";
import type { WeightPart } from "../inventory.ts";
import type { Layout } from "./layouts.ts";

/** Tensors of a part in a file or several, by their bare names. */
export type BareTensors = ReadonlyMap<string, StoredTensor>;

/** The tensor that tells a part in a naming: one that every file of the part has, and no adapter or other model. */
const ANCHORS: Readonly<Record<WeightPart, readonly (readonly [name: string, layout: Layout])[]>> = {
  textEncoder: [
    ["model.embed_tokens.weight", "transformers"],
    ["token_embd.weight", "gguf"],
  ],
  transformer: [
    ["x_embedder.weight", "diffusers"],
    ["img_in.weight", "bfl"],
  ],
  vae: [
    ["decoder.mid_block.resnets.0.conv1.weight", "diffusers"],
    ["decoder.mid.block_1.conv1.weight", "bfl"],
  ],
};

/** The naming of a part's tensors; undefined where these are no part of a model, or in a naming that is not known. */
export function namingOf(part: WeightPart, tensors: BareTensors): Layout | undefined {
  const layout = ANCHORS[part].find(([name]) => tensors.has(name))?.[1];
  if (layout !== "diffusers") return layout;
  if (part === "transformer" && tensors.has("transformer_blocks.0.attn.to_qkv.weight")) return "diffusers-fused";
  // a middle convolution has as many outputs as inputs, so [out, 3, 3, in] tells itself from [out, in, 3, 3]
  const shape = tensors.get(ANCHORS.vae[0]![0])?.shape;
  return shape?.length === 4 && shape[3] === shape[0] && shape[1] !== shape[0] ? "diffusers-channels-last" : layout;
}

/** What tells a part, for messages. */
export function anchorNames(part: WeightPart): string {
  return ANCHORS[part].map(([name]) => name).join(" or ");
}
