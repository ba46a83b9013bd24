// out = combine(a, b) over runs of equal length, four elements a thread. A_STEP and B_STEP are 0
// where an operand is one repeated number. `combine` comes before this.
struct Params {
  count: u32,
  p0: f32,
  p1: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  let at = group * 256u + lane;
  if (at >= p.count) {
    return;
  }
  var x = a[at * A_STEP];
  var y = b[at * B_STEP];
  if (A_STEP == 0u) {
    x = x.xxxx;
  }
  if (B_STEP == 0u) {
    y = y.xxxx;
  }
  result[at] = vec4<f32>(combine(x.x, y.x, 0.0, p.p0, p.p1), combine(x.y, y.y, 0.0, p.p0, p.p1),
                         combine(x.z, y.z, 0.0, p.p0, p.p1), combine(x.w, y.w, 0.0, p.p0, p.p1));
}
