// Accumulator of max and min (MINIMUM 1): integers in the order of the elements, NaN above all.
struct Acc { key: u32 }

fn acc_empty() -> Acc { return Acc(0u); }

fn acc_add(a: Acc, bits: u32, weight: f32) -> Acc {
  return Acc(max(a.key, select(order_key(bits), order_key(bits ^ 0x80000000u), MINIMUM == 1u)));
}

fn acc_add4(a: Acc, bits: vec4<u32>, weight: vec4<f32>) -> Acc {
  let two = acc_add(acc_add(a, bits.x, weight.x), bits.y, weight.y);
  return acc_add(acc_add(two, bits.z, weight.z), bits.w, weight.w);
}

fn acc_join(a: Acc, b: Acc) -> Acc { return Acc(max(a.key, b.key)); }
