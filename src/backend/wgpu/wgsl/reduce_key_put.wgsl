@group(0) @binding(2) var<storage, read_write> out: array<u32>;

fn put(i: u32, a: Acc) {
  let bits = bits_of_key(a.key);
  let flip = MINIMUM == 1u && a.key != 0xFFFFFFFFu;
  out[i] = select(bits, bits ^ 0x80000000u, flip);
}
