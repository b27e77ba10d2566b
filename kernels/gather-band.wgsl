// Rows of a feature map into a convolution's input band, with GroupNorm, SiLU and nearest upsampling on the way.
// x [rows, width, channels] scalar: map rows source_first and on; affine [2, channels] f32 (read when NORMALIZE is 1);
// out [out rows, width << UPSAMPLE, channels] scalar: row r is map row (out_first + r) at the output's resolution.
// Fused because each is one multiply-add or select on values that a copy would move anyway.
alias scalar = f32;

override NORMALIZE: u32 = 0;
override ACTIVATE: u32 = 0;
override UPSAMPLE: u32 = 0;

struct Parameters {
  width: u32,
  channels: u32,
  source_first: u32,
  out_first: i32,
  row_begin: u32,
  row_count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read> affine: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<scalar>;
@group(0) @binding(3) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let row_size = (parameters.width << UPSAMPLE) * parameters.channels;
  if (i >= parameters.row_count * row_size) {
    return;
  }
  let row = parameters.row_begin + i / row_size;
  let column = (i % row_size) / parameters.channels;
  let channel = i % parameters.channels;
  let source_row = (u32(parameters.out_first + i32(row)) >> UPSAMPLE) - parameters.source_first;
  var value = f32(x[(source_row * parameters.width + (column >> UPSAMPLE)) * parameters.channels + channel]);
  if (NORMALIZE == 1u) {
    value = value * affine[channel] + affine[parameters.channels + channel];
  }
  if (ACTIVATE == 1u) {
    value = value / (1.0 + exp(-value));
  }
  out[row * row_size + i % row_size] = scalar(value);
}
