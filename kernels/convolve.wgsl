// y = convolution of x with a kernel of size x size, as a matrix product over taps and channels (implicit GEMM).
// x [input rows, width, 4 * channel_quads] scalar, channels last. x holds the padding in height; columns outside x are zeros,
// pad_left of them at the left. w [outs, size, size, 4 * channel_quads] scalar; bias [outs] scalar;
// y [rows / out_width, out_width, outs] scalar. A row is an output position. With ACCUMULATE the results are added to y.
// With UPSAMPLE, y is twice as high and wide, and a row is a position of x that becomes 2 x 2 positions of y:
// w [4, outs, 2, 2, 4 * channel_quads] has a kernel for each of them, and a dispatch computes one, phase = 2 * row + column.
alias scalar = f32;

override UPSAMPLE: u32 = 0;
override ACCUMULATE: u32 = 0;

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
  phase: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<scalar>>;
@group(0) @binding(2) var<storage, read> bias: array<scalar>;
@group(0) @binding(3) var<storage, read_write> y: array<scalar>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

const PADDED = 1u;

/// One for each tap of the kernel.
fn segments() -> u32 {
  return parameters.size * parameters.size;
}

fn segment_quads(segment: u32) -> u32 {
  return parameters.channel_quads;
}

/// Line and column of the phase in the 2 x 2 positions.
fn phase_position() -> vec2u {
  return vec2u(parameters.phase / 2u, parameters.phase % 2u);
}

/// Line and column of the first tap.
fn row_position(row: u32) -> vec2u {
  let position = vec2u(row / parameters.out_width, row % parameters.out_width);
  if (UPSAMPLE == 1u) {
    return position + phase_position();
  }
  return position * parameters.stride;
}

fn x_base(position: vec2u, segment: u32) -> u32 {
  let line = position.x + segment / parameters.size;
  // a negative column wraps around to one beyond the width
  let column = position.y + segment % parameters.size - parameters.pad_left;
  return select(NOWHERE, (line * parameters.width + column) * parameters.channel_quads, column < parameters.width);
}

fn load_x(segment: u32, at: u32) -> vec4<scalar> {
  return x[at];
}

fn weight_base(out: u32, segment: u32) -> u32 {
  return ((parameters.phase * parameters.outs + out) * segments() + segment) * parameters.channel_quads;
}

fn load_codes(segment: u32, at: u32) -> vec4f {
  return vec4f(w[at]);
}

fn load_scale(segment: u32, at: u32) -> f32 {
  return 1.0;
}

fn finish(row: u32, out: u32, results: vec4f) {
  var at_row = row;
  if (UPSAMPLE == 1u) {
    let position = 2u * vec2u(row / parameters.out_width, row % parameters.out_width) + phase_position();
    at_row = position.x * 2u * parameters.out_width + position.y;
  }
  for (var i = 0u; i < 4u; i++) {
    if (out + i < parameters.outs) {
      let at = at_row * parameters.outs + out + i;
      var value = results[i] + f32(bias[out + i]);
      if (ACCUMULATE == 1u) {
        value += f32(y[at]);
      }
      y[at] = scalar(value);
    }
  }
}

//#include "blocks"

//#include "matmul"
