// Reads of workgroup memory: 4 * 4 * 4 bytes per turn and lane, from consecutive addresses.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> turns: u32; // not a constant, or a compiler would unroll the loop

var<workgroup> tile: array<vec4f, 256>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = lane; i < 256u; i += 64u) {
    tile[i] = x[i];
  }
  workgroupBarrier();
  var sum = vec4f();
  for (var turn = 0u; turn < turns; turn++) {
    let at = lane ^ (turn & 63u);
    sum += tile[at] + tile[at + 64u] + tile[at + 128u] + tile[at + 192u];
  }
  y[id.x] = sum;
}
