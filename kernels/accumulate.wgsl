// accumulator = a * accumulator + b * x, element by element.
// Both [count] scalar; computed in f32.
// Euler steps, guidance and residual additions of equal types.
alias scalar = f32;

struct Parameters {
  count: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> accumulator: array<scalar>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  accumulator[i] = scalar(parameters.a * f32(accumulator[i]) + parameters.b * f32(x[i]));
}
