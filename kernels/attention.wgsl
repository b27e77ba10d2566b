// Flash attention: out = softmax(scale * q k^T) v, head by head, over up to three key segments without joining them.
// queries [group_heads, query_capacity, d]; keys_values_i [2, group_kv_heads, capacity_i, d] with length_i keys in use; scalar.
// mask [keys / 32] u32 (read when MASKED is 1); out [out rows, out_columns] scalar, head h at column out_column_start + h * d.
// One lane a query; keys and values pass through workgroup memory in tiles. Running maximum, sum and output in f32;
// scores in base 2, log2(e) folded into the scale.
alias scalar = f32;

override HEAD_DIM: u32 = 128;
override HEADS_PER_KV: u32 = 1;
override CAUSAL: u32 = 0;
override MASKED: u32 = 0;
override TILE_Q: u32 = 16;
override TILE_K: u32 = 16;

struct Parameters {
  query_start: u32,
  query_count: u32,
  query_capacity: u32,
  length_0: u32,
  length_1: u32,
  length_2: u32,
  capacity_0: u32,
  capacity_1: u32,
  capacity_2: u32,
  group_kv_heads: u32,
  out_row_start: u32,
  out_columns: u32,
  out_column_start: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<scalar>;
@group(0) @binding(1) var<storage, read> keys_values_0: array<scalar>;
@group(0) @binding(2) var<storage, read> keys_values_1: array<scalar>;
@group(0) @binding(3) var<storage, read> keys_values_2: array<scalar>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<scalar>;
@group(0) @binding(6) var<uniform> parameters: Parameters;

const LOG2_E = 1.4426950408889634;

fn load(segment: u32, at: u32) -> f32 {
  if (segment == 0u) {
    return f32(keys_values_0[at]);
  }
  if (segment == 1u) {
    return f32(keys_values_1[at]);
  }
  return f32(keys_values_2[at]);
}

@compute @workgroup_size(TILE_Q)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let local = group.x * TILE_Q + lane;
  if (local >= parameters.query_count) {
    return;
  }
  let query = parameters.query_start + local;
  let kv_head = group.y / HEADS_PER_KV;
  var q: array<f32, 128>;
  var sum_v: array<f32, 128>;
  let source = (group.y * parameters.query_capacity + query) * HEAD_DIM;
  for (var c = 0u; c < HEAD_DIM; c++) {
    q[c] = f32(queries[source + c]) * parameters.scale * LOG2_E;
    sum_v[c] = 0.0;
  }
  var maximum = -3.0e38;
  var sum = 0.0;
  let lengths = array<u32, 3>(parameters.length_0, parameters.length_1, parameters.length_2);
  let capacities = array<u32, 3>(parameters.capacity_0, parameters.capacity_1, parameters.capacity_2);
  var key = 0u;
  for (var segment = 0u; segment < 3u; segment++) {
    let key_base = kv_head * capacities[segment] * HEAD_DIM;
    let value_base = (parameters.group_kv_heads + kv_head) * capacities[segment] * HEAD_DIM;
    for (var j = 0u; j < lengths[segment]; j++) {
      let index = key;
      key++;
      if (CAUSAL == 1u && index > query) {
        break;
      }
      if (MASKED == 1u && ((mask[index / 32u] >> (index % 32u)) & 1u) == 0u) {
        continue;
      }
      var score = 0.0;
      for (var c = 0u; c < HEAD_DIM; c++) {
        score += q[c] * load(segment, key_base + j * HEAD_DIM + c);
      }
      let larger = max(maximum, score);
      let keep = exp2(maximum - larger);
      let weight = exp2(score - larger);
      maximum = larger;
      sum = sum * keep + weight;
      for (var c = 0u; c < HEAD_DIM; c++) {
        sum_v[c] = sum_v[c] * keep + weight * load(segment, value_base + j * HEAD_DIM + c);
      }
    }
  }
  let place = (parameters.out_row_start + local) * parameters.out_columns + parameters.out_column_start + group.y * HEAD_DIM;
  let inverse = select(0.0, 1.0 / sum, sum > 0.0);
  for (var c = 0u; c < HEAD_DIM; c++) {
    out[place + c] = scalar(sum_v[c] * inverse);
  }
}
