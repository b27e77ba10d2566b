// Shared by the linear kernels, whatever the format of their weights: rows in, the change of low rank, and the epilogue.
// x [rows, 4 * x_quads] and low_x [rows, 4 * low_quads] scalar are two segments of one product, as are the weights and
// low_weights [outs, 4 * low_quads]. Of y [rows, y_columns] residual, outs columns from y_start on are written. All of these
// sizes are multiples of four.

override LOW_RANK: u32 = 0;
override BIASED: u32 = 0;
override EPILOGUE: u32 = 0;

struct Parameters {
  rows: u32,
  outs: u32,
  first_row: u32,
  first_out: u32,
  x_quads: u32,
  low_quads: u32,
  y_columns: u32,
  y_start: u32,
  factor: f32,
}

const PADDED = 0u;

fn segments() -> u32 {
  return 1u + LOW_RANK;
}

fn segment_quads(segment: u32) -> u32 {
  return select(parameters.low_quads, parameters.x_quads, LOW_RANK == 0u || segment == 0u);
}

fn row_position(row: u32) -> vec2u {
  return vec2u(row, 0u);
}

fn x_base(position: vec2u, segment: u32) -> u32 {
  return position.x * segment_quads(segment);
}

fn load_x(segment: u32, at: u32) -> vec4<scalar> {
  if (LOW_RANK == 0u || segment == 0u) {
    return x[at];
  }
  return low_x[at];
}

fn weight_base(out: u32, segment: u32) -> u32 {
  return out * segment_quads(segment);
}

fn load_codes(segment: u32, at: u32) -> vec4f {
  if (LOW_RANK == 0u || segment == 0u) {
    return stored_codes(at);
  }
  return vec4f(low_weights[at]);
}

fn load_scale(segment: u32, at: u32) -> f32 {
  if (LOW_RANK == 0u || segment == 0u) {
    return stored_scale(at / 8u);
  }
  return 1.0;
}

fn finish(row: u32, out: u32, result: vec4f) {
  if (out >= parameters.outs) {
    return;
  }
  let column = (parameters.y_start + out) / 4u;
  let at = row * parameters.y_columns / 4u + column;
  var value = result;
  if (BIASED == 1u) {
    value += vec4f(bias[out / 4u]);
  }
  if (EPILOGUE == 1u) {
    let gate = vec4f(y[at]);
    value *= gate / (1.0 + exp(-gate)) * parameters.factor;
  }
  if (EPILOGUE == 2u) {
    value = vec4f(y[at]) + parameters.factor * value;
  }
  if (EPILOGUE == 3u) {
    value = vec4f(y[at]) + parameters.factor * gate[column] * value;
  }
  y[at] = vec4<residual>(value);
}
