// Count, mean and sum of squared deviations of each group over a part of the positions.
// x [positions, channels] scalar, channels last; partials [parts, groups, 3] f32.
// One workgroup a part and group: each lane takes Welford's running statistics, merged by Chan's formula,
// which stays exact where plain sums over millions of values would not.
alias scalar = f32;

struct Parameters {
  positions: u32,
  channels: u32,
  groups: u32,
  first_part: u32,
  positions_per_part: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

var<workgroup> merged: array<vec3f, 64>;

//#include "welford"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = parameters.channels / parameters.groups;
  let start = group.x * parameters.positions_per_part;
  let end = min(start + parameters.positions_per_part, parameters.positions);
  let total = (end - start) * width;
  var statistics = vec3f(0.0);
  for (var i = lane; i < total; i += 64u) {
    let value = f32(x[(start + i / width) * parameters.channels + group.y * width + i % width]);
    let count = statistics.x + 1.0;
    let delta = value - statistics.y;
    let mean = statistics.y + delta / count;
    statistics = vec3f(count, mean, statistics.z + delta * (value - mean));
  }
  merged[lane] = statistics;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      merged[lane] = merge(merged[lane], merged[lane + half]);
    }
  }
  if (lane == 0u) {
    let at = ((parameters.first_part + group.x) * parameters.groups + group.y) * 3u;
    partials[at] = merged[0].x;
    partials[at + 1u] = merged[0].y;
    partials[at + 2u] = merged[0].z;
  }
}
