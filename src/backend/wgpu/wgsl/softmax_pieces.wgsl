// Maximum and sum of each piece of long rows.
@group(0) @binding(OUT_AT) var<storage, read_write> stats: array<Stats>;

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
  var top = 0u;
  if (OP < 2u) {
    top = team_max(max(max(top_of(x0), top_of(x1)), max(top_of(x2), top_of(x3))), lid);
  }
  let t = bitcast<f32>(bits_of_key(top));
  var sum = add_terms(vec2<f32>(0.0), exponentials(x0, t, 0u), x0, load_g(at, 0u), 0u);
  sum = add_terms(sum, exponentials(x1, t, 1u), x1, load_g(at, 1u), 1u);
  sum = add_terms(sum, exponentials(x2, t, 2u), x2, load_g(at, 2u), 2u);
  sum = add_terms(sum, exponentials(x3, t, 3u), x3, load_g(at, 3u), 3u);
  sum = team_sum(sum, lid);
  if (lid == 0u) { stats[block] = Stats(top, sum.x, sum.y); }
}
