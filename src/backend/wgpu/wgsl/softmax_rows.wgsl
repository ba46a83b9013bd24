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
  let g0 = load_g(at, 0u);
  let g1 = load_g(at, 1u);
  let g2 = load_g(at, 2u);
  let g3 = load_g(at, 3u);
  var top = 0u;
  if (OP < 2u) {
    top = team_max(max(max(top_of(x0), top_of(x1)), max(top_of(x2), top_of(x3))), lid);
  }
  let t = bitcast<f32>(bits_of_key(top));
  let e0 = exponentials(x0, t, 0u);
  let e1 = exponentials(x1, t, 1u);
  let e2 = exponentials(x2, t, 2u);
  let e3 = exponentials(x3, t, 3u);
  var sum = add_terms(vec2<f32>(0.0), e0, x0, g0, 0u);
  sum = add_terms(sum, e1, x1, g1, 1u);
  sum = add_terms(sum, e2, x2, g2, 2u);
  sum = add_terms(sum, e3, x3, g3, 3u);
  let row = row_of(top, team_sum(sum, lid));
  store(at, 0u, finish(e0, x0, g0, row));
  store(at, 1u, finish(e1, x1, g1, row));
  store(at, 2u, finish(e2, x2, g2, row));
  store(at, 3u, finish(e3, x3, g3, row));
}
