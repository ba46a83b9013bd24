// The maximum and sum of each row from those of its pieces; one workgroup a row.
@group(0) @binding(1) var<storage, read_write> pieces: array<Stats>;
@group(0) @binding(2) var<storage, read_write> whole: array<Stats>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let row = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (row >= p.rows) { return; }
  var top = 0u;
  for (var i = lid; i < p.splits; i += WG) { top = max(top, pieces[row * p.splits + i].top); }
  top = team_max(top, lid);
  let t = bitcast<f32>(bits_of_key(top));
  var sum = vec2<f32>(0.0);
  for (var i = lid; i < p.splits; i += WG) {
    let piece = pieces[row * p.splits + i];
    var part = vec2<f32>(piece.high, piece.low);
    if (OP < 2u) {
      let own = bitcast<f32>(bits_of_key(piece.top));
      if (!is_finite(own)) { continue; }  // nothing but -inf, or a row of NaN
      part *= st_exp(own - t);
    }
    sum = sum_join(sum, part);
  }
  sum = team_sum(sum, lid);
  if (lid == 0u) { whole[row] = Stats(top, sum.x, sum.y); }
}
