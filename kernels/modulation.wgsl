// out = table, plus 1 in the scale chunks, so that LayerNorm multiplies by 1 + scale.
// table and out [count] f32, rows of chunks of `width`; chunk k is a scale when k % period == scale_index.
// Done once for all steps of a run, so that no block adds the 1 again.

struct Parameters {
  count: u32,
  width: u32,
  period: u32,
  scale_index: u32,
}

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.count) {
    return;
  }
  let chunk = i / parameters.width;
  out[i] = table[i] + select(0.0, 1.0, chunk % parameters.period == parameters.scale_index);
}
