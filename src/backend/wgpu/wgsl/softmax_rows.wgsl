// Whole rows, each element read and written once.
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let at = place_of(block, lid);
  let x0 = load(at, 0u);
  let x1 = load(at, 1u);
  let x2 = load(at, 2u);
  let x3 = load(at, 3u);
  let x4 = load(at, 4u);
  let x5 = load(at, 5u);
  let x6 = load(at, 6u);
  let x7 = load(at, 7u);
  let g0 = load_g(at, 0u);
  let g1 = load_g(at, 1u);
  let g2 = load_g(at, 2u);
  let g3 = load_g(at, 3u);
  let g4 = load_g(at, 4u);
  let g5 = load_g(at, 5u);
  let g6 = load_g(at, 6u);
  let g7 = load_g(at, 7u);
  var top = 0u;
  if (OP < 2u) {
    top = max(top, top_of(x0));
    top = max(top, top_of(x1));
    top = max(top, top_of(x2));
    top = max(top, top_of(x3));
    top = max(top, top_of(x4));
    top = max(top, top_of(x5));
    top = max(top, top_of(x6));
    top = max(top, top_of(x7));
    top = team_max(top, lid);
  }
  let t = bitcast<f32>(bits_of_key(top));
  let e0 = exponentials(x0, t, 0u);
  let e1 = exponentials(x1, t, 1u);
  let e2 = exponentials(x2, t, 2u);
  let e3 = exponentials(x3, t, 3u);
  let e4 = exponentials(x4, t, 4u);
  let e5 = exponentials(x5, t, 5u);
  let e6 = exponentials(x6, t, 6u);
  let e7 = exponentials(x7, t, 7u);
  var sum = vec2<f32>(0.0);
  sum = add_terms(sum, e0, x0, g0, 0u);
  sum = add_terms(sum, e1, x1, g1, 1u);
  sum = add_terms(sum, e2, x2, g2, 2u);
  sum = add_terms(sum, e3, x3, g3, 3u);
  sum = add_terms(sum, e4, x4, g4, 4u);
  sum = add_terms(sum, e5, x5, g5, 5u);
  sum = add_terms(sum, e6, x6, g6, 6u);
  sum = add_terms(sum, e7, x7, g7, 7u);
  let row = row_of(top, team_sum(sum, lid));
  store(at, 0u, finish(e0, x0, g0, row));
  store(at, 1u, finish(e1, x1, g1, row));
  store(at, 2u, finish(e2, x2, g2, row));
  store(at, 3u, finish(e3, x3, g3, row));
  store(at, 4u, finish(e4, x4, g4, row));
  store(at, 5u, finish(e5, x5, g5, row));
  store(at, 6u, finish(e6, x6, g6, row));
  store(at, 7u, finish(e7, x7, g7, row));
}
