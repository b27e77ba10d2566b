// Statistics (count, mean, squared deviations from the mean) of two sets of values together, by Chan's formula.
fn merge(a: vec3f, b: vec3f) -> vec3f {
  let count = a.x + b.x;
  if (count == 0.0) {
    return a;
  }
  let delta = b.y - a.y;
  return vec3f(count, a.y + delta * b.x / count, a.z + b.z + delta * delta * a.x * b.x / count);
}
