// Counts what a piece holds of each class.
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> pieces: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>;

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let b = bounds_of(piece.x);
  var sum = vec3(0u);
  let info = p.pieces_at + cell * 4u;
  let listed = pieces[info + 3u];
  if (listed <= p.cap) {
    for (var i = tid; i < listed; i += WG) {
      let class_here = class_of(keys[p.keys + cell * p.cap + i], b);
      sum += select(vec3(0u), vec3(1u), vec3(class_here) == vec3(INSIDE, LOW, HIGH));
    }
  } else {
    let first = p.x + piece.x * p.cols + piece.y;
    for (var at = tid * 4u; at < piece.z; at += WG * 4u) {
      let key = ordered4(load4(first + at, left_of(at, piece.z)));
      let present = present4(key, at, piece.z);
      for (var i = 0u; i < 4u; i++) {
        let class_here = select(0u, class_of(key[i], b), present[i]);
        sum += select(vec3(0u), vec3(1u), vec3(class_here) == vec3(INSIDE, LOW, HIGH));
      }
    }
  }
  let two = prefix(sum.xy);
  let one = prefix(vec2(sum.z, 0u));
  if (tid == 0u) {
    pieces[info] = two.z;
    pieces[info + 1u] = two.w;
    pieces[info + 2u] = one.z;
  }
}
