// Turns the counts of a row's pieces into sums over the pieces before.
@group(0) @binding(1) var<storage, read_write> pieces: array<u32>;

fn run(row: u32) {
  if (row >= p.count) { return; }
  var done = vec3(0u);
  for (var begin = 0u; begin < p.pieces; begin += WG) {
    let at = p.pieces_at + (row * p.pieces + begin + tid) * 4u;
    let inside = begin + tid < p.pieces;
    var here = vec3(0u);
    if (inside) { here = vec3(pieces[at], pieces[at + 1u], pieces[at + 2u]); }
    let two = prefix(here.xy);
    let one = prefix(vec2(here.z, 0u));
    if (inside) {
      pieces[at] = done.x + two.x;
      pieces[at + 1u] = done.y + two.y;
      pieces[at + 2u] = done.z + one.x;
    }
    done += vec3(two.z, two.w, one.z);
  }
}
