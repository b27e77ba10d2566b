// Count, mean and sum of squared deviations of each group over each slice of the positions.
// x [positions, channels] scalar, channels last; partials [slices, groups, 3] f32.
// A workgroup takes ITEMS slices of one group, LANES lanes each. A lane takes Welford's running statistics, which are merged by
// Chan's formula: it stays exact where plain sums over millions of values would not.
alias scalar = f32;

override LANES: u32 = 64; // a power of two
override ITEMS: u32 = 1;

struct Parameters {
  positions: u32,
  channels: u32,
  groups: u32,
  slices: u32,
  first_slice: u32,
  positions_per_slice: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

//#include "welford"

@compute @workgroup_size(ITEMS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = parameters.channels / parameters.groups;
  let slice = group.x * ITEMS + lane / LANES;
  let start = slice * parameters.positions_per_slice;
  let end = min(start + parameters.positions_per_slice, parameters.positions);
  var statistics = vec3f(0.0);
  for (var position = start + lane % LANES; position < end; position += LANES) {
    let at = position * parameters.channels + group.y * width;
    for (var i = 0u; i < width; i++) {
      let value = f32(x[at + i]);
      let count = statistics.x + 1.0;
      let delta = value - statistics.y;
      let mean = statistics.y + delta / count;
      statistics = vec3f(count, mean, statistics.z + delta * (value - mean));
    }
  }
  statistics = merged_lanes(statistics, lane);
  if (lane % LANES == 0u && slice < parameters.slices) {
    let at = ((parameters.first_slice + slice) * parameters.groups + group.y) * 3u;
    partials[at] = statistics.x;
    partials[at + 1u] = statistics.y;
    partials[at + 2u] = statistics.z;
  }
}
