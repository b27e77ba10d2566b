import attentionSource from "./attention.wgsl?raw";
import attentionWideSource from "./attention-wide.wgsl?raw";
import combineSource from "./combine.wgsl?raw";
import convolveSource from "./convolve.wgsl?raw";
import countNonfiniteSource from "./count-nonfinite.wgsl?raw";
import featuresToPixelsSource from "./features-to-pixels.wgsl?raw";
import gatedAddSource from "./gated-add.wgsl?raw";
import gatherBandSource from "./gather-band.wgsl?raw";
import groupNormFinishSource from "./group-norm-finish.wgsl?raw";
import groupNormStatisticsSource from "./group-norm-statistics.wgsl?raw";
import headNormRopeSource from "./head-norm-rope.wgsl?raw";
import type { Kernel } from "./kernel.ts";
import linearSource from "./linear.wgsl?raw";
import linearQ4Source from "./linear-q4.wgsl?raw";
import linearQ8Source from "./linear-q8.wgsl?raw";
import modulationSource from "./modulation.wgsl?raw";
import normalizeSource from "./normalize.wgsl?raw";
import patchifySource from "./patchify.wgsl?raw";
import pixelsToFeaturesSource from "./pixels-to-features.wgsl?raw";
import placeColumnsSource from "./place-columns.wgsl?raw";
import relativeChangeSource from "./relative-change.wgsl?raw";
import siluSource from "./silu.wgsl?raw";
import unpatchifySource from "./unpatchify.wgsl?raw";

/** QK RMS norm and rotary embedding of one row chunk; writes queries, keys and values head-major where attention reads. */
export const headNormRope = {
  name: "head-norm-rope",
  source: headNormRopeSource,
  bindings: {
    queries: "read",
    keys: "read",
    values: "read",
    norm_weights: "read",
    rotary: "read",
    queries_out: "read_write",
    keys_values_out: "read_write",
  },
  parameters: {
    rows: "u32",
    heads: "u32",
    kv_heads: "u32",
    first_head: "u32",
    group_heads: "u32",
    first_kv_head: "u32",
    group_kv_heads: "u32",
    rotary_start: "u32",
    query_start: "u32",
    query_capacity: "u32",
    key_start: "u32",
    key_capacity: "u32",
    eps: "f32",
  },
  overrides: { HEAD_DIM: 128, INTERLEAVED: 1, LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** Flash attention over up to three key segments; causal, grouped-query and masked by parameters. */
export const attention = {
  name: "attention",
  source: attentionSource,
  bindings: {
    queries: "read",
    keys_values_0: "read",
    keys_values_1: "read",
    keys_values_2: "read",
    mask: "read",
    out: "read_write",
  },
  parameters: {
    query_start: "u32",
    query_count: "u32",
    query_capacity: "u32",
    length_0: "u32",
    length_1: "u32",
    length_2: "u32",
    capacity_0: "u32",
    capacity_1: "u32",
    capacity_2: "u32",
    group_kv_heads: "u32",
    heads_per_kv: "u32",
    causal: "u32",
    masked: "u32",
    out_row_start: "u32",
    out_columns: "u32",
    out_column_start: "u32",
    scale: "f32",
  },
  overrides: { HEAD_DIM: 128, TILE_Q: 64 },
} as const satisfies Kernel;

/** One-head attention of any width up to 512, one key chunk a dispatch, with running state; for the VAE. */
export const attentionWide = {
  name: "attention-wide",
  source: attentionWideSource,
  bindings: { queries: "read", keys: "read", values: "read", state: "read_write", out: "read_write" },
  parameters: {
    width: "u32",
    query_start: "u32",
    query_count: "u32",
    key_count: "u32",
    first: "u32",
    last: "u32",
    scale: "f32",
  },
  overrides: { LANES_K: 32 },
} as const satisfies Kernel;

/** x += scale · gate ⊙ y, x in f32. */
export const gatedAdd = {
  name: "gated-add",
  source: gatedAddSource,
  bindings: { y: "read", gate: "read", x: "read_write" },
  parameters: { rows: "u32", columns: "u32", scale: "f32" },
  overrides: { GATED: 1 },
} as const satisfies Kernel;

/** accumulator = a · accumulator + b · x. */
export const combine = {
  name: "combine",
  source: combineSource,
  bindings: { x: "read", accumulator: "read_write" },
  parameters: { count: "u32", a: "f32", b: "f32" },
  overrides: {},
} as const satisfies Kernel;

/** y = x / (1 + exp(−x)). */
export const silu = {
  name: "silu",
  source: siluSource,
  bindings: { x: "read", y: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Adds 1 to the scale parts of a modulation table. */
export const modulation = {
  name: "modulation",
  source: modulationSource,
  bindings: { table: "read", out: "read_write" },
  parameters: { count: "u32", width: "u32", period: "u32", scale_index: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Copies a narrow matrix into columns of a wide one. */
export const placeColumns = {
  name: "place-columns",
  source: placeColumnsSource,
  bindings: { x: "read", out: "read_write" },
  parameters: { rows: "u32", columns: "u32", out_columns: "u32", column_start: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Count, mean and squared deviation of every group over a part of the positions. */
export const groupNormStatistics = {
  name: "group-norm-statistics",
  source: groupNormStatisticsSource,
  bindings: { x: "read", partials: "read_write" },
  parameters: {
    positions: "u32",
    channels: "u32",
    groups: "u32",
    parts: "u32",
    first_part: "u32",
    positions_per_part: "u32",
  },
  overrides: { LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** Merges partial statistics into one scale and shift a channel. */
export const groupNormFinish = {
  name: "group-norm-finish",
  source: groupNormFinishSource,
  bindings: { partials: "read", weight: "read", bias: "read", affine: "read_write" },
  parameters: { parts: "u32", channels: "u32", groups: "u32", eps: "f32" },
  overrides: { LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** Rows of a feature map into a convolution's input band, with normalisation, SiLU and nearest upsampling on the way. */
export const gatherBand = {
  name: "gather-band",
  source: gatherBandSource,
  bindings: { x: "read", affine: "read", out: "read_write" },
  parameters: {
    width: "u32",
    quads: "u32",
    source_first: "u32",
    out_first: "i32",
    row_begin: "u32",
    row_count: "u32",
  },
  overrides: { NORMALIZE: 0, ACTIVATE: 0, UPSAMPLE: 0 },
} as const satisfies Kernel;

/** RGBA bytes to features in −1…1. */
export const pixelsToFeatures = {
  name: "pixels-to-features",
  source: pixelsToFeaturesSource,
  bindings: { pixels: "read", out: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Features to RGBA bytes: clamped to −1…1, rounded. */
export const featuresToPixels = {
  name: "features-to-pixels",
  source: featuresToPixelsSource,
  bindings: { x: "read", pixels: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** 2×2 patches of the VAE's mean into normalised tokens. */
export const patchify = {
  name: "patchify",
  source: patchifySource,
  bindings: { x: "read", statistics: "read", tokens: "read_write" },
  parameters: { width: "u32", first_row: "u32", rows: "u32", channels: "u32", latent_channels: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Normalised tokens into latents of the VAE. */
export const unpatchify = {
  name: "unpatchify",
  source: unpatchifySource,
  bindings: { tokens: "read", statistics: "read", out: "read_write" },
  parameters: { width: "u32", first_row: "u32", rows: "u32", latent_channels: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Counts values that are NaN or infinite. */
export const countNonfinite = {
  name: "count-nonfinite",
  source: countNonfiniteSource,
  bindings: { x: "read", counter: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Sums of |a − b| and |b| by parts: the relative L1 change of a step cache. */
export const relativeChange = {
  name: "relative-change",
  source: relativeChangeSource,
  bindings: { a: "read", b: "read", sums: "read_write" },
  parameters: { count: "u32", first_part: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Rows normalised and in the scalar type. KIND: 0 a change of type alone, 1 a modulated LayerNorm, 2 an RMS norm. */
export const normalize = {
  name: "normalize",
  source: normalizeSource,
  bindings: { x: "read", scale: "read", shift: "read", y: "read_write" },
  parameters: { rows: "u32", quads: "u32", eps: "f32" },
  overrides: { KIND: 1, LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** Results of a workgroup, how they are summed, and whether lanes read for themselves. */
const MATMUL_TILES = { TILE_ROWS: 64, TILE_OUTS: 64, TWO_LEVEL: 0, DIRECT: 0 } as const;

const LINEAR_PARAMETERS = {
  rows: "u32",
  outs: "u32",
  first_row: "u32",
  first_out: "u32",
  x_quads: "u32",
  low_quads: "u32",
  y_columns: "u32",
  y_start: "u32",
  factor: "f32",
} as const;

/** What all of them bind behind their weights. */
const LINEAR_BINDINGS = { bias: "read", low_x: "read", low_weights: "read", gate: "read", y: "read_write" } as const;

const LINEAR_OVERRIDES = { ...MATMUL_TILES, LOW_RANK: 0, BIASED: 0, EPILOGUE: 0 } as const;

/** A linear layer on weights as they are; EPILOGUE is what becomes of its result. */
export const linear = {
  name: "linear",
  source: linearSource,
  bindings: { x: "read", values: "read", ...LINEAR_BINDINGS },
  parameters: LINEAR_PARAMETERS,
  overrides: LINEAR_OVERRIDES,
} as const satisfies Kernel;

const QUANTIZED_LINEAR = {
  bindings: { x: "read", values: "read", scales: "read", ...LINEAR_BINDINGS },
  parameters: LINEAR_PARAMETERS,
  overrides: LINEAR_OVERRIDES,
} as const;

/** The same on weights in 8-bit blocks. */
export const linearQ8 = { name: "linear-q8", source: linearQ8Source, ...QUANTIZED_LINEAR } as const satisfies Kernel;

/** The same on weights in 4-bit blocks. */
export const linearQ4 = { name: "linear-q4", source: linearQ4Source, ...QUANTIZED_LINEAR } as const satisfies Kernel;

/** A convolution over one band of a feature map, as an implicit matrix product. */
export const convolve = {
  name: "convolve",
  source: convolveSource,
  bindings: { x: "read", w: "read", bias: "read", y: "read_write" },
  parameters: {
    rows: "u32",
    outs: "u32",
    first_row: "u32",
    first_out: "u32",
    channel_quads: "u32",
    size: "u32",
    width: "u32",
    out_width: "u32",
    stride: "u32",
    pad_left: "u32",
    phase: "u32",
  },
  overrides: { ...MATMUL_TILES, UPSAMPLE: 0, ACCUMULATE: 0 },
} as const satisfies Kernel;

/** Every kernel, for the tests that reflect and compile them. */
export const KERNELS: readonly Kernel[] = [
  headNormRope,
  attention,
  attentionWide,
  gatedAdd,
  combine,
  silu,
  modulation,
  placeColumns,
  groupNormStatistics,
  groupNormFinish,
  gatherBand,
  pixelsToFeatures,
  featuresToPixels,
  patchify,
  unpatchify,
  countNonfinite,
  relativeChange,
  normalize,
  linear,
  linearQ8,
  linearQ4,
  convolve,
];
