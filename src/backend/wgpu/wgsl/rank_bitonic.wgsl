// Sorts N composites (key, then column) in workgroup memory; N is a power of two.
var<workgroup> major: array<u32, N>;
var<workgroup> minor: array<u32, N>;

fn sort_composites() {
  for (var size = 2u; size <= N; size *= 2u) {
    for (var step = size / 2u; step > 0u; step /= 2u) {
      workgroupBarrier();
      for (var i = tid; i < N / 2u; i += WG) {
        let a = 2u * i - (i & (step - 1u));
        let b = a + step;
        let high_a = major[a];
        let high_b = major[b];
        let low_a = minor[a];
        let low_b = minor[b];
        let above = high_a > high_b || (high_a == high_b && low_a > low_b);
        if (above == ((a & size) == 0u)) {
          major[a] = high_b;
          major[b] = high_a;
          minor[a] = low_b;
          minor[b] = low_a;
        }
      }
    }
  }
  workgroupBarrier();
}
