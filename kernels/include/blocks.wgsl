// Rows of four in 4x4 blocks: the register tiles of attention, and of matrix products in f32.

/// Four rows of 4: sum + rows * block.
fn multiply_add(rows: mat4x4f, block: mat4x4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(
    multiply_add_row(rows[0], block, sum[0]),
    multiply_add_row(rows[1], block, sum[1]),
    multiply_add_row(rows[2], block, sum[2]),
    multiply_add_row(rows[3], block, sum[3]),
  );
}

fn multiply_add_row(row: vec4f, block: mat4x4f, sum: vec4f) -> vec4f {
  return fma(vec4f(row.x), block[0], fma(vec4f(row.y), block[1], fma(vec4f(row.z), block[2], fma(vec4f(row.w), block[3], sum))));
}

fn largest(scores: vec4f) -> f32 {
  return max(max(scores.x, scores.y), max(scores.z, scores.w));
}

fn scale_rows(rows: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(rows[0] * by.x, rows[1] * by.y, rows[2] * by.z, rows[3] * by.w);
}
