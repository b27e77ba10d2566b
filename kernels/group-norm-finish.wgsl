// Merges partial statistics of each group into one scale and shift a channel.
// partials [parts, groups, 3] f32 (count, mean, squared deviations), weight and bias [channels] f32, affine [2, channels] f32.
// affine = (weight / sqrt(variance + eps), bias - mean * weight / sqrt(variance + eps)), with the biased variance.
// One workgroup a group.

struct Parameters {
  parts: u32,
  channels: u32,
  groups: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> affine: array<f32>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

var<workgroup> merged: array<vec3f, 64>;

//#include "welford"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var statistics = vec3f(0.0);
  for (var part = lane; part < parameters.parts; part += 64u) {
    let at = (part * parameters.groups + group.x) * 3u;
    statistics = merge(statistics, vec3f(partials[at], partials[at + 1u], partials[at + 2u]));
  }
  merged[lane] = statistics;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      merged[lane] = merge(merged[lane], merged[lane + half]);
    }
  }
  workgroupBarrier();
  let mean = merged[0].y;
  let deviation = inverseSqrt(merged[0].z / merged[0].x + parameters.eps);
  let width = parameters.channels / parameters.groups;
  for (var i = lane; i < width; i += 64u) {
    let channel = group.x * width + i;
    let scale = weight[channel] * deviation;
    affine[channel] = scale;
    affine[parameters.channels + channel] = bias[channel] - mean * scale;
  }
}
