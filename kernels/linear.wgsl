// y = f(x wᵀ + low_x low_weightsᵀ + bias) for weights as they are.
// x [rows, in] scalar, w [outs, in] scalar, bias [outs] scalar (with BIASED), y [rows, y_columns] outer.
// EPILOGUE: 0 f is the identity; 1 y becomes SiLU(y) * result * factor, the second half of a gated feed-forward; 2 y gains
// factor * result; 3 y gains factor * gate[column] * result, the residual addition of a branch. Weights are decoded once for
// TILE_ROWS rows, on their way into workgroup memory. low_x and low_weights are read with LOW_RANK.
alias scalar = f32;
alias outer = f32;

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> values: array<vec4<scalar>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<scalar>>;
@group(0) @binding(3) var<storage, read> low_x: array<vec4<scalar>>;
@group(0) @binding(4) var<storage, read> low_weights: array<vec4<scalar>>;
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<outer>>;
@group(0) @binding(7) var<uniform> parameters: Parameters;

fn stored_codes(at: u32) -> vec4f {
  return vec4f(values[at]);
}

fn stored_scale(at: u32) -> f32 {
  return 1.0;
}

//#include "linear"

//#include "blocks"

//#include "matmul"
