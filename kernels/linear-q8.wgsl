// result = x wᵀ + low_x low_weightsᵀ + bias, stored as EPILOGUE says, for weights in 8-bit blocks of 32 along the input.
// x [rows, in] scalar, w [outs, in] codes u8 with zero point 128, scales [outs, in / 32] scalar,
// bias [outs] scalar (with BIASED), y [rows, y_columns] residual.
// EPILOGUE: 0 y = result; 1 y = SiLU(y) * result * factor, the second half of SwiGLU; 2 y += factor * result;
// 3 y += factor * gate[column] * result, which adds a branch to the residual stream. A weight is decoded once for TILE_ROWS
// rows, on its way into workgroup memory. low_x and low_weights are read with LOW_RANK.
alias scalar = f32;
alias residual = f32;

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<scalar>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<scalar>>;
@group(0) @binding(4) var<storage, read> low_x: array<vec4<scalar>>;
@group(0) @binding(5) var<storage, read> low_weights: array<vec4<scalar>>;
@group(0) @binding(6) var<storage, read> gate: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y: array<vec4<residual>>;
@group(0) @binding(8) var<uniform> parameters: Parameters;

fn stored_codes(at: u32) -> vec4f {
  return vec4f(unpack4xU8(values[at])) - 128.0;
}

fn stored_scale(at: u32) -> f32 {
  return f32(scales[at]);
}

//#include "linear"

//#include "blocks"

//#include "matmul"
