// QK RMS norm and rotary embedding: q, k = rotate(x / rms(x) * weight) head by head; v is copied.
// queries [rows, heads * d], keys and values [rows, kv_heads * d] scalar; norm_weights [2, d] f32; rotary [positions, d / 2, 2] f32.
// queries_out [group_heads, query_capacity, d], keys_values_out [2, group_kv_heads, key_capacity, d] scalar, head-major.
// A workgroup takes ITEMS rows of one head (queries, then keys, then values), LANES lanes each. One kernel does all of it, so
// that nothing is copied to where attention reads.
alias scalar = f32;

override HEAD_DIM: u32 = 128;
override INTERLEAVED: u32 = 1;
override LANES: u32 = 64; // a power of two
override ITEMS: u32 = 1;

struct Parameters {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  first_head: u32,
  group_heads: u32,
  first_kv_head: u32,
  group_kv_heads: u32,
  rotary_start: u32,
  query_start: u32,
  query_capacity: u32,
  key_start: u32,
  key_capacity: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<scalar>;
@group(0) @binding(1) var<storage, read> keys: array<scalar>;
@group(0) @binding(2) var<storage, read> values: array<scalar>;
@group(0) @binding(3) var<storage, read> norm_weights: array<f32>;
@group(0) @binding(4) var<storage, read> rotary: array<f32>;
@group(0) @binding(5) var<storage, read_write> queries_out: array<scalar>;
@group(0) @binding(6) var<storage, read_write> keys_values_out: array<scalar>;
@group(0) @binding(7) var<uniform> parameters: Parameters;

//#include "lane-sum"

/// Channels of a head that are rotated together.
fn channels_of(pair: u32) -> vec2u {
  return select(vec2u(pair, pair + HEAD_DIM / 2u), vec2u(2u * pair, 2u * pair + 1u), INTERLEAVED == 1u);
}

/// Two channels of a query (kind 0), a key (1) or a value (2).
fn load(kind: u32, at: vec2u) -> vec2f {
  switch (kind) {
    case 0u: {
      return vec2f(f32(queries[at.x]), f32(queries[at.y]));
    }
    case 1u: {
      return vec2f(f32(keys[at.x]), f32(keys[at.y]));
    }
    default: {
      return vec2f(f32(values[at.x]), f32(values[at.y]));
    }
  }
}

@compute @workgroup_size(ITEMS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own_row = group.x * ITEMS + lane / LANES;
  let row = min(own_row, parameters.rows - 1u); // lanes without a row take part in the sums
  let slot = group.y;
  let pairs = HEAD_DIM / 2u;
  var kind = 0u;
  var source = (row * parameters.heads + parameters.first_head + slot) * HEAD_DIM;
  var destination = (slot * parameters.query_capacity + parameters.query_start + row) * HEAD_DIM;
  if (slot >= parameters.group_heads) {
    let kv_slot = slot - parameters.group_heads;
    kind = select(2u, 1u, kv_slot < parameters.group_kv_heads);
    let head = parameters.first_kv_head + kv_slot % parameters.group_kv_heads;
    source = (row * parameters.kv_heads + head) * HEAD_DIM;
    destination = (kv_slot * parameters.key_capacity + parameters.key_start + row) * HEAD_DIM;
  }
  var squares = 0.0;
  for (var pair = lane % LANES; pair < pairs; pair += LANES) {
    let value = load(kind, source + channels_of(pair));
    squares += dot(value, value);
  }
  let scale = inverseSqrt(lane_sum(squares, lane) / f32(HEAD_DIM) + parameters.eps);
  if (own_row >= parameters.rows) {
    return;
  }
  for (var pair = lane % LANES; pair < pairs; pair += LANES) {
    let channels = channels_of(pair);
    var value = load(kind, source + channels);
    if (kind < 2u) {
      let weights = channels + kind * HEAD_DIM;
      let normed = value * scale * vec2f(norm_weights[weights.x], norm_weights[weights.y]);
      let at = ((parameters.rotary_start + row) * pairs + pair) * 2u;
      let rotation = vec2f(rotary[at], rotary[at + 1u]);
      value = vec2f(normed.x * rotation.x - normed.y * rotation.y, normed.x * rotation.y + normed.y * rotation.x);
    }
    let out = vec2<scalar>(value);
    if (kind == 0u) {
      queries_out[destination + channels.x] = out.x;
      queries_out[destination + channels.y] = out.y;
    } else {
      keys_values_out[destination + channels.x] = out.x;
      keys_values_out[destination + channels.y] = out.y;
    }
  }
}
