@group(0) @binding(2) var<storage, read_write> out: array<Acc>;

fn put(i: u32, a: Acc) { out[i] = a; }
