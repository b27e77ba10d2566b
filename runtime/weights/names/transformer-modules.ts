/** An equal slice of a module's output rows: slice `slot` of the `slots` equal slices of a tensor. */
interface RowSlice {
  /** Name in diffusers, with `.weight`. */
  readonly tensor: string;
  readonly slot: number;
  readonly slots: number;
}

/** The slices that the output rows of a module consist of, in order. */
export type ModuleRows = readonly RowSlice[];

/** A module that is one whole tensor. */
export const whole = (tensor: string): ModuleRows => [{ tensor: `${tensor}.weight`, slot: 0, slots: 1 }];
const joined = (...tensors: readonly string[]): ModuleRows => tensors.flatMap(whole);

type Modules = Readonly<Record<string, ModuleRows>>;

/** Linear layers outside the blocks, by their names in BFL's files. */
export const GLOBAL_MODULES: Modules = {
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
};

/** Linear layers of a double block, by their names in BFL's files. The tensors belong to `transformer_blocks.N`. */
export const DOUBLE_MODULES: Modules = {
  "img_attn.qkv": joined("attn.to_q", "attn.to_k", "attn.to_v"),
  "img_attn.proj": whole("attn.to_out.0"),
  "img_mlp.0": whole("ff.linear_in"),
  "img_mlp.2": whole("ff.linear_out"),
  "txt_attn.qkv": joined("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
  "txt_attn.proj": whole("attn.to_add_out"),
  "txt_mlp.0": whole("ff_context.linear_in"),
  "txt_mlp.2": whole("ff_context.linear_out"),
};

/** Layers of a double block that diffusers joins when it fuses projections. */
export const FUSED_MODULES: Modules = {
  "attn.to_qkv": joined("attn.to_q", "attn.to_k", "attn.to_v"),
  "attn.to_added_qkv": joined("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
};

/** Linear layers of a single block, by their names in BFL's files. The tensors belong to `single_transformer_blocks.N`. */
export const SINGLE_MODULES: Modules = {
  linear1: whole("attn.to_qkv_mlp_proj"),
  linear2: whole("attn.to_out"),
};
