// What the kernels of hyperplane logits share: element i is row i / classes, class i % classes.
struct Params {
  count: u32,
  blocks: u32,
  classes: u32,
  width: u32,  // of a row of the hyperboloid
  root: f32,   // √κ
  zero: u32,   // 0
}
@group(0) @binding(0) var<uniform> p: Params;

fn block_of(wid: vec3<u32>, num: vec3<u32>) -> u32 {
  return wid.x + wid.y * num.x + wid.z * num.x * num.y;
}
