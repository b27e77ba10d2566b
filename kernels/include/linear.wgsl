// What the linear kernels share, whatever the format of their weights: rows in, a change of low rank, and what becomes of a
// result. x [rows, 4 * x_quads] and low_x [rows, 4 * low_quads] scalar are read as one row, one behind the other, as are the
// weights and low_weights [outs, 4 * low_quads]; y [rows, y_columns] outer, of which outs columns from y_start on
// are written; all of these are multiples of four.

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

fn quads() -> u32 {
  return parameters.x_quads + parameters.low_quads;
}

fn load_x(row: u32, quad: u32) -> vec4<scalar> {
  if (quad < parameters.x_quads) {
    return x[row * parameters.x_quads + quad];
  }
  let low = quad - parameters.x_quads;
  if (low < parameters.low_quads) {
    return low_x[row * parameters.low_quads + low];
  }
  return vec4<scalar>();
}

fn load_codes(out: u32, quad: u32) -> vec4f {
  if (quad < parameters.x_quads) {
    return stored_codes(out * parameters.x_quads + quad);
  }
  let low = quad - parameters.x_quads;
  if (low < parameters.low_quads) {
    return vec4f(low_weights[out * parameters.low_quads + low]);
  }
  return vec4f();
}

/// Quantized rows are whole steps, so that none of them has columns of both kinds.
fn load_scale(out: u32, step: u32) -> f32 {
  let steps = parameters.x_quads / STEP_QUADS;
  return select(1.0, stored_scale(out * steps + step), step < steps);
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
  y[at] = vec4<outer>(value);
}
