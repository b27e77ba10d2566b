// y = convolution of x with a kernel of size x size, as a matrix product over taps and channels (implicit GEMM).
// x [input rows, width, 4 * channel_quads] scalar, channels last, padded in height by whoever gathers it and in width by pad_left
// columns of zeros and as many at the right as it takes; w [outs, size, size, 4 * channel_quads] scalar; bias [outs] scalar;
// y [rows / out_width, out_width, outs] scalar. A row is an output position.
alias scalar = f32;

override TILE_ROWS: u32 = 64;
override TILE_OUTS: u32 = 64;
override TWO_LEVEL: u32 = 0;
override DIRECT: u32 = 0;

struct Parameters {
  rows: u32,
  outs: u32,
  first_row: u32,
  first_out: u32,
  channel_quads: u32,
  size: u32,
  width: u32,
  out_width: u32,
  stride: u32,
  pad_left: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<scalar>>;
@group(0) @binding(2) var<storage, read> bias: array<scalar>;
@group(0) @binding(3) var<storage, read_write> y: array<scalar>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

fn quads() -> u32 {
  return parameters.size * parameters.size * parameters.channel_quads;
}

fn load_x(row: u32, quad: u32) -> vec4<scalar> {
  let tap = quad / parameters.channel_quads;
  let line = row / parameters.out_width * parameters.stride + tap / parameters.size;
  // below zero it wraps around, and is beyond the width
  let column = row % parameters.out_width * parameters.stride + tap % parameters.size - parameters.pad_left;
  if (column >= parameters.width || quad >= quads()) {
    return vec4<scalar>();
  }
  return x[(line * parameters.width + column) * parameters.channel_quads + quad % parameters.channel_quads];
}

fn load_codes(out: u32, quad: u32) -> vec4f {
  if (quad >= quads()) {
    return vec4f();
  }
  return vec4f(w[out * quads() + quad]);
}

fn load_scale(out: u32, step: u32) -> f32 {
  return 1.0;
}

fn finish(row: u32, out: u32, results: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (out + i < parameters.outs) {
      y[row * parameters.outs + out + i] = scalar(results[i] + f32(bias[out + i]));
    }
  }
}

//#include "matmul"
