// pixels = round(clamp(x / 2 + 1/2, 0, 1) * 255), with alpha 255.
// x [count, 3] scalar, pixels [count] u32 (RGBA, R in the lowest byte).
// In the order and with the rounding of the reference pipeline (to nearest, ties to even), so that no byte differs.
alias scalar = f32;

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  var pixel = 255u << 24u;
  for (var colour = 0u; colour < 3u; colour++) {
    let value = clamp(f32(x[i * 3u + colour]) * 0.5 + 0.5, 0.0, 1.0);
    pixel |= u32(round(value * 255.0)) << (8u * colour);
  }
  pixels[i] = pixel;
}
