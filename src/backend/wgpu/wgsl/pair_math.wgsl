// Functions of pairs, good to about 1e-12. Needs pair.wgsl.

const LN2 = vec2<f32>(0.693147182464599609375, -1.904654212e-9);

// e^x - 1, relative to itself; |x| <= 80.
fn p_expm1(x: vec2<f32>) -> vec2<f32> {
  let k = round(x.x * 1.44269502162933349609375);
  let r = p_sub(x, p_mul_f(LN2, k));
  // The series of the eighth part, then e^(2y) - 1 = m(m + 2) three times.
  let y = 0.125 * r;
  let tail = 0.0416666679 + y.x * (0.0083333338 + y.x * (0.00138888892 + y.x * 0.000198412701));
  let sixth = p_add(SIXTH, two_prod(y.x, tail));
  let half = p_add_f(p_mul(y, sixth), 0.5);
  var m = p_add(y, p_mul(p_square(y), half));
  for (var i = 0u; i < 3u; i = i + 1u) { m = p_mul(m, p_add_f(m, 2.0)); }
  if (k == 0.0) { return m; }
  let scale = p_power_of_two(i32(k));
  return p_add(scale * m, two_sum(scale, -1.0));
}

// log(1 + x), relative to itself; 0 <= x <= 2^100.
fn p_log1p(x: vec2<f32>) -> vec2<f32> {
  var y = 0.0;
  if (x.x < 0.0625) {
    let a = x.x;
    y = a * (1.0 - a * (0.5 - a * (0.333333343 - a * (0.25 - a * 0.2))));
  } else {
    y = log(1.0 + x.x);
  }
  // One step of Newton's method doubles the digits.
  let e = p_expm1(p_of(y));
  return p_add_f(p_div(p_sub(x, e), p_add_f(e, 1.0)), y);
}

// tanh s, s >= 0.
fn p_tanh(s: vec2<f32>) -> vec2<f32> {
  if (s.x > 20.0) { return vec2<f32>(1.0, 0.0); }
  let e = p_expm1(2.0 * s);
  return p_div(e, p_add_f(e, 2.0));
}

// 1 - tanh² s, s >= 0.
fn p_sech_squared(s: vec2<f32>) -> vec2<f32> {
  if (s.x > 40.0) { return vec2<f32>(0.0, 0.0); }
  let e = p_expm1(2.0 * s);
  let whole = p_add_f(e, 2.0);
  return p_mul(p_div(p_add_f(e, 1.0), whole), p_div(vec2<f32>(4.0, 0.0), whole));
}

// artanh s, 0 <= s < 1.
fn p_artanh(s: vec2<f32>) -> vec2<f32> {
  return 0.5 * p_log1p(p_div(2.0 * s, p_add_f(-s, 1.0)));
}

// asinh of the root q of m.
fn p_asinh(q: vec2<f32>, m: vec2<f32>) -> vec2<f32> {
  let root = p_sqrt(p_add_f(m, 1.0));
  return p_log1p(p_add(q, p_div(m, p_add_f(root, 1.0))));
}

// Below this the ratios of ball_number.wgsl and ball_dual.wgsl are series of six terms.
const SERIES_END: f32 = 0.01;

// A function 1 + c1·n + ... + c5·n^5 and its derivative, c1 as a pair.
fn series_value(n: vec2<f32>, c1: vec2<f32>, c: vec4<f32>) -> vec2<f32> {
  let tail = c.x + n.x * (c.y + n.x * (c.z + n.x * c.w));
  return p_add_f(p_mul(n, p_add(c1, two_prod(n.x, tail))), 1.0);
}

fn series_slope(n: vec2<f32>, c1: vec2<f32>, c: vec4<f32>) -> vec2<f32> {
  let tail = 2.0 * c.x + n.x * (3.0 * c.y + n.x * (4.0 * c.z + n.x * (5.0 * c.w)));
  return p_add(c1, two_prod(n.x, tail));
}

const THIRD = vec2<f32>(0.3333333432674407959, -9.934107758624577e-9);
const SIXTH = vec2<f32>(0.16666667163372039795, -4.967053879312289e-9);
const TANH_TERMS = vec4<f32>(0.133333333, -0.0539682540, 0.0218694885, -0.00886323552);
const ARTANH_TERMS = vec4<f32>(0.2, 0.142857143, 0.111111111, 0.0909090909);
const ASINH_TERMS = vec4<f32>(0.075, -0.0446428571, 0.0303819444, -0.0223721591);

// tanh(√n)/√n.
fn tanh_ratio_value(n: vec2<f32>) -> vec2<f32> {
  if (n.x < SERIES_END) { return series_value(n, -THIRD, TANH_TERMS); }
  let root = p_sqrt(n);
  return p_div(p_tanh(root), root);
}

// artanh(√n)/√n, n < 1.
fn artanh_ratio_value(n: vec2<f32>) -> vec2<f32> {
  if (n.x < SERIES_END) { return series_value(n, THIRD, ARTANH_TERMS); }
  let root = p_sqrt(n);
  return p_div(p_artanh(root), root);
}

// asinh(√n)/√n.
fn asinh_ratio_value(n: vec2<f32>) -> vec2<f32> {
  if (n.x < SERIES_END) { return series_value(n, -SIXTH, ASINH_TERMS); }
  let root = p_sqrt(n);
  return p_div(p_asinh(root, n), root);
}

// Longest length of sinh_ratio and cosh_root: times a time of 2^57, its cosh is within float32.
const SINH_END: f32 = 48.0;
const SINH_TERMS = vec4<f32>(0.00833333333, 0.000198412698, 2.75573192e-6, 2.50521084e-8);

// sinh(√n)/√n.
fn sinh_ratio_value(n: vec2<f32>) -> vec2<f32> {
  if (n.x < SERIES_END) { return series_value(n, SIXTH, SINH_TERMS); }
  let root = p_sqrt(n);
  var e = p_expm1(vec2<f32>(SINH_END, 0.0));
  if (root.x < SINH_END) { e = p_expm1(root); }
  return p_div(0.5 * p_add(e, p_div(e, p_add_f(e, 1.0))), root);
}

// cosh √n.
fn cosh_root_value(n: vec2<f32>) -> vec2<f32> {
  let root = p_sqrt(n);
  var e = p_expm1(vec2<f32>(SINH_END, 0.0));
  if (root.x < SINH_END) { e = p_expm1(root); }
  return p_add_f(p_mul(0.5 * e, p_div(e, p_add_f(e, 1.0))), 1.0);
}
