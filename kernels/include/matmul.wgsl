// The tile loop of a matrix product, result(row, out) = Σ x(row, k) · weight(out, k), k in quads of four.
// A workgroup makes TILE_ROWS x TILE_OUTS results, a lane 8 x 8 of them: every (TILE_ROWS / 8)th row, and four outputs in a row
// in each half of the tile. x and weights pass through workgroup memory, a step of 32 columns at a time; with TWO_LEVEL the
// products of a step are summed in `scalar`, and the steps in f32. With DIRECT each lane reads x and weights for itself and sums
// in f32: for adapters on which workgroup memory is no faster than a cache.
// The columns come in segments, each contiguous in a row: the taps of a convolution, or a product and its low rank.
// A kernel that includes this includes "blocks" too, and declares `parameters.rows`, `outs`, `first_row`, `first_out`, and
//   segments(), segment_quads(segment)         the number of segments, and the quads of one
//   row_position(row), x_base(position, segment)
//                                              the position of a row, and the first quad of its segment, or NOWHERE for zeros
//   load_x(segment, at)                        the quad of x at `at`, which counts on from the base
//   weight_base(out, segment), load_codes(segment, at), load_scale(segment, at)
//                                              the same for weights; a weight is its code times the scale of its step
//   PADDED                                     1 if a base can be NOWHERE
//   finish(row, out, results)                  stores the results of four outputs

override TILE_ROWS: u32 = 64;
override TILE_OUTS: u32 = 64;
override TWO_LEVEL: u32 = 0;
override DIRECT: u32 = 0;

const NOWHERE = 0xffffffffu;
const STEP_QUADS = 8u;

/// [STEP_QUADS, TILE_ROWS]; a row's index is mixed with the quad (xor), so that lanes along either one meet no bank twice.
var<workgroup> x_tile: array<vec4<scalar>, STEP_QUADS * TILE_ROWS>;
/// [STEP_QUADS, TILE_OUTS], likewise.
var<workgroup> weight_tile: array<vec4<scalar>, STEP_QUADS * TILE_OUTS>;

/// A quad of four rows of the tile, TILE_ROWS / 8 apart.
fn x_quads(quad: u32, row: u32) -> mat4x4<scalar> {
  let at = quad * TILE_ROWS;
  let step = TILE_ROWS / 8u;
  return mat4x4<scalar>(
    x_tile[at + (row ^ quad)],
    x_tile[at + ((row + step) ^ quad)],
    x_tile[at + ((row + 2u * step) ^ quad)],
    x_tile[at + ((row + 3u * step) ^ quad)],
  );
}

/// A quad of four outputs of the tile, by its elements.
fn weight_quads(quad: u32, out: u32) -> mat4x4<scalar> {
  let at = quad * TILE_OUTS;
  return transpose(mat4x4<scalar>(
    weight_tile[at + (out ^ quad)],
    weight_tile[at + ((out + 1u) ^ quad)],
    weight_tile[at + ((out + 2u) ^ quad)],
    weight_tile[at + ((out + 3u) ^ quad)],
  ));
}

/// Four rows of four outputs: sum + rows * weights.
fn add_products(rows: mat4x4<scalar>, weights: mat4x4<scalar>, sum: mat4x4<scalar>) -> mat4x4<scalar> {
  return mat4x4<scalar>(
    add_row(rows[0], weights, sum[0]),
    add_row(rows[1], weights, sum[1]),
    add_row(rows[2], weights, sum[2]),
    add_row(rows[3], weights, sum[3]),
  );
}

fn add_row(row: vec4<scalar>, weights: mat4x4<scalar>, sum: vec4<scalar>) -> vec4<scalar> {
  return fma(
    vec4<scalar>(row.x),
    weights[0],
    fma(vec4<scalar>(row.y), weights[1], fma(vec4<scalar>(row.z), weights[2], fma(vec4<scalar>(row.w), weights[3], sum))),
  );
}

fn wide(sum: mat4x4<scalar>) -> mat4x4f {
  return mat4x4f(vec4f(sum[0]), vec4f(sum[1]), vec4f(sum[2]), vec4f(sum[3]));
}

fn tiled_sums(first_row: u32, first_out: u32, row_lane: u32, out_lane: u32, lane: u32) -> array<mat4x4f, 4> {
  let lanes = TILE_ROWS * TILE_OUTS / 64u;
  let lane_rows = STEP_QUADS * 64u / TILE_OUTS;
  var sums: array<mat4x4f, 4>;
  var positions: array<vec2u, 64>; // of the rows that this lane loads; the first lane_rows are used
  var bases: array<u32, 64>;
  for (var k = 0u; k < lane_rows; k++) {
    positions[k] = row_position(min(first_row + (lane + k * lanes) / STEP_QUADS, parameters.rows - 1u));
  }
  var a = mat4x4<scalar>();
  var b = mat4x4<scalar>();
  var c = mat4x4<scalar>();
  var d = mat4x4<scalar>();
  for (var segment = 0u; segment < segments(); segment++) {
    for (var k = 0u; k < lane_rows; k++) {
      bases[k] = x_base(positions[k], segment);
    }
    let segment_end = segment_quads(segment);
    for (var first = 0u; first < segment_end; first += STEP_QUADS) {
      workgroupBarrier();
      for (var k = 0u; k < lane_rows; k++) {
        let row = (lane + k * lanes) / STEP_QUADS;
        let quad = (lane + k * lanes) % STEP_QUADS; // a small tile has fewer lanes than a step has quads
        var value = vec4<scalar>();
        if (first + quad < segment_end && (PADDED == 0u || bases[k] != NOWHERE)) {
          value = load_x(segment, bases[k] + first + quad);
        }
        x_tile[quad * TILE_ROWS + (row ^ quad)] = value;
      }
      for (var i = lane; i < TILE_OUTS * STEP_QUADS; i += lanes) {
        let row = i / STEP_QUADS;
        let quad = i % STEP_QUADS;
        let at = weight_base(min(first_out + row, parameters.outs - 1u), segment) + first + quad;
        var value = vec4f();
        if (first + quad < segment_end) {
          value = load_codes(segment, at) * load_scale(segment, at);
        }
        weight_tile[quad * TILE_OUTS + (row ^ quad)] = vec4<scalar>(value);
      }
      workgroupBarrier();
      for (var quad = 0u; quad < STEP_QUADS; quad++) {
        let upper = x_quads(quad, row_lane);
        let lower = x_quads(quad, row_lane + TILE_ROWS / 2u);
        let left = weight_quads(quad, out_lane);
        let right = weight_quads(quad, out_lane + TILE_OUTS / 2u);
        a = add_products(upper, left, a);
        b = add_products(upper, right, b);
        c = add_products(lower, left, c);
        d = add_products(lower, right, d);
      }
      if (TWO_LEVEL == 1u) {
        sums[0] += wide(a);
        sums[1] += wide(b);
        sums[2] += wide(c);
        sums[3] += wide(d);
        a = mat4x4<scalar>();
        b = mat4x4<scalar>();
        c = mat4x4<scalar>();
        d = mat4x4<scalar>();
      }
    }
  }
  sums[0] += wide(a);
  sums[1] += wide(b);
  sums[2] += wide(c);
  sums[3] += wide(d);
  return sums;
}

/// Positions of four rows of the lane.
fn direct_positions(row: u32) -> array<vec2u, 4> {
  let step = TILE_ROWS / 8u;
  let last = parameters.rows - 1u;
  return array<vec2u, 4>(
    row_position(min(row, last)),
    row_position(min(row + step, last)),
    row_position(min(row + 2u * step, last)),
    row_position(min(row + 3u * step, last)),
  );
}

/// The first quads of a segment of four rows.
fn direct_bases(positions: array<vec2u, 4>, segment: u32) -> vec4u {
  return vec4u(
    x_base(positions[0], segment),
    x_base(positions[1], segment),
    x_base(positions[2], segment),
    x_base(positions[3], segment),
  );
}

fn direct_row(segment: u32, base: u32, quad: u32) -> vec4f {
  if (PADDED == 1u && base == NOWHERE) {
    return vec4f();
  }
  return vec4f(load_x(segment, base + quad));
}

fn direct_x(segment: u32, bases: vec4u, quad: u32) -> mat4x4f {
  return mat4x4f(
    direct_row(segment, bases.x, quad),
    direct_row(segment, bases.y, quad),
    direct_row(segment, bases.z, quad),
    direct_row(segment, bases.w, quad),
  );
}

fn direct_outs(out: u32, segment: u32) -> vec4u {
  let last = parameters.outs - 1u;
  return vec4u(
    weight_base(min(out, last), segment),
    weight_base(min(out + 1u, last), segment),
    weight_base(min(out + 2u, last), segment),
    weight_base(min(out + 3u, last), segment),
  );
}

fn direct_codes(segment: u32, bases: vec4u, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    load_codes(segment, bases.x + quad),
    load_codes(segment, bases.y + quad),
    load_codes(segment, bases.z + quad),
    load_codes(segment, bases.w + quad),
  ));
}

fn direct_scales(segment: u32, bases: vec4u, quad: u32) -> vec4f {
  return vec4f(
    load_scale(segment, bases.x + quad),
    load_scale(segment, bases.y + quad),
    load_scale(segment, bases.z + quad),
    load_scale(segment, bases.w + quad),
  );
}

fn add_scaled(step: mat4x4f, scales: vec4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(
    fma(step[0], scales, sum[0]),
    fma(step[1], scales, sum[1]),
    fma(step[2], scales, sum[2]),
    fma(step[3], scales, sum[3]),
  );
}

fn direct_sums(row: u32, out: u32) -> array<mat4x4f, 4> {
  var sums: array<mat4x4f, 4>;
  let upper_positions = direct_positions(row);
  let lower_positions = direct_positions(row + TILE_ROWS / 2u);
  for (var segment = 0u; segment < segments(); segment++) {
    let upper_bases = direct_bases(upper_positions, segment);
    let lower_bases = direct_bases(lower_positions, segment);
    let left_bases = direct_outs(out, segment);
    let right_bases = direct_outs(out + TILE_OUTS / 2u, segment);
    let end = segment_quads(segment);
    for (var first = 0u; first < end; first += STEP_QUADS) {
      var a = mat4x4f();
      var b = mat4x4f();
      var c = mat4x4f();
      var d = mat4x4f();
      for (var quad = first; quad < min(first + STEP_QUADS, end); quad++) {
        let upper = direct_x(segment, upper_bases, quad);
        let lower = direct_x(segment, lower_bases, quad);
        let left = direct_codes(segment, left_bases, quad);
        let right = direct_codes(segment, right_bases, quad);
        a = multiply_add(upper, left, a);
        b = multiply_add(upper, right, b);
        c = multiply_add(lower, left, c);
        d = multiply_add(lower, right, d);
      }
      let left = direct_scales(segment, left_bases, first);
      let right = direct_scales(segment, right_bases, first);
      sums[0] = add_scaled(a, left, sums[0]);
      sums[1] = add_scaled(b, right, sums[1]);
      sums[2] = add_scaled(c, left, sums[2]);
      sums[3] = add_scaled(d, right, sums[3]);
    }
  }
  return sums;
}

fn finish_rows(first_row: u32, out: u32, results: mat4x4f) {
  let step = TILE_ROWS / 8u;
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + i * step;
    if (row < parameters.rows) {
      finish(row, out, results[i]);
    }
  }
}

@compute @workgroup_size(TILE_ROWS * TILE_OUTS / 64u)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row_lane = lane % (TILE_ROWS / 8u);
  let out_lane = lane / (TILE_ROWS / 8u) * 4u;
  let first_row = parameters.first_row + group.x * TILE_ROWS;
  let first_out = parameters.first_out + group.y * TILE_OUTS;
  let row = first_row + row_lane;
  let out = first_out + out_lane;
  var sums: array<mat4x4f, 4>;
  if (DIRECT == 1u) {
    sums = direct_sums(row, out);
  } else {
    sums = tiled_sums(first_row, first_out, row_lane, out_lane, lane);
  }
  finish_rows(row, out, sums[0]);
  finish_rows(row, out + TILE_OUTS / 2u, sums[1]);
  finish_rows(row + TILE_ROWS / 2u, out, sums[2]);
  finish_rows(row + TILE_ROWS / 2u, out + TILE_OUTS / 2u, sums[3]);
}
