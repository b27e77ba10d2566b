// Multiply-adds in registers: 2 * 4 * 12 operations per turn and lane. Three chains of vectors also fit the registers of a CPU.
alias scalar = f32;

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<scalar>>;
@group(0) @binding(2) var<uniform> turns: u32; // not a constant, or a compiler would unroll the loop

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = x[id.x % 64u];
  let second = x[id.x % 64u + 64u];
  // one factor and one addend for all chains: reading more registers at a time slows a GPU down
  let a = vec4<scalar>(first.x);
  let b = vec4<scalar>(second.x);
  var s = array<vec4<scalar>, 3>(first, second, x[id.x % 64u + 128u]); // different values, or a compiler would compute only one chain
  for (var turn = 0u; turn < turns; turn++) {
    s[0] = fma(s[0], a, b);
    s[1] = fma(s[1], a, b);
    s[2] = fma(s[2], a, b);
    s[0] = fma(s[0], a, b);
    s[1] = fma(s[1], a, b);
    s[2] = fma(s[2], a, b);
    s[0] = fma(s[0], a, b);
    s[1] = fma(s[1], a, b);
    s[2] = fma(s[2], a, b);
    s[0] = fma(s[0], a, b);
    s[1] = fma(s[1], a, b);
    s[2] = fma(s[2], a, b);
  }
  y[id.x] = s[0] + s[1] + s[2];
}
