// Written by `npm run kernels` from the WGSL files. Do not edit.
import accumulateSource from "./accumulate.wgsl?raw";
import attentionSource from "./attention.wgsl?raw";
import attentionWideSource from "./attention-wide.wgsl?raw";
import convolveSource from "./convolve.wgsl?raw";
import countNonfiniteSource from "./count-nonfinite.wgsl?raw";
import featuresToPixelsSource from "./features-to-pixels.wgsl?raw";
import gatedAddSource from "./gated-add.wgsl?raw";
import gatherBandSource from "./gather-band.wgsl?raw";
import groupNormFinishSource from "./group-norm-finish.wgsl?raw";
import groupNormStatisticsSource from "./group-norm-statistics.wgsl?raw";
import headNormRopeSource from "./head-norm-rope.wgsl?raw";
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
import type { Kernel } from "./kernel.ts";

/** accumulator = a * accumulator + b * x, element by element. */
export const accumulate = {
  name: "accumulate",
  source: accumulateSource,
  workgroupSize: 64,
  bindings: { x: "read", accumulator: "read_write" },
  parameters: { count: "u32", a: "f32", b: "f32" },
  overrides: {},
} as const satisfies Kernel;

/** Flash attention: out = softmax(scale * q k^T) v, head by head, over up to three key segments without joining them. */
export const attention = {
  name: "attention",
  source: attentionSource,
  workgroupSize: "8 * TILE_Q / 4",
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

/** One-head attention of any width d up to 512: out = softmax(scale * q k^T) v over one chunk of keys a dispatch. */
export const attentionWide = {
  name: "attention-wide",
  source: attentionWideSource,
  workgroupSize: 128,
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

/** y = convolution of x with a kernel of size x size, as a matrix product over taps and channels (implicit GEMM). */
export const convolve = {
  name: "convolve",
  source: convolveSource,
  workgroupSize: "TILE_ROWS * TILE_OUTS / 64",
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
  overrides: { UPSAMPLE: 0, ACCUMULATE: 0, TILE_ROWS: 64, TILE_OUTS: 64, TWO_LEVEL: 0, DIRECT: 0 },
} as const satisfies Kernel;

/** counter += number of values that are NaN or infinite. */
export const countNonfinite = {
  name: "count-nonfinite",
  source: countNonfiniteSource,
  workgroupSize: 64,
  bindings: { x: "read", counter: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** pixels = round(clamp(x / 2 + 1/2, 0, 1) * 255), with alpha 255. */
export const featuresToPixels = {
  name: "features-to-pixels",
  source: featuresToPixelsSource,
  workgroupSize: 64,
  bindings: { x: "read", pixels: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** x += scale * gate * y over rows of `columns`: the residual addition of a branch. */
export const gatedAdd = {
  name: "gated-add",
  source: gatedAddSource,
  workgroupSize: 64,
  bindings: { y: "read", gate: "read", x: "read_write" },
  parameters: { rows: "u32", columns: "u32", scale: "f32" },
  overrides: { GATED: 1 },
} as const satisfies Kernel;

/** Rows of a feature map into a convolution's input band, with GroupNorm, SiLU and nearest upsampling on the way. */
export const gatherBand = {
  name: "gather-band",
  source: gatherBandSource,
  workgroupSize: 64,
  bindings: { x: "read", affine: "read", out: "read_write" },
  parameters: { width: "u32", quads: "u32", source_first: "u32", out_first: "i32", row_begin: "u32", row_count: "u32" },
  overrides: { NORMALIZE: 0, ACTIVATE: 0, UPSAMPLE: 0 },
} as const satisfies Kernel;

/** Merges partial statistics of each group into one scale and one shift for each channel. */
export const groupNormFinish = {
  name: "group-norm-finish",
  source: groupNormFinishSource,
  workgroupSize: "ITEMS * LANES",
  bindings: { partials: "read", weight: "read", bias: "read", affine: "read_write" },
  parameters: { slices: "u32", channels: "u32", groups: "u32", eps: "f32" },
  overrides: { LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** Count, mean and sum of squared deviations of each group over each slice of the positions. */
export const groupNormStatistics = {
  name: "group-norm-statistics",
  source: groupNormStatisticsSource,
  workgroupSize: "ITEMS * LANES",
  bindings: { x: "read", partials: "read_write" },
  parameters: {
    positions: "u32",
    channels: "u32",
    groups: "u32",
    slices: "u32",
    first_slice: "u32",
    positions_per_slice: "u32",
  },
  overrides: { LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** QK RMS norm and rotary embedding: q, k = rotate(x / rms(x) * weight) head by head; v is copied. */
export const headNormRope = {
  name: "head-norm-rope",
  source: headNormRopeSource,
  workgroupSize: "ITEMS * LANES",
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

/** result = x wᵀ + low_x low_weightsᵀ + bias, stored as EPILOGUE says, for weights as they are. */
export const linear = {
  name: "linear",
  source: linearSource,
  workgroupSize: "TILE_ROWS * TILE_OUTS / 64",
  bindings: {
    x: "read",
    values: "read",
    bias: "read",
    low_x: "read",
    low_weights: "read",
    gate: "read",
    y: "read_write",
  },
  parameters: {
    rows: "u32",
    outs: "u32",
    first_row: "u32",
    first_out: "u32",
    x_quads: "u32",
    low_quads: "u32",
    y_columns: "u32",
    y_start: "u32",
    factor: "f32",
  },
  overrides: { LOW_RANK: 0, BIASED: 0, EPILOGUE: 0, TILE_ROWS: 64, TILE_OUTS: 64, TWO_LEVEL: 0, DIRECT: 0 },
} as const satisfies Kernel;

/** result = x wᵀ + low_x low_weightsᵀ + bias, stored as EPILOGUE says, for weights in 4-bit blocks of 32 along the input. */
export const linearQ4 = {
  name: "linear-q4",
  source: linearQ4Source,
  workgroupSize: "TILE_ROWS * TILE_OUTS / 64",
  bindings: {
    x: "read",
    values: "read",
    scales: "read",
    bias: "read",
    low_x: "read",
    low_weights: "read",
    gate: "read",
    y: "read_write",
  },
  parameters: {
    rows: "u32",
    outs: "u32",
    first_row: "u32",
    first_out: "u32",
    x_quads: "u32",
    low_quads: "u32",
    y_columns: "u32",
    y_start: "u32",
    factor: "f32",
  },
  overrides: { LOW_RANK: 0, BIASED: 0, EPILOGUE: 0, TILE_ROWS: 64, TILE_OUTS: 64, TWO_LEVEL: 0, DIRECT: 0 },
} as const satisfies Kernel;

/** result = x wᵀ + low_x low_weightsᵀ + bias, stored as EPILOGUE says, for weights in 8-bit blocks of 32 along the input. */
export const linearQ8 = {
  name: "linear-q8",
  source: linearQ8Source,
  workgroupSize: "TILE_ROWS * TILE_OUTS / 64",
  bindings: {
    x: "read",
    values: "read",
    scales: "read",
    bias: "read",
    low_x: "read",
    low_weights: "read",
    gate: "read",
    y: "read_write",
  },
  parameters: {
    rows: "u32",
    outs: "u32",
    first_row: "u32",
    first_out: "u32",
    x_quads: "u32",
    low_quads: "u32",
    y_columns: "u32",
    y_start: "u32",
    factor: "f32",
  },
  overrides: { LOW_RANK: 0, BIASED: 0, EPILOGUE: 0, TILE_ROWS: 64, TILE_OUTS: 64, TWO_LEVEL: 0, DIRECT: 0 },
} as const satisfies Kernel;

/** out = table, plus 1 in the scale chunks, so that LayerNorm multiplies by 1 + scale. */
export const modulation = {
  name: "modulation",
  source: modulationSource,
  workgroupSize: 64,
  bindings: { table: "read", out: "read_write" },
  parameters: { count: "u32", width: "u32", period: "u32", scale_index: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** y = rows of x, normalised and in the scalar type. */
export const normalize = {
  name: "normalize",
  source: normalizeSource,
  workgroupSize: "ITEMS * LANES",
  bindings: { x: "read", scale: "read", shift: "read", y: "read_write" },
  parameters: { rows: "u32", quads: "u32", eps: "f32" },
  overrides: { KIND: 1, LANES: 64, ITEMS: 1 },
} as const satisfies Kernel;

/** 2x2 patches of the autoencoder's mean into normalised tokens: (x - mean) / deviation per patch channel. */
export const patchify = {
  name: "patchify",
  source: patchifySource,
  workgroupSize: 64,
  bindings: { x: "read", statistics: "read", tokens: "read_write" },
  parameters: { width: "u32", first_row: "u32", rows: "u32", channels: "u32", latent_channels: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** out = byte / 127.5 - 1 for the three colours of each pixel. */
export const pixelsToFeatures = {
  name: "pixels-to-features",
  source: pixelsToFeaturesSource,
  workgroupSize: 64,
  bindings: { pixels: "read", out: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** out[r, column_start + c] = x[r, c]: a narrow matrix into columns of a wide one. */
export const placeColumns = {
  name: "place-columns",
  source: placeColumnsSource,
  workgroupSize: 64,
  bindings: { x: "read", out: "read_write" },
  parameters: { rows: "u32", columns: "u32", out_columns: "u32", column_start: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Sums of |a - b| and of |b|, whose quotient is the relative L1 change from b to a. */
export const relativeChange = {
  name: "relative-change",
  source: relativeChangeSource,
  workgroupSize: 64,
  bindings: { a: "read", b: "read", sums: "read_write" },
  parameters: { count: "u32", first_sum: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** y = x / (1 + exp(-x)), element by element. */
export const silu = {
  name: "silu",
  source: siluSource,
  workgroupSize: 64,
  bindings: { x: "read", y: "read_write" },
  parameters: { count: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Normalised tokens into a band of the autoencoder's latents: token * deviation + mean, patch channels to 2x2 positions. */
export const unpatchify = {
  name: "unpatchify",
  source: unpatchifySource,
  workgroupSize: 64,
  bindings: { tokens: "read", statistics: "read", out: "read_write" },
  parameters: { width: "u32", first_row: "u32", rows: "u32", latent_channels: "u32" },
  overrides: {},
} as const satisfies Kernel;

/** Every kernel. */
export const KERNELS: readonly Kernel[] = [
  accumulate,
  attention,
  attentionWide,
  convolve,
  countNonfinite,
  featuresToPixels,
  gatedAdd,
  gatherBand,
  groupNormFinish,
  groupNormStatistics,
  headNormRope,
  linear,
  linearQ4,
  linearQ8,
  modulation,
  normalize,
  patchify,
  pixelsToFeatures,
  placeColumns,
  relativeChange,
  silu,
  unpatchify,
];
