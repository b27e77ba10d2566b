// y = (x - mean) / sqrt(variance + eps) * scale + shift over rows of `columns`: a modulated normalisation by itself.
// x [rows, columns] f32, scale and shift [columns] f32 (1 is in the scale already), y [rows, columns] scalar.
// One workgroup a row; the variance is taken around the mean in a second pass, since residual streams have large means.
alias scalar = f32;

struct Parameters {
  rows: u32,
  columns: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<scalar>;
@group(0) @binding(4) var<uniform> parameters: Parameters;

var<workgroup> partial: array<f32, 64>;

/// The sum of `value` over the lanes, for all of them.
fn total(value: f32, lane: u32) -> f32 {
  workgroupBarrier(); // the sum before has been read
  partial[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  workgroupBarrier();
  return partial[0];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= parameters.rows) {
    return;
  }
  let start = row * parameters.columns;
  let count = f32(parameters.columns);
  var sum = 0.0;
  for (var c = lane; c < parameters.columns; c += 64u) {
    sum += x[start + c];
  }
  let mean = total(sum, lane) / count;
  sum = 0.0;
  for (var c = lane; c < parameters.columns; c += 64u) {
    let deviation = x[start + c] - mean;
    sum += deviation * deviation;
  }
  let inverse = inverseSqrt(total(sum, lane) / count + parameters.eps);
  for (var c = lane; c < parameters.columns; c += 64u) {
    y[start + c] = scalar((x[start + c] - mean) * inverse * scale[c] + shift[c]);
  }
}
