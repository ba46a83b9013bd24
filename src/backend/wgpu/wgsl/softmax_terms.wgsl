fn top_of(v: vec4<u32>) -> u32 {
  return max(max(order_key(v.x), order_key(v.y)), max(order_key(v.z), order_key(v.w)));
}

// e^x for x <= 0, 0 below the normal numbers. (A NaN has made its row's maximum a NaN.)
fn falling_exp(x: f32) -> f32 {
  let c = max(x, -87.0);
  let n = exp_power(c);
  let scaled_bits = bitcast<u32>(exp_rest(c, n)) + bitcast<u32>(i32(n) << 23u);
  return select(bitcast<f32>(scaled_bits), 0.0, x < -87.0);
}

// exp(x - top) for the first two ops.
fn exponentials(x: vec4<u32>, top: f32, slot: u32) -> vec4<f32> {
  if (OP >= 2u || slot >= PER) { return vec4<f32>(0.0); }
  let d = bitcast<vec4<f32>>(x) - vec4<f32>(top);
  return vec4<f32>(falling_exp(d.x), falling_exp(d.y), falling_exp(d.z), falling_exp(d.w));
}

// A NaN whose leading half would read as infinite becomes one that stays a NaN.
fn quiet(bits: u32) -> f32 {
  return bitcast<f32>(select(bits, 0x7FC00000u, (bits & 0x7FFFFFFFu) > 0x7F800000u));
}

fn add_terms(sum: vec2<f32>, e: vec4<f32>, x: vec4<u32>, g: vec4<u32>, slot: u32) -> vec2<f32> {
  if (slot >= PER) { return sum; }
  // Four positive terms add up to 2^-23 of their sum; what follows is compensated. A logarithm
  // near 0 would show it.
  if (OP == 1u) { return sum_add(sum_add(sum_add(sum_add(sum, e.x), e.y), e.z), e.w); }
  if (OP == 0u) { return sum_add(sum, (e.x + e.y) + (e.z + e.w)); }
  let w = bitcast<vec4<f32>>(g);
  if (OP == 3u) { return sum_add(sum_add(sum_add(sum_add(sum, w.x), w.y), w.z), w.w); }
  let two = sum_add_product(sum_add_product(sum, quiet(x.x), quiet(g.x)), quiet(x.y), quiet(g.y));
  return sum_add_product(sum_add_product(two, quiet(x.z), quiet(g.z)), quiet(x.w), quiet(g.w));
}

// What a row's elements need of its maximum and sum: the factor 1 / sum, the logarithm of the sum
// in two parts, or the sum itself.
struct Row { top: f32, a: f32, b: f32 }

fn row_of(top: u32, sum: vec2<f32>) -> Row {
  let t = bitcast<f32>(bits_of_key(top));
  if (OP >= 2u) { return Row(0.0, sum_value(sum), 0.0); }
  if (OP == 1u) { return Row(t, st_log(sum.x), sum.y / sum.x); }
  let r = 1.0 / sum.x;
  return Row(t, r + r * (residual(1.0, sum.x, r) - sum.y * r), 0.0);
}

// x - top - log(sum), rounded about once.
fn log_share(bits: u32, row: Row) -> f32 {
  let d = two_sum(bitcast<f32>(bits), -row.top);
  if (!is_finite(d.x)) { return d.x; }
  let t = two_sum(d.x, -row.a);
  return t.x + (t.y + (d.y - row.b));
}

fn finish(e: vec4<f32>, x: vec4<u32>, g: vec4<u32>, row: Row) -> vec4<f32> {
  if (OP < 2u && !is_finite(row.top)) { return vec4<f32>(nan_value()); }
  if (OP == 0u) { return e * row.a; }
  if (OP == 1u) {
    return vec4<f32>(log_share(x.x, row), log_share(x.y, row), log_share(x.z, row),
                     log_share(x.w, row));
  }
  let y = bitcast<vec4<f32>>(x);
  let w = bitcast<vec4<f32>>(g);
  if (OP == 2u) { return y * (w - vec4<f32>(row.a)); }
  return w - vec4<f32>(st_exp(y.x), st_exp(y.y), st_exp(y.z), st_exp(y.w)) * row.a;
}
