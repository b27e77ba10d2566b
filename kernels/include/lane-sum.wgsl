/// [ITEMS, LANES]
var<workgroup> partial: array<f32, ITEMS * LANES>;

/// The sum of `value` over the LANES lanes of an item, for all of them.
fn lane_sum(value: f32, lane: u32) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  workgroupBarrier(); // the lanes have read the previous sum
  partial[lane] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % LANES < half) {
      partial[lane] += partial[lane + half];
    }
  }
  workgroupBarrier();
  return partial[lane - lane % LANES];
}
