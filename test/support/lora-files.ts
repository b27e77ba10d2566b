import type { TransformerConfig } from "../../runtime/weights/config/model-config.ts";
import { randomValues } from "./compare.ts";
import { f16BitsToF32, f32ToF16Bits } from "./half.ts";
import { safetensorsFile, type TestTensor } from "./model-files.ts";

/** A made-up LoRA: the same options give the same change of the weights in every style. */
export interface LoraOptions {
  readonly rank: number;
  /** The factor is alpha / rank; 1 when there is none. */
  readonly alpha?: number | undefined;
  readonly seed?: number | undefined;
  /** Standard size of the values of `up`; `down` has values below 1 / √in. */
  readonly strength?: number | undefined;
  readonly dtype?: "F32" | "F16" | "BF16" | undefined;
  /** Layers that are changed, by BFL's names; all of them unless given. */
  readonly layers?: ((name: string) => boolean) | undefined;
}

/** A linear layer by its name in BFL's files, and the position of its rows in diffusers' layout. */
interface Layer {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  readonly parts: readonly { readonly name: string; readonly rows: number; readonly at: number }[];
}

interface Factors {
  readonly layer: Layer;
  /** [rank, in] */
  readonly down: Float32Array;
  /** [out, rank] */
  readonly up: Float32Array;
}

/** Every linear layer of a klein transformer. */
function layersOf(config: TransformerConfig): readonly Layer[] {
  const { hidden: d, mlpHidden: mlp, inChannels, outChannels, textWidth, timeChannels } = config;
  const same = (name: string, diffusers: string, out: number, columns: number): Layer => ({
    name,
    out,
    in: columns,
    parts: [{ name: diffusers, rows: out, at: 0 }],
  });
  const thirds = (name: string, block: string, names: readonly string[]): Layer => ({
    name,
    out: 3 * d,
    in: d,
    parts: names.map((part) => ({ name: `${block}.attn.${part}`, rows: d, at: 0 })),
  });
  const layers = [
    same("img_in", "x_embedder", d, inChannels),
    same("txt_in", "context_embedder", d, textWidth),
    same("time_in.in_layer", "time_guidance_embed.timestep_embedder.linear_1", d, timeChannels),
    same("time_in.out_layer", "time_guidance_embed.timestep_embedder.linear_2", d, d),
    same("double_stream_modulation_img.lin", "double_stream_modulation_img.linear", 6 * d, d),
    same("double_stream_modulation_txt.lin", "double_stream_modulation_txt.linear", 6 * d, d),
    same("single_stream_modulation.lin", "single_stream_modulation.linear", 3 * d, d),
    same("final_layer.linear", "proj_out", outChannels, d),
    {
      name: "final_layer.adaLN_modulation.1",
      out: 2 * d,
      in: d,
      parts: [
        { name: "norm_out.linear", rows: d, at: d },
        { name: "norm_out.linear", rows: d, at: 0 },
      ],
    },
  ];
  for (let i = 0; i < config.doubleBlocks; i++) {
    const [bfl, block] = [`double_blocks.${i}`, `transformer_blocks.${i}`];
    layers.push(
      thirds(`${bfl}.img_attn.qkv`, block, ["to_q", "to_k", "to_v"]),
      thirds(`${bfl}.txt_attn.qkv`, block, ["add_q_proj", "add_k_proj", "add_v_proj"]),
      same(`${bfl}.img_attn.proj`, `${block}.attn.to_out.0`, d, d),
      same(`${bfl}.txt_attn.proj`, `${block}.attn.to_add_out`, d, d),
      same(`${bfl}.img_mlp.0`, `${block}.ff.linear_in`, 2 * mlp, d),
      same(`${bfl}.txt_mlp.0`, `${block}.ff_context.linear_in`, 2 * mlp, d),
      same(`${bfl}.img_mlp.2`, `${block}.ff.linear_out`, d, mlp),
      same(`${bfl}.txt_mlp.2`, `${block}.ff_context.linear_out`, d, mlp),
    );
  }
  for (let i = 0; i < config.singleBlocks; i++) {
    const [bfl, block] = [`single_blocks.${i}`, `single_transformer_blocks.${i}.attn`];
    layers.push(
      same(`${bfl}.linear1`, `${block}.to_qkv_mlp_proj`, 3 * d + 2 * mlp, d),
      same(`${bfl}.linear2`, `${block}.to_out`, d, d + mlp),
    );
  }
  return layers;
}

function factorsOf(config: TransformerConfig, options: LoraOptions): readonly Factors[] {
  const { rank, seed = 1, strength = 0.05, dtype = "F32", layers: isChanged = () => true } = options;
  return layersOf(config).flatMap((layer, i) => {
    if (!isChanged(layer.name)) return [];
    const values = (count: number, size: number, key: number): Float32Array =>
      randomValues(count, seed * 7919 + i * 2 + key).map((value) => ROUND[dtype](value * size));
    const down = values(rank * layer.in, 1 / Math.sqrt(layer.in), 0);
    return [{ layer, down, up: values(layer.out * rank, strength, 1) }];
  });
}

const bf16Bits = (value: number): number => new Uint32Array(new Float32Array([value]).buffer)[0]! >>> 16;
/** Values that each type can hold, so that they are the same in all. */
const ROUND = {
  F32: (value: number) => value,
  F16: (value: number) => f16BitsToF32(f32ToF16Bits(value)),
  BF16: (value: number) => new Float32Array(new Uint32Array([bf16Bits(value) << 16]).buffer)[0]!,
} as const;

function tensor(dtype: "F32" | "F16" | "BF16", shape: readonly number[], values: Float32Array): TestTensor {
  if (dtype === "F32") return { dtype, shape, data: Float32Array.from(values) };
  return { dtype, shape, data: Uint16Array.from(values, dtype === "F16" ? f32ToF16Bits : bf16Bits) };
}

interface Style {
  readonly layout: "bfl" | "diffusers";
  readonly prefix: string;
  readonly flat?: boolean;
  readonly names: readonly [down: string, up: string];
  /** Alpha is in the metadata in place of tensors. */
  readonly metadata?: boolean;
}

const AB = ["lora_A.weight", "lora_B.weight"] as const;
const DOWN_UP = ["lora_down.weight", "lora_up.weight"] as const;

/** The styles in which LoRAs for FLUX.2 are published. */
export const LORA_STYLES = {
  diffusers: { layout: "diffusers", prefix: "transformer.", names: AB, metadata: true },
  "diffusers with alpha": { layout: "diffusers", prefix: "transformer.", names: AB },
  "diffusers without prefix": { layout: "diffusers", prefix: "", names: AB },
  "ai-toolkit": { layout: "bfl", prefix: "diffusion_model.", names: AB },
  comfyui: { layout: "bfl", prefix: "diffusion_model.", names: DOWN_UP },
  "model.diffusion_model": { layout: "bfl", prefix: "model.diffusion_model.", names: AB },
  "bfl without prefix": { layout: "bfl", prefix: "", names: AB },
  "bfl under transformer": { layout: "bfl", prefix: "transformer.", names: AB },
  kohya: { layout: "bfl", prefix: "lora_unet_", flat: true, names: DOWN_UP },
  "kohya with A and B": { layout: "bfl", prefix: "lora_unet_", flat: true, names: AB },
  "kohya of diffusers": { layout: "diffusers", prefix: "lora_unet_", flat: true, names: DOWN_UP },
  onetrainer: { layout: "diffusers", prefix: "lora_transformer_", flat: true, names: DOWN_UP },
  peft: { layout: "bfl", prefix: "base_model.model.", names: AB },
  "peft with adapter name": {
    layout: "diffusers",
    prefix: "base_model.model.",
    names: ["lora_A.default.weight", "lora_B.default.weight"],
  },
} as const satisfies Readonly<Record<string, Style>>;

export type LoraStyle = keyof typeof LORA_STYLES;

/** The file of a made-up LoRA in one of the styles. */
export function loraFile(
  config: TransformerConfig,
  style: LoraStyle,
  options: LoraOptions,
  extra: Readonly<Record<string, TestTensor>> = {},
): Uint8Array<ArrayBuffer> {
  const { layout, prefix, flat = false, names, metadata = false }: Style = LORA_STYLES[style];
  const { rank, alpha, dtype = "F32" } = options;
  const tensors: Record<string, TestTensor> = {};
  for (const { layer, down, up } of factorsOf(config, options)) {
    for (const part of layout === "bfl" ? [{ name: layer.name, up }] : separate(layer, up, rank)) {
      const key = `${prefix}${flat ? part.name.replaceAll(".", "_") : part.name}`;
      tensors[`${key}.${names[0]}`] = tensor(dtype, [rank, layer.in], down);
      tensors[`${key}.${names[1]}`] = tensor(dtype, [part.up.length / rank, rank], part.up);
      if (alpha !== undefined && !metadata) tensors[`${key}.alpha`] = tensor(dtype, [], Float32Array.of(alpha));
    }
  }
  const adapter = JSON.stringify({ "transformer.r": rank, "transformer.lora_alpha": alpha });
  const inMetadata = alpha !== undefined && metadata;
  return safetensorsFile({ ...tensors, ...extra }, inMetadata ? { lora_adapter_metadata: adapter } : undefined);
}

/** A layer's `up` cut into the layers of diffusers' layout, all with the same `down`. */
function separate(layer: Layer, up: Float32Array, rank: number): readonly { name: string; up: Float32Array }[] {
  const cut = new Map<string, Float32Array>();
  let row = 0;
  for (const { name, rows, at } of layer.parts) {
    const total = layer.parts.filter((part) => part.name === name).reduce((sum, part) => sum + part.rows, 0);
    const values = cut.get(name) ?? new Float32Array(total * rank);
    values.set(up.subarray(row * rank, (row + rows) * rank), at * rank);
    cut.set(name, values);
    row += rows;
  }
  return [...cut].map(([name, values]) => ({ name, up: values }));
}

/** What it adds to the weights: ΔW [out, in] by diffusers' names of tensors. */
export function loraDeltas(config: TransformerConfig, options: LoraOptions): ReadonlyMap<string, Float64Array> {
  const { rank, alpha } = options;
  const factor = alpha === undefined ? 1 : alpha / rank;
  const deltas = new Map<string, Float64Array>();
  for (const { layer, down, up } of factorsOf(config, options))
    for (const part of separate(layer, up, rank)) {
      const delta = new Float64Array((part.up.length / rank) * layer.in);
      delta.forEach((_, i) => {
        const [row, column] = [Math.floor(i / layer.in), i % layer.in];
        for (let r = 0; r < rank; r++) delta[i]! += factor * part.up[row * rank + r]! * down[r * layer.in + column]!;
      });
      deltas.set(`${part.name}.weight`, delta);
    }
  return deltas;
}
