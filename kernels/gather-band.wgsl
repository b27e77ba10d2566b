// Rows of a feature map into a convolution's input band, with GroupNorm, SiLU and nearest upsampling on the way.
// x [rows, width, 4 * quads] scalar: map rows source_first and on; affine [2, 4 * quads] f32 (read when NORMALIZE is 1);
// out [out rows, width << UPSAMPLE, 4 * quads] scalar: row r is map row (out_first + r) at the output's resolution.
// Fused because each is one multiply-add or select on values that a copy would move anyway. A lane takes a quad of channels.
alias scalar = f32;

override NORMALIZE: u32 = 0;
override ACTIVATE: u32 = 0;
override UPSAMPLE: u32 = 0;

struct Parameters {
  width: u32,
  quads: u32,
  source_first: u32,
  out_first: i32,
  row_begin: u32,
  row_count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> affine: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<scalar>>;
@group(0) @binding(3) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let quads = parameters.quads;
  let width = parameters.width << UPSAMPLE;
  let position = i / quads;
  let line = position / width;
  if (line >= parameters.row_count) {
    return;
  }
  let quad = i - position * quads;
  let column = position - line * width;
  let row = parameters.row_begin + line;
  let source_row = (u32(parameters.out_first + i32(row)) >> UPSAMPLE) - parameters.source_first;
  var value = vec4f(x[(source_row * parameters.width + (column >> UPSAMPLE)) * quads + quad]);
  if (NORMALIZE == 1u) {
    value = value * affine[quad] + affine[quads + quad];
  }
  if (ACTIVATE == 1u) {
    value = value / (1.0 + exp(-value));
  }
  out[parameters.row_begin * width * quads + i] = vec4<scalar>(value);
}
