@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// OUT 0: the sum, 1: its square root, 2: the sum as a double.
fn put(i: u32, a: Acc) {
  let t = acc_total(a);
  if (OUT == 2u) {
    let d = f64_of_sum(t.value.x, t.value.y, t.exponent);
    out[2u * i] = d.x;
    out[2u * i + 1u] = d.y;
  } else if (OUT == 1u) {
    out[i] = bitcast<u32>(root_of(t.value, t.exponent));
  } else {
    out[i] = bitcast<u32>(scaled(t.value.x, t.exponent + p.exponent));
  }
}
