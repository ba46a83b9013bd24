// Sum over a workgroup, right in thread 0: a tree in workgroup memory.
var<workgroup> parts: array<f32, WG>;

fn total(x: f32, lane: u32) -> f32 {
  parts[lane] = x;
  for (var step = WG / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) {
      parts[lane] += parts[lane + step];
    }
  }
  return parts[0];
}
