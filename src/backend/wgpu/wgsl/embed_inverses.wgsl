// 1/(1 - |x|²) of each row, as pairs. Constants: WG.

struct Params {
  groups: u32,
  nodes: u32,
  dim: u32,
  zero: u32,  // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> inverses: array<vec2<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  let v = group * WG + lid;
  if (group >= p.groups || v >= p.nodes) { return; }
  pair_zero = p.zero;
  var squares = vec2<f32>(0.0, 0.0);
  for (var j = 0u; j < p.dim; j++) { squares = add_square(squares, p_of(table[v * p.dim + j])); }
  inverses[v] = p_div(p_of(1.0), inside(squares));
}
