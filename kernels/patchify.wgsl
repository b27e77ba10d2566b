// 2x2 patches of the autoencoder's mean into normalised tokens: (x - mean) / deviation per patch channel.
// x [rows, width, channels] scalar (a band of the map from first_row on; the first latent_channels channels count),
// statistics [2, 4 * latent_channels] f32 (means, reciprocal deviations), tokens [height/2 * width/2, 4 * latent_channels] f32.
// Patch channel = c * 4 + row * 2 + column.
alias scalar = f32;

struct Parameters {
  width: u32,
  first_row: u32,
  rows: u32,
  channels: u32,
  latent_channels: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read_write> tokens: array<f32>;
@group(0) @binding(3) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.rows * parameters.width * parameters.latent_channels) {
    return;
  }
  let position = i / parameters.latent_channels;
  let channel = i % parameters.latent_channels;
  let row = position / parameters.width;
  let column = position % parameters.width;
  let patch_channels = 4u * parameters.latent_channels;
  let k = channel * 4u + (row & 1u) * 2u + (column & 1u);
  let token = ((parameters.first_row + row) / 2u) * (parameters.width / 2u) + column / 2u;
  let value = f32(x[position * parameters.channels + channel]);
  tokens[token * patch_channels + k] = (value - statistics[k]) * statistics[patch_channels + k];
}
