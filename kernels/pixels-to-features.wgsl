// out = byte / 127.5 - 1 for the three colours of each pixel.
// pixels [count] u32 (RGBA, R in the lowest byte), out [count, 4] scalar, the last of them 0, since maps have whole quads.
// Alpha is dropped: readers have flattened it.
alias scalar = f32;

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<scalar>>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  let bytes = (vec3u(pixels[i]) >> vec3u(0u, 8u, 16u)) & vec3u(255u);
  out[i] = vec4<scalar>(vec4f(vec3f(bytes) / 127.5 - 1.0, 0.0));
}
