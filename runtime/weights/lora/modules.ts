/**
 * Where equal slices of a module's output rows belong: slice i of the module is slice `slot` of the `slots` equal ones of
 * the stored tensor `tensor`.
 */
export interface RowSlice {
  /** As diffusers names it, with `.weight`. */
  readonly tensor: string;
  readonly slot: number;
  readonly slots: number;
}

/** A linear layer that a LoRA changes: its output rows, slice by slice. */
export type LoraTarget = readonly RowSlice[];

const whole = (tensor: string): LoraTarget => [{ tensor: `${tensor}.weight`, slot: 0, slots: 1 }];
const joined = (...tensors: readonly string[]): LoraTarget => tensors.flatMap(whole);

/** Modules outside the blocks, as BFL names them; diffusers' own names follow from the targets. */
const GLOBAL: Readonly<Record<string, LoraTarget>> = {
  img_in: whole("x_embedder"),
  txt_in: whole("context_embedder"),
  "time_in.in_layer": whole("time_guidance_embed.timestep_embedder.linear_1"),
  "time_in.out_layer": whole("time_guidance_embed.timestep_embedder.linear_2"),
  "double_stream_modulation_img.lin": whole("double_stream_modulation_img.linear"),
  "double_stream_modulation_txt.lin": whole("double_stream_modulation_txt.linear"),
  "single_stream_modulation.lin": whole("single_stream_modulation.linear"),
  "final_layer.linear": whole("proj_out"),
  // shift then scale, where diffusers has scale then shift
  "final_layer.adaLN_modulation.1": [
    { tensor: "norm_out.linear.weight", slot: 1, slots: 2 },
    { tensor: "norm_out.linear.weight", slot: 0, slots: 2 },
  ],
  "norm_out.linear": whole("norm_out.linear"),
};

const DOUBLE: Readonly<Record<string, LoraTarget>> = {
  "img_attn.qkv": joined("attn.to_q", "attn.to_k", "attn.to_v"),
  "img_attn.proj": whole("attn.to_out.0"),
  "img_mlp.0": whole("ff.linear_in"),
  "img_mlp.2": whole("ff.linear_out"),
  "txt_attn.qkv": joined("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
  "txt_attn.proj": whole("attn.to_add_out"),
  "txt_mlp.0": whole("ff_context.linear_in"),
  "txt_mlp.2": whole("ff_context.linear_out"),
  // diffusers with fused projections
  "attn.to_qkv": joined("attn.to_q", "attn.to_k", "attn.to_v"),
  "attn.to_added_qkv": joined("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
};

const SINGLE: Readonly<Record<string, LoraTarget>> = {
  linear1: whole("attn.to_qkv_mlp_proj"),
  linear2: whole("attn.to_out"),
};

/** kohya writes dots as underscores, so names are compared in that form. */
const flat = (name: string): string => name.replaceAll(".", "_");

/** By flattened names, those of diffusers added. */
function tableOf(modules: Readonly<Record<string, LoraTarget>>): ReadonlyMap<string, LoraTarget> {
  const table = new Map<string, LoraTarget>();
  for (const [name, target] of Object.entries(modules)) {
    table.set(flat(name), target);
    if (new Set(target.map(({ tensor }) => tensor)).size < target.length) continue; // reordered: has its own entry
    for (const { tensor } of target) table.set(flat(tensor.replace(/\.weight$/, "")), [{ tensor, slot: 0, slots: 1 }]);
  }
  return table;
}

const GLOBAL_TABLE = tableOf(GLOBAL);
const DOUBLE_TABLE = tableOf(DOUBLE);
const SINGLE_TABLE = tableOf(SINGLE);

const PREFIXES = ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer."] as const;
const FLAT_PREFIX = /^(?:lora_unet_|lora_transformer_|lycoris_)/;
const BLOCK = /^(double_blocks|transformer_blocks|single_blocks|single_transformer_blocks)_(\d{1,4})_(.+)$/;

/** The layer that a module's name stands for, in any style and with any prefix; undefined when klein has none such. */
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
