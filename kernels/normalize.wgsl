// y = rows of x, normalised and in the scalar type. KIND 1: (x - mean) / sqrt(variance + eps) * scale + shift, a modulated
// LayerNorm; 2: x / sqrt(mean of squares + eps) * scale, an RMS norm; 0: x as it is, a change of type.
// x [rows, 4 * quads] residual, scale and shift [4 * quads] f32 (1 is in the scale already), y [rows, 4 * quads] scalar.
// A workgroup takes ITEMS rows, LANES lanes each; the variance is taken around the mean in a second pass, since residual streams
// have large means.
alias scalar = f32;
alias residual = f32;

override KIND: u32 = 1;
override LANES: u32 = 64; // a power of two
override ITEMS: u32 = 1;

struct Parameters {
  rows: u32,
  quads: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<residual>>;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>;
@group(0) @binding(2) var<storage, read> shift: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<scalar>>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

//#include "lane-sum"

@compute @workgroup_size(ITEMS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * ITEMS + lane / LANES;
  let start = min(row, parameters.rows - 1u) * parameters.quads; // lanes without a row take part in the sums
  let first = lane % LANES;
  let count = f32(4u * parameters.quads);
  var mean = 0.0;
  var inverse = 1.0;
  if (KIND == 1u) {
    var sum = vec4f();
    for (var q = first; q < parameters.quads; q += LANES) {
      sum += vec4f(x[start + q]);
    }
    mean = lane_sum(dot(sum, vec4f(1.0)), lane) / count;
  }
  if (KIND != 0u) {
    var squares = vec4f();
    for (var q = first; q < parameters.quads; q += LANES) {
      let deviation = vec4f(x[start + q]) - mean;
      squares += deviation * deviation;
    }
    inverse = inverseSqrt(lane_sum(dot(squares, vec4f(1.0)), lane) / count + parameters.eps);
  }
  if (row >= parameters.rows) {
    return;
  }
  for (var q = first; q < parameters.quads; q += LANES) {
    var value = (vec4f(x[start + q]) - mean) * inverse;
    if (KIND != 0u) {
      value *= scale[q];
    }
    if (KIND == 1u) {
      value += shift[q];
    }
    y[start + q] = vec4<scalar>(value);
  }
}
