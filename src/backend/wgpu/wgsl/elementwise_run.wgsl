// out = combine(a, b) over runs of equal length, eight elements a thread. A_STEP and B_STEP are 0
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

fn of_four(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(combine(x.x, y.x, 0.0, p.p0, p.p1), combine(x.y, y.y, 0.0, p.p0, p.p1),
                   combine(x.z, y.z, 0.0, p.p0, p.p1), combine(x.w, y.w, 0.0, p.p0, p.p1));
}

fn load_a(at: u32) -> vec4<f32> {
  let x = a[at * A_STEP];
  return select(x, x.xxxx, A_STEP == 0u);
}

fn load_b(at: u32) -> vec4<f32> {
  let y = b[at * B_STEP];
  return select(y, y.xxxx, B_STEP == 0u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  let at = group * 512u + lane;
  let next = at + 256u;
  if (next < p.count) {  // both loads are under way before either is used
    let x0 = load_a(at);
    let x1 = load_a(next);
    let y0 = load_b(at);
    let y1 = load_b(next);
    result[at] = of_four(x0, y0);
    result[next] = of_four(x1, y1);
  } else if (at < p.count) {
    result[at] = of_four(load_a(at), load_b(at));
  }
}
