// One-head attention of any width d up to 512: out = softmax(scale * q k^T) v over one chunk of keys a dispatch.
// queries [queries, d], keys and values [key_count, d], out [queries, d] scalar; state [queries, d + 2] f32.
// The state (running maximum, sum, output) carries from chunk to chunk, read and written once a dispatch: no score matrix
// exists, and no chunk of keys needs more than one binding. 128 lanes take 512 / LANES_K queries against 4 * LANES_K keys; a
// lane holds 4 x 4 scores, and 4 rows of 4 in every 4 * LANES_K channels of the output, up to four times (LANES_K: 8 for
// widths up to 128, 32 up to 512). Workgroup memory is filled channel by channel, so that the width can be any number.
alias scalar = f32;

override LANES_K: u32 = 32;

struct Parameters {
  width: u32,
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
const LOWEST = -1.0e38;
const LANES = 128u;
const STAGED = 256u;

/// Queries [STAGED / (4 * LANES_K), 512 / LANES_K], then weights [LANES_K, 512 / LANES_K].
var<workgroup> row_tile: array<vec4<scalar>, 512u>;
/// Keys [STAGED / (4 * LANES_K), 4, LANES_K] (four keys a lane), then values [STAGED / LANES_K, LANES_K].
var<workgroup> key_tile: array<vec4<scalar>, STAGED>;
/// [LANES_K, 128 / LANES_K]: each lane's maxima, then sums, of its four rows.
var<workgroup> partials: array<vec4f, LANES>;

//#include "blocks"

/// The lane's four rows of column `column` of the row tile.
fn rows_of(column: u32, q_lane: u32) -> mat4x4f {
  let at = column * (512u / LANES_K) + q_lane;
  return mat4x4f(
    vec4f(row_tile[at]),
    vec4f(row_tile[at + 128u / LANES_K]),
    vec4f(row_tile[at + 256u / LANES_K]),
    vec4f(row_tile[at + 384u / LANES_K]),
  );
}

/// Four vec4 of the key tile, LANES_K apart.
fn keys_of(at: u32) -> mat4x4f {
  return mat4x4f(
    vec4f(key_tile[at]),
    vec4f(key_tile[at + LANES_K]),
    vec4f(key_tile[at + 2u * LANES_K]),
    vec4f(key_tile[at + 3u * LANES_K]),
  );
}

/// Columns `chunk` and on, four channels each, of the keys; rows beyond `count` repeat the last.
fn stage_keys(first: u32, count: u32, chunk: u32, lane: u32) {
  for (var i = lane; i < STAGED; i += LANES) {
    let column = i % (STAGED / 4u / LANES_K);
    let key = i / (STAGED / 4u / LANES_K);
    let at = (first + min(key, count - 1u)) * parameters.width + channels_of(chunk + column);
    key_tile[(column * 4u + key % 4u) * LANES_K + key / 4u] = vec4<scalar>(keys[at.x], keys[at.y], keys[at.z], keys[at.w]);
  }
}

/// LANES_K columns from `chunk` on of the values from `first` on; rows beyond `last` repeat it.
fn stage_values(first: u32, last: u32, chunk: u32, lane: u32) {
  for (var i = lane; i < STAGED; i += LANES) {
    let at = min(first + i / LANES_K, last) * parameters.width + channels_of(chunk + i % LANES_K);
    key_tile[i] = vec4<scalar>(values[at.x], values[at.y], values[at.z], values[at.w]);
  }
}

/// The columns of `stage_keys` of the queries; channels beyond the width are zero.
fn stage_queries(first: u32, count: u32, chunk: u32, lane: u32) {
  let column = lane % (STAGED / 4u / LANES_K);
  for (var row = lane / (STAGED / 4u / LANES_K); row < 512u / LANES_K; row += LANES * LANES_K / (STAGED / 4u)) {
    let at = (first + min(row, count - 1u)) * parameters.width + channels_of(chunk + column);
    let inside = 4u * (chunk + column) + vec4u(0u, 1u, 2u, 3u) < vec4u(parameters.width);
    let value = vec4<scalar>(queries[at.x], queries[at.y], queries[at.z], queries[at.w]);
    row_tile[column * (512u / LANES_K) + row] = select(vec4<scalar>(), value, inside);
  }
}

/// Four channels, inside the width.
fn channels_of(column: u32) -> vec4u {
  return min(4u * column + vec4u(0u, 1u, 2u, 3u), vec4u(parameters.width - 1u));
}

fn load_state(at: vec4u) -> vec4f {
  return vec4f(state[at.x], state[at.y], state[at.z], state[at.w]);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let q_lane = lane % (LANES / LANES_K);
  let k_lane = lane / (LANES / LANES_K);
  let first_row = group.x * (512u / LANES_K);
  let first_query = parameters.query_start + first_row;
  let row_count = min(512u / LANES_K, parameters.query_count - first_row);
  // the lane's rows; those beyond the last repeat it and are not stored
  let rows = min(q_lane + LANES / LANES_K * vec4u(0u, 1u, 2u, 3u), vec4u(row_count - 1u));
  let states = (first_query + rows) * (parameters.width + 2u);
  // the width is no override: a pipeline serves all of them, and the loop over `sums` need not be unrolled
  var sums: array<mat4x4f, 4>; // may live in memory: a chunk is read and written once for 4 * LANES_K keys
  var maximum = vec4f(LOWEST);
  var sum = vec4f(0.0); // of this lane's keys
  if (parameters.first == 0u) {
    maximum = load_state(states);
    if (k_lane == 0u) {
      sum = load_state(states + 1u);
    }
    for (var chunk = 0u; chunk * LANES_K * 4u < parameters.width; chunk++) {
      let channels = 2u + channels_of(chunk * LANES_K + k_lane);
      sums[chunk] = transpose(mat4x4f(
        load_state(states + channels.x),
        load_state(states + channels.y),
        load_state(states + channels.z),
        load_state(states + channels.w),
      ));
    }
  }
  for (var first = 0u; first < parameters.key_count; first += 4u * LANES_K) {
    let count = min(4u * LANES_K, parameters.key_count - first);
    var scores = mat4x4f();
    for (var chunk = 0u; chunk * 4u < parameters.width; chunk += STAGED / 4u / LANES_K) {
      workgroupBarrier();
      stage_queries(first_query, row_count, chunk, lane);
      stage_keys(first, count, chunk, lane);
      workgroupBarrier();
      for (var column = 0u; column < STAGED / 4u / LANES_K; column++) {
        scores = multiply_add(rows_of(column, q_lane), transpose(keys_of(column * 4u * LANES_K + k_lane)), scores);
      }
    }
    let seen = 4u * k_lane + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
    let to_base_2 = parameters.scale * LOG2_E;
    scores = mat4x4f(
      select(vec4f(LOWEST), scores[0] * to_base_2, seen),
      select(vec4f(LOWEST), scores[1] * to_base_2, seen),
      select(vec4f(LOWEST), scores[2] * to_base_2, seen),
      select(vec4f(LOWEST), scores[3] * to_base_2, seen),
    );
    partials[lane] = vec4f(largest(scores[0]), largest(scores[1]), largest(scores[2]), largest(scores[3]));
    workgroupBarrier();
    var larger = maximum;
    for (var other = q_lane; other < LANES; other += LANES / LANES_K) {
      larger = max(larger, partials[other]);
    }
    let keep = exp2(maximum - larger);
    maximum = larger;
    // every row sees a key of each tile: a masked score is far below the maximum, and its weight is 0
    let weights = mat4x4f(
      exp2(scores[0] - larger.x),
      exp2(scores[1] - larger.y),
      exp2(scores[2] - larger.z),
      exp2(scores[3] - larger.w),
    );
    sum = sum * keep + vec4f(1.0) * weights;
    let at = k_lane * (512u / LANES_K) + q_lane;
    row_tile[at] = vec4<scalar>(weights[0]);
    row_tile[at + 128u / LANES_K] = vec4<scalar>(weights[1]);
    row_tile[at + 256u / LANES_K] = vec4<scalar>(weights[2]);
    row_tile[at + 384u / LANES_K] = vec4<scalar>(weights[3]);
    for (var chunk = 0u; chunk * LANES_K * 4u < parameters.width; chunk++) {
      var result = scale_rows(sums[chunk], keep);
      for (var offset = 0u; offset < 4u * LANES_K; offset += STAGED / LANES_K) {
        workgroupBarrier();
        stage_values(first + offset, first + count - 1u, chunk * LANES_K, lane);
        workgroupBarrier();
        for (var quad = 0u; quad < STAGED / 4u / LANES_K; quad++) {
          result = multiply_add(rows_of(offset / 4u + quad, q_lane), keys_of(quad * 4u * LANES_K + k_lane), result);
        }
      }
      sums[chunk] = result;
    }
  }
  workgroupBarrier();
  partials[lane] = sum;
  workgroupBarrier();
  sum = vec4f(0.0);
  for (var other = q_lane; other < LANES; other += LANES / LANES_K) {
    sum += partials[other];
  }
  let factor = select(vec4f(1.0), 1.0 / sum, parameters.last == 1u);
  let stride = LANES / LANES_K;
  if (parameters.last == 0u && k_lane == 0u) {
    for (var row = q_lane; row < row_count; row += stride) {
      let at = (first_query + row) * (parameters.width + 2u);
      state[at] = maximum[row / stride];
      state[at + 1u] = sum[row / stride];
    }
  }
  for (var chunk = 0u; chunk * LANES_K * 4u < parameters.width; chunk++) {
    let result = scale_rows(sums[chunk], factor);
    let first_channel = 4u * (chunk * LANES_K + k_lane);
    for (var row = q_lane; row < row_count; row += stride) {
      let query = first_query + row;
      for (var channel = first_channel; channel < min(first_channel + 4u, parameters.width); channel++) {
        let value = result[row / stride][channel % 4u];
        if (parameters.last == 1u) {
          out[query * parameters.width + channel] = scalar(value);
        } else {
          state[query * (parameters.width + 2u) + 2u + channel] = value;
        }
      }
    }
  }
}
