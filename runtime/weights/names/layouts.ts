import { inventory, type InventoryTensor, type WeightPart } from "../inventory.ts";
import type { ModelConfig, TransformerConfig } from "../config/model-config.ts";
import {
  DOUBLE_MODULES,
  FUSED_MODULES,
  GLOBAL_MODULES,
  type ModuleRows,
  SINGLE_MODULES,
  whole,
} from "./transformer-modules.ts";
import { bflVaeName, ggufTextName, isVaeProjection } from "./renamings.ts";

/** Rows of a tensor under its name in diffusers or transformers. */
interface LayoutPiece {
  readonly canonical: string;
  readonly firstRow: number;
  readonly rows: number;
}

/** A tensor as files of one naming hold it: rows of canonical tensors, one piece behind the other. */
export interface LayoutTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly pieces: readonly LayoutPiece[];
  /** A convolution stored as [out, size, size, in], as MLX has them. */
  readonly channelsLast?: boolean;
}

/** The namings that files of each part come in; the first is the canonical one. GGUF files of the transformer are `bfl`. */
export const LAYOUTS = {
  textEncoder: ["transformers", "gguf"],
  transformer: ["diffusers", "diffusers-fused", "bfl"],
  vae: ["diffusers", "diffusers-channels-last", "bfl"],
} as const satisfies Record<WeightPart, readonly string[]>;

export type Layout<P extends WeightPart = WeightPart> = (typeof LAYOUTS)[P][number];

/** Every tensor of a part as files of a naming hold it, without prefix. */
export function layoutTensors<P extends WeightPart>(
  config: ModelConfig,
  part: P,
  layout: Layout<P>,
): readonly LayoutTensor[] {
  const tensors = inventory(config, part);
  const naming: Layout = layout;
  switch (naming) {
    case "transformers":
    case "diffusers":
      return tensors.map((tensor) => renamed(tensor, tensor.name));
    case "gguf":
      return tensors.map((tensor) => renamed(tensor, ggufTextName(tensor.name)));
    case "diffusers-fused":
      return joined(tensors, [...inBlocks("transformer_blocks", FUSED_MODULES, config.transformer.doubleBlocks)]);
    case "diffusers-channels-last":
      return tensors.map(channelsLast);
    case "bfl":
      return part === "vae" ? bflVae(tensors, config) : joined(tensors, [...bflModules(config.transformer)]);
    default:
      return naming satisfies never;
  }
}

function renamed({ name, shape }: InventoryTensor, stored: string, storedShape = shape): LayoutTensor {
  return { name: stored, shape: storedShape, pieces: [{ canonical: name, firstRow: 0, rows: shape[0]! }] };
}

function channelsLast(tensor: InventoryTensor): LayoutTensor {
  if (tensor.role !== "kernel") return renamed(tensor, tensor.name);
  const [out, inputs, height, width] = tensor.shape as readonly [number, number, number, number];
  return { ...renamed(tensor, tensor.name, [out, height, width, inputs]), channelsLast: true };
}

/** The projections of attention are convolutions of one pixel, and the levels of the decoder count from the picture. */
function bflVae(tensors: readonly InventoryTensor[], config: ModelConfig): LayoutTensor[] {
  return tensors.map((tensor) => {
    const shape = isVaeProjection(tensor.name) ? [...tensor.shape, 1, 1] : tensor.shape;
    return renamed(tensor, bflVaeName(tensor.name, config.vae.decoderChannels.length), shape);
  });
}

/** A stored tensor and its rows, slice by slice. */
type Module = readonly [name: string, rows: ModuleRows];

/** Modules as stored tensors; what no module holds stays under its own name. */
function joined(tensors: readonly InventoryTensor[], modules: readonly Module[]): LayoutTensor[] {
  const rest = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const stored = modules.map(([name, slices]): LayoutTensor => {
    const pieces = slices.map(({ tensor, slot, slots }): LayoutPiece => {
      rest.delete(tensor);
      const rows = shapes.get(tensor)![0]! / slots;
      return { canonical: tensor, firstRow: slot * rows, rows };
    });
    const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
    return { name, shape: [rows, ...shapes.get(slices[0]!.tensor)!.slice(1)], pieces };
  });
  return [...stored, ...[...rest.values()].map((tensor) => renamed(tensor, tensor.name))];
}

/** Norms of queries and keys, which are no linear layers. */
const DOUBLE_NORMS: Readonly<Record<string, ModuleRows>> = {
  "img_attn.norm.query_norm": whole("attn.norm_q"),
  "img_attn.norm.key_norm": whole("attn.norm_k"),
  "txt_attn.norm.query_norm": whole("attn.norm_added_q"),
  "txt_attn.norm.key_norm": whole("attn.norm_added_k"),
};
const SINGLE_NORMS: Readonly<Record<string, ModuleRows>> = {
  "norm.query_norm": whole("attn.norm_q"),
  "norm.key_norm": whole("attn.norm_k"),
};

function* bflModules({ doubleBlocks, singleBlocks }: TransformerConfig): Generator<Module> {
  for (const [name, rows] of Object.entries(GLOBAL_MODULES)) yield [`${name}.weight`, rows];
  const double = { from: "transformer_blocks", to: "double_blocks", count: doubleBlocks };
  const single = { from: "single_transformer_blocks", to: "single_blocks", count: singleBlocks };
  yield* inBlocks(double.from, DOUBLE_MODULES, double.count, double.to);
  yield* inBlocks(double.from, DOUBLE_NORMS, double.count, double.to, "scale");
  yield* inBlocks(single.from, SINGLE_MODULES, single.count, single.to);
  yield* inBlocks(single.from, SINGLE_NORMS, single.count, single.to, "scale");
}

/** The modules of each of `count` blocks, which lie under `list` in the file and under `canonical` in diffusers. */
function* inBlocks(
  canonical: string,
  modules: Readonly<Record<string, ModuleRows>>,
  count: number,
  list = canonical,
  suffix = "weight",
): Generator<Module> {
  for (let i = 0; i < count; i++)
    for (const [name, rows] of Object.entries(modules))
      yield [
        `${list}.${i}.${name}.${suffix}`,
        rows.map((slice) => ({ ...slice, tensor: `${canonical}.${i}.${slice.tensor}` })),
      ];
}
