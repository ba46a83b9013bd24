// An integer whose order is that of the float with these bits; a NaN gets the greatest.
fn order_key(bits: u32) -> u32 {
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) { return 0xFFFFFFFFu; }
  return bits ^ select(0x80000000u, 0xFFFFFFFFu, bits >= 0x80000000u);
}

fn bits_of_key(key: u32) -> u32 {
  if (key == 0xFFFFFFFFu) { return 0x7FC00000u; }
  return key ^ select(0xFFFFFFFFu, 0x80000000u, key >= 0x80000000u);
}
