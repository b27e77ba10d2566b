// Flash attention: out = softmax(scale * q k^T) v, head by head, over up to three key segments without joining them.
// queries [group_heads, query_capacity, d]; keys_values_i [2, group_kv_heads, capacity_i, d] with length_i keys in use; scalar.
// mask [keys / 32] u32 (read when masked is 1); out [out rows, out_columns] scalar, head h at column out_column_start + h * d.
// A workgroup takes TILE_Q queries of a head against 32 keys at a time; a lane holds 4 x 4 scores and 4 rows of 4 channels of
// each 32 channels of the output in registers. Queries, keys and values pass through workgroup memory 32 channels at a time,
// so that its size does not depend on d; weights take the queries' place. Maximum, sum and output in f32, scores in base 2.
alias scalar = f32;

override HEAD_DIM: u32 = 128;
override TILE_Q: u32 = 64;

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
  heads_per_kv: u32,
  causal: u32,
  masked: u32,
  out_row_start: u32,
  out_columns: u32,
  out_column_start: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read> keys_values_0: array<vec4<scalar>>;
@group(0) @binding(2) var<storage, read> keys_values_1: array<vec4<scalar>>;
@group(0) @binding(3) var<storage, read> keys_values_2: array<vec4<scalar>>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<scalar>>;
@group(0) @binding(6) var<uniform> parameters: Parameters;

const LOG2_E = 1.4426950408889634;
const LOWEST = -1.0e38;
/// Lanes along the keys of a tile, then along the channels of a chunk; each has a vec4 of them.
const LANES_K = 8u;
const TILE_K = 4u * LANES_K;
const KEY_STRIDE = LANES_K + 1u; // one more than is used: rows then start in different banks

/// [LANES_K, TILE_Q + 1]: a chunk of the queries, then the weights of the tile's keys.
var<workgroup> row_tile: array<vec4<scalar>, LANES_K * (TILE_Q + 1u)>;
/// [TILE_K, KEY_STRIDE]: a chunk of the keys, then of the values.
var<workgroup> key_tile: array<vec4<scalar>, TILE_K * KEY_STRIDE>;
/// [LANES_K, TILE_Q / 4]: each lane's maxima, then sums, of its four rows.
var<workgroup> partials: array<vec4f, LANES_K * TILE_Q / 4u>;

//#include "blocks"

/// The lane's four rows of column `column` of the row tile.
fn rows_of(column: u32, q_lane: u32) -> mat4x4f {
  let at = column * (TILE_Q + 1u) + q_lane;
  return mat4x4f(
    vec4f(row_tile[at]),
    vec4f(row_tile[at + TILE_Q / 4u]),
    vec4f(row_tile[at + TILE_Q / 2u]),
    vec4f(row_tile[at + TILE_Q / 4u * 3u]),
  );
}

/// Column `column` of keys or values `4 * quad` and the three after it.
fn keys_of(quad: u32, column: u32) -> mat4x4f {
  let at = quad * 4u * KEY_STRIDE + column;
  return mat4x4f(
    vec4f(key_tile[at]),
    vec4f(key_tile[at + KEY_STRIDE]),
    vec4f(key_tile[at + 2u * KEY_STRIDE]),
    vec4f(key_tile[at + 3u * KEY_STRIDE]),
  );
}

/// Channels 32 * chunk and on of a tile's keys or values; rows beyond `count` repeat the last, channels beyond d are zero.
fn stage_keys(segment: u32, base: u32, count: u32, chunk: u32, lane: u32) {
  for (var i = lane; i < TILE_K * LANES_K; i += LANES_K * TILE_Q / 4u) {
    let column = chunk * LANES_K + i % LANES_K;
    let at = base + min(i / LANES_K, count - 1u) * (HEAD_DIM / 4u) + column;
    var value = vec4<scalar>();
    if (column < HEAD_DIM / 4u) {
      switch (segment) {
        case 0u: {
          value = keys_values_0[at];
        }
        case 1u: {
          value = keys_values_1[at];
        }
        default: {
          value = keys_values_2[at];
        }
      }
    }
    key_tile[i / LANES_K * KEY_STRIDE + i % LANES_K] = value;
  }
}

/// The same of the queries from row `base` on.
fn stage_queries(base: u32, count: u32, chunk: u32, lane: u32) {
  for (var i = lane; i < TILE_Q * LANES_K; i += LANES_K * TILE_Q / 4u) {
    let column = chunk * LANES_K + i % LANES_K;
    var value = vec4<scalar>();
    if (column < HEAD_DIM / 4u) {
      value = queries[base + min(i / LANES_K, count - 1u) * (HEAD_DIM / 4u) + column];
    }
    row_tile[i % LANES_K * (TILE_Q + 1u) + i / LANES_K] = value;
  }
}

/// sum + weights * values of the chunk that is staged.
fn add_values(q_lane: u32, k_lane: u32, sum: mat4x4f) -> mat4x4f {
  var result = sum;
  for (var quad = 0u; quad < LANES_K; quad++) {
    result = multiply_add(rows_of(quad, q_lane), keys_of(quad, k_lane), result);
  }
  return result;
}

/// Bit j is set where key first + j takes part, j < count <= 32.
fn visible_keys(first: u32, count: u32) -> u32 {
  let all = 0xffffffffu >> (32u - count);
  if (parameters.masked == 0u) {
    return all;
  }
  let shift = first % 32u;
  var bits = mask[first / 32u] >> shift;
  if (shift + count > 32u) {
    bits |= mask[first / 32u + 1u] << (32u - shift);
  }
  return bits & all;
}

/// Scores in base 2, LOWEST where the query does not see the key.
fn visible_scores(scores: vec4f, seen: vec4<bool>, keys: vec4u, query: u32) -> vec4f {
  let visible = seen & (vec4<bool>(parameters.causal == 0u) | (keys <= vec4u(query)));
  return select(vec4f(LOWEST), scores * (parameters.scale * LOG2_E), visible);
}

fn weights(scores: vec4f, maximum: f32) -> vec4f {
  return select(vec4f(0.0), exp2(scores - maximum), scores > vec4f(LOWEST));
}

fn store_rows(group: vec3u, row_count: u32, q_lane: u32, column: u32, rows: mat4x4f) {
  if (column < HEAD_DIM / 4u) {
    store(group, row_count, q_lane, column, rows[0]);
    store(group, row_count, q_lane + TILE_Q / 4u, column, rows[1]);
    store(group, row_count, q_lane + TILE_Q / 2u, column, rows[2]);
    store(group, row_count, q_lane + TILE_Q / 4u * 3u, column, rows[3]);
  }
}

fn store(group: vec3u, row_count: u32, row: u32, column: u32, value: vec4f) {
  if (row < row_count) {
    let row_start = (parameters.out_row_start + group.x * TILE_Q + row) * parameters.out_columns;
    out[(row_start + parameters.out_column_start + group.y * HEAD_DIM) / 4u + column] = vec4<scalar>(value);
  }
}

@compute @workgroup_size(LANES_K * TILE_Q / 4u)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let q_lane = lane % (TILE_Q / 4u);
  let k_lane = lane / (TILE_Q / 4u);
  let first_row = group.x * TILE_Q;
  let row_count = min(TILE_Q, parameters.query_count - first_row);
  let first_query = parameters.query_start + first_row;
  let query_base = (group.y * parameters.query_capacity + first_query) * (HEAD_DIM / 4u);
  let kv_head = group.y / parameters.heads_per_kv;
  let lengths = vec3u(parameters.length_0, parameters.length_1, parameters.length_2);
  let capacities = vec3u(parameters.capacity_0, parameters.capacity_1, parameters.capacity_2);
  var sums: array<mat4x4f, 4>;
  var maximum = vec4f(LOWEST);
  var sum = vec4f(0.0); // of this lane's keys
  var segment_start = 0u;
  for (var segment = 0u; segment < 3u; segment++) {
    var end = lengths[segment];
    if (parameters.causal == 1u) {
      end = min(end, max(first_query + row_count, segment_start) - segment_start);
    }
    for (var first = 0u; first < end; first += TILE_K) {
      let count = min(TILE_K, end - first);
      let visible = visible_keys(segment_start + first, count);
      if (visible == 0u) {
        continue;
      }
      let key_base = (kv_head * capacities[segment] + first) * (HEAD_DIM / 4u);
      let value_base = ((parameters.group_kv_heads + kv_head) * capacities[segment] + first) * (HEAD_DIM / 4u);
      var scores = mat4x4f();
      for (var chunk = 0u; chunk * TILE_K < HEAD_DIM; chunk++) {
        workgroupBarrier();
        stage_queries(query_base, row_count, chunk, lane);
        stage_keys(segment, key_base, count, chunk, lane);
        workgroupBarrier();
        for (var column = 0u; column < LANES_K; column++) {
          scores = multiply_add(rows_of(column, q_lane), transpose(keys_of(k_lane, column)), scores);
        }
      }
      let keys = 4u * k_lane + vec4u(0u, 1u, 2u, 3u);
      let seen = ((vec4u(visible) >> keys) & vec4u(1u)) == vec4u(1u);
      let query = first_query + q_lane;
      scores = mat4x4f(
        visible_scores(scores[0], seen, segment_start + first + keys, query),
        visible_scores(scores[1], seen, segment_start + first + keys, query + TILE_Q / 4u),
        visible_scores(scores[2], seen, segment_start + first + keys, query + TILE_Q / 2u),
        visible_scores(scores[3], seen, segment_start + first + keys, query + TILE_Q / 4u * 3u),
      );
      partials[lane] = vec4f(largest(scores[0]), largest(scores[1]), largest(scores[2]), largest(scores[3]));
      workgroupBarrier();
      var larger = maximum;
      for (var other = 0u; other < LANES_K; other++) {
        larger = max(larger, partials[other * (TILE_Q / 4u) + q_lane]);
      }
      let keep = exp2(maximum - larger);
      maximum = larger;
      scores = mat4x4f(
        weights(scores[0], larger.x),
        weights(scores[1], larger.y),
        weights(scores[2], larger.z),
        weights(scores[3], larger.w),
      );
      sum = sum * keep + vec4f(1.0) * scores;
      let at = k_lane * (TILE_Q + 1u) + q_lane;
      row_tile[at] = vec4<scalar>(scores[0]);
      row_tile[at + TILE_Q / 4u] = vec4<scalar>(scores[1]);
      row_tile[at + TILE_Q / 2u] = vec4<scalar>(scores[2]);
      row_tile[at + TILE_Q / 4u * 3u] = vec4<scalar>(scores[3]);
      for (var chunk = 0u; chunk * TILE_K < HEAD_DIM; chunk++) {
        workgroupBarrier();
        stage_keys(segment, value_base, count, chunk, lane);
        workgroupBarrier();
        sums[chunk] = add_values(q_lane, k_lane, scale_rows(sums[chunk], keep));
      }
    }
    segment_start += lengths[segment];
  }
  workgroupBarrier();
  partials[lane] = sum;
  workgroupBarrier();
  sum = vec4f(0.0);
  for (var other = 0u; other < LANES_K; other++) {
    sum += partials[other * (TILE_Q / 4u) + q_lane];
  }
  let inverse = select(vec4f(0.0), 1.0 / sum, sum > vec4f(0.0));
  for (var chunk = 0u; chunk * TILE_K < HEAD_DIM; chunk++) {
    store_rows(group, row_count, q_lane, k_lane + chunk * LANES_K, scale_rows(sums[chunk], inverse));
  }
}
