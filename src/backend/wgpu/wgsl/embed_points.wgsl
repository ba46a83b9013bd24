// Squared distances and norms of float32 points as pairs. Needs pair.wgsl.

fn add_square(sum: vec2<f32>, d: vec2<f32>) -> vec2<f32> {
  let square = two_prod(d.x, d.x);
  let s = two_sum(sum.x, square.x);
  return vec2<f32>(s.x, sum.y + (s.y + (square.y + 2.0 * d.x * d.y)));
}

fn normalised(sum: vec2<f32>) -> vec2<f32> { return quick_sum(sum.x, sum.y); }

// 1 - |x|² from the sum of squares.
fn inside(sum: vec2<f32>) -> vec2<f32> { return p_add_f(-normalised(sum), 1.0); }

// n as a pair.
fn p_of_count(n: u32) -> vec2<f32> {
  return quick_sum(f32(n & 0xFFFF0000u), f32(n & 0xFFFFu));
}
