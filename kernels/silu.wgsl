// y = x / (1 + exp(-x)), element by element.
// x and y [count] scalar; computed in f32.
// Used on the time embedding, where it stands between two linear layers.
alias scalar = f32;

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> y: array<scalar>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  let value = f32(x[i]);
  y[i] = scalar(value / (1.0 + exp(-value)));
}
