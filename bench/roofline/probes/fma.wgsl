// Multiply-adds in registers: three chains of four a lane, which fit the registers of a CPU, too. 2 * 4 * 12 operations a turn.
alias scalar = f32;

@group(0) @binding(0) var<storage, read> x: array<vec4<scalar>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<scalar>>;
@group(0) @binding(2) var<uniform> turns: u32; // no constant: a compiler would unroll the loop

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = x[id.x % 64u];
  let second = x[id.x % 64u + 64u];
  let a = vec4<scalar>(first.x); // one factor and one addend for all chains: more registers than a GPU reads at a time slow it down
  let b = vec4<scalar>(second.x);
  var s = array<vec4<scalar>, 3>(first, second, x[id.x % 64u + 128u]); // no two alike, or a compiler would compute one of them
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
