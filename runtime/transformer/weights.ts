import type { Matrix } from "../backend/matrix.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { WeightLoader } from "../weights/loader/weight-loader.ts";
import type { TransformerConfig } from "../weights/config/model-config.ts";

/** Query, key and value projections [D, D] with the weights of QK norm [2, headDim]. */
export interface ProjectionWeights {
  readonly qkv: readonly [Matrix, Matrix, Matrix];
  readonly norms: Tensor;
}

/** One stream's half of a double block. */
export interface StreamWeights extends ProjectionWeights {
  /** [D, D] */
  readonly attentionOut: Matrix;
  /** [mlp, D] */
  readonly gate: Matrix;
  readonly up: Matrix;
  /** [D, mlp] */
  readonly down: Matrix;
}

export interface DoubleBlockWeights {
  readonly image: StreamWeights;
  readonly text: StreamWeights;
}

export interface SingleBlockWeights extends ProjectionWeights {
  /** [mlp, D] */
  readonly gate: Matrix;
  readonly up: Matrix;
  /** [D, D] and [D, mlp]: the columns of the fused output projection for attention and for the feed-forward. */
  readonly attentionOut: Matrix;
  readonly mlpOut: Matrix;
}

/** Modulation matrices take SiLU of the time embedding. */
export interface ModulationWeights {
  /** [D, 256], [D, D] */
  readonly timeIn: Matrix;
  readonly timeOut: Matrix;
  /** [6D, D]: shift, scale, gate of attention, then of the feed-forward. */
  readonly image: Matrix;
  readonly text: Matrix;
  /** [3D, D]: shift, scale, gate. */
  readonly single: Matrix;
  /** [2D, D]: scale, shift (diffusers' order). */
  readonly final: Matrix;
}

export interface TransformerWeights {
  /** [D, channels] */
  readonly imageIn: Matrix;
  /** [D, text width] */
  readonly textIn: Matrix;
  readonly modulation: ModulationWeights;
  readonly double: readonly DoubleBlockWeights[];
  readonly single: readonly SingleBlockWeights[];
  /** [channels, D] */
  readonly finalOut: Matrix;
}

/** Loads the transformer by its diffusers names. */
export async function loadTransformerWeights(
  loader: WeightLoader,
  config: TransformerConfig,
): Promise<TransformerWeights> {
  const d = config.hidden;
  /** 16 bits or more: these are small, and everything depends on them. */
  const unquantized = (name: string, out: number, columns: number): Promise<Matrix> =>
    loader.matrix({ name: `${name}.weight`, shape: [out, columns], quantize: false });

  const double: DoubleBlockWeights[] = [];
  const single: SingleBlockWeights[] = [];
  const imageIn = await unquantized("x_embedder", d, config.inChannels);
  const textIn = await unquantized("context_embedder", d, config.textWidth);
  const modulation: ModulationWeights = {
    timeIn: await unquantized("time_guidance_embed.timestep_embedder.linear_1", d, config.timeChannels),
    timeOut: await unquantized("time_guidance_embed.timestep_embedder.linear_2", d, d),
    image: await unquantized("double_stream_modulation_img.linear", 6 * d, d),
    text: await unquantized("double_stream_modulation_txt.linear", 6 * d, d),
    single: await unquantized("single_stream_modulation.linear", 3 * d, d),
    final: await unquantized("norm_out.linear", 2 * d, d),
  };
  for (let i = 0; i < config.doubleBlocks; i++) {
    const block = `transformer_blocks.${i}`;
    double.push({
      image: await loadStream(loader, config, block, IMAGE_NAMES),
      text: await loadStream(loader, config, block, TEXT_NAMES),
    });
  }
  for (let i = 0; i < config.singleBlocks; i++)
    single.push(await loadSingle(loader, config, `single_transformer_blocks.${i}`));
  return {
    imageIn,
    textIn,
    modulation,
    double,
    single,
    finalOut: await unquantized("proj_out", config.outChannels, d),
  };
}

const IMAGE_NAMES = {
  q: "to_q",
  k: "to_k",
  v: "to_v",
  out: "to_out.0",
  normQ: "norm_q",
  normK: "norm_k",
  ff: "ff",
} as const;
const TEXT_NAMES = {
  q: "add_q_proj",
  k: "add_k_proj",
  v: "add_v_proj",
  out: "to_add_out",
  normQ: "norm_added_q",
  normK: "norm_added_k",
  ff: "ff_context",
} as const;

async function loadStream(
  loader: WeightLoader,
  { hidden: d, mlpHidden: mlp, headDim }: TransformerConfig,
  block: string,
  names: typeof IMAGE_NAMES | typeof TEXT_NAMES,
): Promise<StreamWeights> {
  const attention = `${block}.attn`;
  const square = (name: string): Promise<Matrix> =>
    loader.matrix({ name: `${attention}.${name}.weight`, shape: [d, d] });
  const gateAndUp = { name: `${block}.${names.ff}.linear_in.weight`, shape: [2 * mlp, d] } as const;
  const [gate, up] = await loader.aligned([
    { ...gateAndUp, rows: [0, mlp] },
    { ...gateAndUp, rows: [mlp, mlp] },
  ]);
  return {
    qkv: [await square(names.q), await square(names.k), await square(names.v)],
    norms: await loader.vectors([`${attention}.${names.normQ}.weight`, `${attention}.${names.normK}.weight`], headDim),
    attentionOut: await square(names.out),
    gate: gate!,
    up: up!,
    down: await loader.matrix({ name: `${block}.${names.ff}.linear_out.weight`, shape: [d, mlp] }),
  };
}

async function loadSingle(
  loader: WeightLoader,
  { hidden: d, mlpHidden: mlp, headDim }: TransformerConfig,
  block: string,
): Promise<SingleBlockWeights> {
  const attention = `${block}.attn`;
  const fusedIn = { name: `${attention}.to_qkv_mlp_proj.weight`, shape: [3 * d + 2 * mlp, d] } as const;
  const fusedOut = { name: `${attention}.to_out.weight`, shape: [d, d + mlp] } as const;
  const [q, k, v] = await loader.aligned([0, 1, 2].map((i) => ({ ...fusedIn, rows: [i * d, d] as const })));
  const [gate, up] = await loader.aligned([
    { ...fusedIn, rows: [3 * d, mlp] },
    { ...fusedIn, rows: [3 * d + mlp, mlp] },
  ]);
  const [attentionOut, mlpOut] = await loader.aligned([
    { ...fusedOut, columns: [0, d] },
    { ...fusedOut, columns: [d, mlp] },
  ]);
  return {
    qkv: [q!, k!, v!],
    norms: await loader.vectors([`${attention}.norm_q.weight`, `${attention}.norm_k.weight`], headDim),
    gate: gate!,
    up: up!,
    attentionOut: attentionOut!,
    mlpOut: mlpOut!,
  };
}
