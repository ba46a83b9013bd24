// `count` sorted pairs (target row, source row) in pieces of `piece`; sums that cross a piece's
// border are left in parts[(2 * piece number + slot) * cols + column]: slot 0 is of the target
// that a piece before began, slot 1 of one that goes on in the next.
struct Params {
  count: u32, cols: u32, piece: u32, pieces: u32, tiles: u32, blocks: u32, zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read_write> pairs: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> parts: array<Acc>;

fn put(row: u32, col: u32, sum: Acc) {
  let at = row * p.cols + col;
  let t = acc_total(acc_add(sum, out[at], 1.0));
  out[at] = bitcast<u32>(scaled(t.value.x, t.exponent));
}
