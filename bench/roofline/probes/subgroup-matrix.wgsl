// Products of subgroup matrices in registers: four chains, 2 * 4 * M * N * K operations per turn and subgroup.
// The last element of y is the number of lanes of a subgroup.
enable chromium_experimental_subgroup_matrix;
enable subgroups;
enable f16;
alias component = f16;
alias result = f32;

const M = 16u;
const N = 16u;
const K = 16u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<result>;
@group(0) @binding(2) var<uniform> turns: u32; // not a constant, or a compiler would unroll the loop

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_size) size: u32) {
  let left = subgroup_matrix_left<component, K, M>(component(x[0]));
  let right = subgroup_matrix_right<component, N, K>(component(x[1]));
  var s0 = subgroup_matrix_result<result, N, M>(result(x[2]));
  var s1 = subgroup_matrix_result<result, N, M>(result(x[3]));
  var s2 = subgroup_matrix_result<result, N, M>(result(x[4]));
  var s3 = subgroup_matrix_result<result, N, M>(result(x[5]));
  for (var turn = 0u; turn < turns; turn++) {
    s0 = subgroupMatrixMultiplyAccumulate(left, right, s0);
    s1 = subgroupMatrixMultiplyAccumulate(left, right, s1);
    s2 = subgroupMatrixMultiplyAccumulate(left, right, s2);
    s3 = subgroupMatrixMultiplyAccumulate(left, right, s3);
  }
  // all subgroups of a workgroup store the same values
  let at = group.x * 4u * M * N;
  subgroupMatrixStore<row_major>(&y, at, s0, N);
  subgroupMatrixStore<row_major>(&y, at + M * N, s1, N);
  subgroupMatrixStore<row_major>(&y, at + 2u * M * N, s2, N);
  subgroupMatrixStore<row_major>(&y, at + 3u * M * N, s3, N);
  y[arrayLength(&y) - 1u] = result(size);
}
