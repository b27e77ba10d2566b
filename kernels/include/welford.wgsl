/// [ITEMS, LANES]
var<workgroup> merging: array<vec3f, ITEMS * LANES>;

/// Statistics (count, mean, squared deviations from the mean) of two sets of values together, by Chan's formula.
fn merge(a: vec3f, b: vec3f) -> vec3f {
  let count = a.x + b.x;
  if (count == 0.0) {
    return a;
  }
  let delta = b.y - a.y;
  return vec3f(count, a.y + delta * b.x / count, a.z + b.z + delta * delta * a.x * b.x / count);
}

/// The statistics of the LANES lanes of an item together, for all of them.
fn merged_lanes(own: vec3f, lane: u32) -> vec3f {
  if (LANES == 1u) {
    return own;
  }
  merging[lane] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % LANES < half) {
      merging[lane] = merge(merging[lane], merging[lane + half]);
    }
  }
  workgroupBarrier();
  return merging[lane - lane % LANES];
}
