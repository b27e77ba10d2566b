// One-head attention of any width: out = softmax(scale * q k^T) v over one chunk of keys a dispatch.
// queries [queries, d], keys and values [key_count, d], out [queries, d] scalar; state [queries, d + 2] f32.
// The state (running maximum, sum, output) carries from chunk to chunk, so no score matrix exists and no chunk
// of keys needs more than one binding.
alias scalar = f32;

override WIDTH: u32 = 512;
override TILE_Q: u32 = 8;
override TILE_K: u32 = 8;

struct Parameters {
  query_start: u32,
  query_count: u32,
  key_count: u32,
  first: u32,
  last: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<scalar>;
@group(0) @binding(1) var<storage, read> keys: array<scalar>;
@group(0) @binding(2) var<storage, read> values: array<scalar>;
@group(0) @binding(3) var<storage, read_write> state: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<scalar>;
@group(0) @binding(5) var<uniform> parameters: Parameters;

const LOG2_E = 1.4426950408889634;

@compute @workgroup_size(TILE_Q)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let local = group.x * TILE_Q + lane;
  if (local >= parameters.query_count) {
    return;
  }
  let query = parameters.query_start + local;
  let base = query * (WIDTH + 2u);
  var maximum = -3.0e38;
  var sum = 0.0;
  if (parameters.first == 0u) {
    maximum = state[base];
    sum = state[base + 1u];
  } else {
    for (var c = 0u; c < WIDTH; c++) {
      state[base + 2u + c] = 0.0;
    }
  }
  for (var j = 0u; j < parameters.key_count; j++) {
    var score = 0.0;
    for (var c = 0u; c < WIDTH; c++) {
      score += f32(queries[query * WIDTH + c]) * f32(keys[j * WIDTH + c]);
    }
    score *= parameters.scale * LOG2_E;
    let larger = max(maximum, score);
    let keep = exp2(maximum - larger);
    let weight = exp2(score - larger);
    maximum = larger;
    sum = sum * keep + weight;
    for (var c = 0u; c < WIDTH; c++) {
      state[base + 2u + c] = state[base + 2u + c] * keep + weight * f32(values[j * WIDTH + c]);
    }
  }
  state[base] = maximum;
  state[base + 1u] = sum;
  if (parameters.last == 1u) {
    for (var c = 0u; c < WIDTH; c++) {
      out[query * WIDTH + c] = scalar(state[base + 2u + c] / sum);
    }
  }
}
