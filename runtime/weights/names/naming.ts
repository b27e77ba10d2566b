import type { StoredTensor } from "../formats/tensor-file.ts";
import type { WeightPart } from "../inventory.ts";
import type { Layout } from "./layouts.ts";

/** Tensors of a part in one or more files, by name without prefix. */
export type BareTensors = ReadonlyMap<string, StoredTensor>;

/** The tensors of a part as its files store them. */
export interface StoredPart {
  readonly layout: Layout;
  readonly tensors: BareTensors;
  /** The files, for messages. */
  readonly where: string;
}

/** The tensors that identify a part and its layout. Each file of the part has one, no adapter or other model has any. */
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

/** The layout of a part's tensors; undefined if they are not this part or the layout is unknown. */
export function layoutOf(part: WeightPart, tensors: BareTensors): Layout | undefined {
  const layout = ANCHORS[part].find(([name]) => tensors.has(name))?.[1];
  if (layout !== "diffusers") return layout;
  if (part === "transformer" && tensors.has("transformer_blocks.0.attn.to_qkv.weight")) return "diffusers-fused";
  // this convolution has as many outputs as inputs, so [out, 3, 3, in] and [out, in, 3, 3] are distinct
  const shape = tensors.get(ANCHORS.vae[0]![0])?.shape;
  return shape?.length === 4 && shape[3] === shape[0] && shape[1] !== shape[0] ? "diffusers-channels-last" : layout;
}

/** Names of the tensors that identify a part, for messages. */
export function anchorNames(part: WeightPart): string {
  return ANCHORS[part].map(([name]) => name).join(" or ");
}
