// (p − t)² and its derivative.
fn evaluate(x: f32, t: f32) -> vec2<f32> {
  let d = x - t;
  return vec2<f32>(d * d, 2.0 * d);
}
