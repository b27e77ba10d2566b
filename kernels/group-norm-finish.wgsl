// Merges partial statistics of each group into one scale and one shift for each channel.
// partials [slices, groups, 3] f32 (count, mean, squared deviations), weight and bias [channels] f32, affine [2, channels] f32.
// affine = (weight / sqrt(variance + eps), bias - mean * weight / sqrt(variance + eps)), with the biased variance.
// A workgroup takes ITEMS groups, LANES lanes each.

override LANES: u32 = 64; // a power of two
override ITEMS: u32 = 1;

struct Parameters {
  slices: u32,
  channels: u32,
  groups: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> affine: array<f32>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

//#include "welford"

@compute @workgroup_size(ITEMS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own_group = group.x * ITEMS + lane / LANES;
  let index = min(own_group, parameters.groups - 1u); // lanes without a group take part in the merging
  var statistics = vec3f(0.0);
  for (var slice = lane % LANES; slice < parameters.slices; slice += LANES) {
    let at = (slice * parameters.groups + index) * 3u;
    statistics = merge(statistics, vec3f(partials[at], partials[at + 1u], partials[at + 2u]));
  }
  statistics = merged_lanes(statistics, lane);
  if (own_group >= parameters.groups) {
    return;
  }
  let deviation = inverseSqrt(statistics.z / statistics.x + parameters.eps);
  let width = parameters.channels / parameters.groups;
  for (var i = lane % LANES; i < width; i += LANES) {
    let channel = index * width + i;
    let scale = weight[channel] * deviation;
    affine[channel] = scale;
    affine[parameters.channels + channel] = bias[channel] - statistics.y * scale;
  }
}
