import {
  DOUBLE_MODULES,
  FUSED_MODULES,
  GLOBAL_MODULES,
  type ModuleRows,
  SINGLE_MODULES,
  whole,
} from "../names/transformer-modules.ts";

/** A linear layer that a LoRA changes: slices of the output rows of its tensors. */
export type LoraTarget = ModuleRows;

/** kohya writes dots as underscores, so names are compared with underscores. */
const flat = (name: string): string => name.replaceAll(".", "_");

/** Targets by flattened name. Each tensor is found under its name in diffusers too. */
function tableOf(modules: Readonly<Record<string, LoraTarget>>): ReadonlyMap<string, LoraTarget> {
  const table = new Map<string, LoraTarget>();
  for (const [name, target] of Object.entries(modules)) {
    table.set(flat(name), target);
    if (new Set(target.map(({ tensor }) => tensor)).size < target.length) continue; // a reordered tensor has an entry of its own
    for (const { tensor } of target) table.set(flat(tensor.replace(/\.weight$/, "")), [{ tensor, slot: 0, slots: 1 }]);
  }
  return table;
}

const GLOBAL_TABLE = tableOf({ ...GLOBAL_MODULES, "norm_out.linear": whole("norm_out.linear") });
const DOUBLE_TABLE = tableOf({ ...DOUBLE_MODULES, ...FUSED_MODULES });
const SINGLE_TABLE = tableOf(SINGLE_MODULES);

const PREFIXES = ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer."] as const;
const FLAT_PREFIX = /^(?:lora_unet_|lora_transformer_|lycoris_)/;
const BLOCK = /^(double_blocks|transformer_blocks|single_blocks|single_transformer_blocks)_(\d{1,4})_(.+)$/;

/** The layer of a module's name in any key style, with any prefix; undefined if klein has no such layer. */
export function resolveModule(name: string): LoraTarget | undefined {
  let rest = name;
  for (const prefix of PREFIXES) if (rest.startsWith(prefix)) rest = rest.slice(prefix.length);
  rest = flat(rest.replace(FLAT_PREFIX, ""));
  const block = BLOCK.exec(rest);
  if (!block) return GLOBAL_TABLE.get(rest);
  const [, list, index, module] = block as unknown as readonly [string, string, string, string];
  const double = list === "double_blocks" || list === "transformer_blocks";
  const target = (double ? DOUBLE_TABLE : SINGLE_TABLE).get(module);
  const folder = `${double ? "transformer_blocks" : "single_transformer_blocks"}.${Number(index)}.`;
  return target?.map((slice) => ({ ...slice, tensor: folder + slice.tensor }));
}
