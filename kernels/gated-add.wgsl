// x += scale * gate * y over rows of `columns`: the residual addition of a branch.
// y [rows, columns] scalar, gate [columns] f32 (ignored when GATED is 0), x [rows, columns] f32.
// The residual stream stays in f32; a branch in f16 is widened here, so no copy of it is made.
alias scalar = f32;

override GATED: u32 = 1;

struct Parameters {
  rows: u32,
  columns: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> y: array<scalar>;
@group(0) @binding(1) var<storage, read> gate: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.rows * parameters.columns) {
    return;
  }
  var value = parameters.scale * f32(y[i]);
  if (GATED == 1u) {
    value *= gate[i % parameters.columns];
  }
  x[i] += value;
}
