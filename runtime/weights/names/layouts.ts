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

/** Rows of a canonical tensor. */
interface LayoutPiece {
  /** Name of the tensor in diffusers or transformers. */
  readonly canonical: string;
  readonly firstRow: number;
  readonly rows: number;
}

/** A tensor in files of one layout: consecutive rows of canonical tensors. */
export interface LayoutTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly pieces: readonly LayoutPiece[];
  /** Whether it is a convolution stored as [out, size, size, in], as in MLX. */
  readonly channelsLast?: boolean;
}

/** The layouts of each part: names and shapes of stored tensors. The first is canonical. GGUF transformers use `bfl`. */
export const LAYOUTS = {
  textEncoder: ["transformers", "gguf"],
  transformer: ["diffusers", "diffusers-fused", "bfl"],
  vae: ["diffusers", "diffusers-channels-last", "bfl"],
} as const satisfies Record<WeightPart, readonly string[]>;

export type Layout<P extends WeightPart = WeightPart> = (typeof LAYOUTS)[P][number];

/** All tensors of a part in a layout, without prefix. */
export function layoutTensors<P extends WeightPart>(
  config: ModelConfig,
  part: P,
  layout: Layout<P>,
): readonly LayoutTensor[] {
  const tensors = inventory(config, part);
  const widened: Layout = layout;
  switch (widened) {
    case "transformers":
    case "diffusers":
      return tensors.map((tensor) => renamed(tensor, tensor.name));
    case "gguf":
      return tensors.map((tensor) => renamed(tensor, ggufTextName(tensor.name)));
    case "diffusers-fused":
      return joined(tensors, [...fusedModules(config.transformer)]);
    case "diffusers-channels-last":
      return tensors.map(channelsLast);
    case "bfl":
      return part === "vae" ? bflVae(tensors, config) : joined(tensors, [...bflModules(config.transformer)]);
    default:
      return widened satisfies never;
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

/** BFL stores the projections of attention as 1×1 convolutions, and counts the levels of the decoder from the picture. */
function bflVae(tensors: readonly InventoryTensor[], config: ModelConfig): LayoutTensor[] {
  return tensors.map((tensor) => {
    const shape = isVaeProjection(tensor.name) ? [...tensor.shape, 1, 1] : tensor.shape;
    return renamed(tensor, bflVaeName(tensor.name, config.vae.decoderChannels.length), shape);
  });
}

/** A stored tensor and the slices that it consists of. */
type Module = readonly [name: string, rows: ModuleRows];

/** Modules as stored tensors. Tensors of no module keep their names. */
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

/** Norms of queries and keys. */
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

function* fusedModules({ doubleBlocks: count }: TransformerConfig): Generator<Module> {
  yield* inBlocks({ canonical: "transformer_blocks", stored: "transformer_blocks", count }, FUSED_MODULES);
}

function* bflModules({ doubleBlocks, singleBlocks }: TransformerConfig): Generator<Module> {
  for (const [name, rows] of Object.entries(GLOBAL_MODULES)) yield [`${name}.weight`, rows];
  const double = { canonical: "transformer_blocks", stored: "double_blocks", count: doubleBlocks };
  const single = { canonical: "single_transformer_blocks", stored: "single_blocks", count: singleBlocks };
  yield* inBlocks(double, DOUBLE_MODULES);
  yield* inBlocks(double, DOUBLE_NORMS, "scale");
  yield* inBlocks(single, SINGLE_MODULES);
  yield* inBlocks(single, SINGLE_NORMS, "scale");
}

/** Equal blocks, by the prefix of their names in diffusers and in a file. */
interface Blocks {
  readonly canonical: string;
  readonly stored: string;
  readonly count: number;
}

/** The modules of all blocks. */
function* inBlocks(
  { canonical, stored, count }: Blocks,
  modules: Readonly<Record<string, ModuleRows>>,
  suffix = "weight",
): Generator<Module> {
  for (let i = 0; i < count; i++)
    for (const [name, rows] of Object.entries(modules))
      yield [
        `${stored}.${i}.${name}.${suffix}`,
        rows.map((slice) => ({ ...slice, tensor: `${canonical}.${i}.${slice.tensor}` })),
      ];
}
