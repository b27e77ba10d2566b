// counter += number of values that are NaN or infinite.
// x [count] scalar, counter [1] u32.
// Looks at the exponent's bits: WGSL lets a compiler assume that arithmetic never meets NaN or infinity.
alias scalar = f32;

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> counter: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  // f16 widens to f32 exactly, infinities and NaN included
  let bits = bitcast<u32>(f32(x[i]));
  if ((bits & 0x7f800000u) == 0x7f800000u) {
    atomicAdd(&counter[0], 1u);
  }
}
