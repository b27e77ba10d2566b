// dot4I8Packed in registers: 2 * 4 * 8 operations per turn and lane.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> turns: u32; // not a constant, or a compiler would unroll the loop

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = x[id.x % 64u];
  var s = array<i32, 8>(1, 2, 3, 4, 5, 6, 7, 8);
  for (var turn = 0u; turn < turns; turn++) {
    s[0] += dot4I8Packed(a, u32(s[0]));
    s[1] += dot4I8Packed(a, u32(s[1]));
    s[2] += dot4I8Packed(a, u32(s[2]));
    s[3] += dot4I8Packed(a, u32(s[3]));
    s[4] += dot4I8Packed(a, u32(s[4]));
    s[5] += dot4I8Packed(a, u32(s[5]));
    s[6] += dot4I8Packed(a, u32(s[6]));
    s[7] += dot4I8Packed(a, u32(s[7]));
  }
  y[id.x] = s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}
