// QK RMS norm and rotary embedding: q, k = rotate(x / rms(x) * weight) head by head; v is copied.
// queries [rows, heads * d], keys and values [rows, kv_heads * d] scalar; norm_weights [2, d] f32; rotary [positions, d / 2, 2] f32.
// queries_out [group_heads, query_capacity, d], keys_values_out [2, group_kv_heads, key_capacity, d] scalar, head-major.
// One workgroup a row and head (queries, then keys, then values); one pass, so that nothing is copied to where attention reads.
alias scalar = f32;

override HEAD_DIM: u32 = 128;
override INTERLEAVED: u32 = 1;
override LANES: u32 = 64; // the power of two from the pairs of a head on

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

var<workgroup> squares: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let slot = group.y;
  let pairs = HEAD_DIM / 2u;
  let first = select(lane, 2u * lane, INTERLEAVED == 1u);
  let second = select(lane + pairs, 2u * lane + 1u, INTERLEAVED == 1u);
  let is_query = slot < parameters.group_heads;
  let is_key = !is_query && slot < parameters.group_heads + parameters.group_kv_heads;
  let is_active = lane < pairs;
  var a = 0.0;
  var b = 0.0;
  var target_row = 0u;
  if (is_query) {
    let source = (row * parameters.heads + parameters.first_head + slot) * HEAD_DIM;
    if (is_active) {
      a = f32(queries[source + first]);
      b = f32(queries[source + second]);
    }
    target_row = slot * parameters.query_capacity + parameters.query_start + row;
  } else {
    let head = (slot - parameters.group_heads) % parameters.group_kv_heads;
    let source = (row * parameters.kv_heads + parameters.first_kv_head + head) * HEAD_DIM;
    if (is_active && is_key) {
      a = f32(keys[source + first]);
      b = f32(keys[source + second]);
    } else if (is_active) {
      a = f32(values[source + first]);
      b = f32(values[source + second]);
    }
    target_row = (slot - parameters.group_heads) * parameters.key_capacity + parameters.key_start + row;
  }
  squares[lane] = a * a + b * b;
  for (var stride = LANES / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane < stride) {
      squares[lane] += squares[lane + stride];
    }
  }
  workgroupBarrier();
  if (!is_active) {
    return;
  }
  if (is_query || is_key) {
    let scale = inverseSqrt(squares[0] / f32(HEAD_DIM) + parameters.eps);
    let weights = select(HEAD_DIM, 0u, is_query);
    a *= scale * norm_weights[weights + first];
    b *= scale * norm_weights[weights + second];
    let at = ((parameters.rotary_start + row) * pairs + lane) * 2u;
    let rotated = a * rotary[at] - b * rotary[at + 1u];
    b = a * rotary[at + 1u] + b * rotary[at];
    a = rotated;
  }
  let place = target_row * HEAD_DIM;
  if (is_query) {
    queries_out[place + first] = scalar(a);
    queries_out[place + second] = scalar(b);
  } else {
    keys_values_out[place + first] = scalar(a);
    keys_values_out[place + second] = scalar(b);
  }
}
