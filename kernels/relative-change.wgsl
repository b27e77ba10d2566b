// Sums of |a - b| and of |b|, whose quotient is the relative L1 change from b to a.
// a, b [count] scalar; sums [workgroups of all dispatches, 2] f32, of which a dispatch writes first_sum and on.
// The lanes of all workgroups of a dispatch stride over the values together; then each workgroup adds up its own as a tree.
// The host adds the sums and divides. There are only a few, so that one small read gives the change.
alias scalar = f32;

struct Parameters {
  count: u32,
  first_sum: u32,
}

@group(0) @binding(0) var<storage, read> a: array<scalar>;
@group(0) @binding(1) var<storage, read> b: array<scalar>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> parameters: Parameters;

var<workgroup> partial: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = vec2f(0.0);
  for (var i = group.x * 64u + lane; i < parameters.count; i += groups.x * 64u) {
    let before = f32(b[i]);
    sum += vec2f(abs(f32(a[i]) - before), abs(before));
  }
  partial[lane] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  if (lane == 0u) {
    let at = (parameters.first_sum + group.x) * 2u;
    sums[at] = partial[0].x;
    sums[at + 1u] = partial[0].y;
  }
}
