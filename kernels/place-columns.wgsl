// out[r, column_start + c] = x[r, c]: a narrow matrix into columns of a wide one.
// x [rows, columns] scalar, out [rows, out_columns] scalar.
// Joins the outputs of a weight that was cut, and stacks hidden states.
alias scalar = f32;

struct Parameters {
  rows: u32,
  columns: u32,
  out_columns: u32,
  column_start: u32,
}

@group(0) @binding(0) var<storage, read> x: array<scalar>;
@group(0) @binding(1) var<storage, read_write> out: array<scalar>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= parameters.rows * parameters.columns) {
    return;
  }
  let row = i / parameters.columns;
  out[row * parameters.out_columns + parameters.column_start + i % parameters.columns] = x[i];
}
