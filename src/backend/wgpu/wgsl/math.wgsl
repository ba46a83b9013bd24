// Elementary functions of float32 to about 2 ulp with IEEE's edge cases; WGSL's own may be off by
// thousands. Needs bits. Argument reductions and the form of the logarithm are those of fdlibm
// (Sun Microsystems, 1993); series are Taylor's.

// x·2^n for any n, in two steps that cannot overflow early.
fn scale_by(x: f32, n: i32) -> f32 {
  let half = n / 2;
  return x * power_of_two(half) * power_of_two(n - half);
}

// e^(x − n·ln 2), n = exp_power(x): in [√½, √2].
fn exp_power(x: f32) -> f32 {
  return round(x * 1.4426950408889634);
}
fn exp_rest(x: f32, n: f32) -> f32 {
  // ln 2 in two parts; the product with the first is exact.
  let r = fma(n, 2.12194440e-4, fma(-n, 0.693359375, x));
  var y = fma(r, 1.0 / 5040.0, 1.0 / 720.0);
  y = fma(y, r, 1.0 / 120.0);
  y = fma(y, r, 1.0 / 24.0);
  y = fma(y, r, 1.0 / 6.0);
  y = fma(y, r, 0.5);
  return fma(y, r * r, r) + 1.0;
}

// Without branches: beyond the clamped range the scaling overflows or underflows by itself.
fn st_exp(x: f32) -> f32 {
  let c = clamp(x, -105.0, 89.0);
  let n = exp_power(c);
  return select(scale_by(exp_rest(c, n), i32(n)), x, is_nan(x));
}

// x = m·2^k with m in [√½, √2); x positive, finite, perhaps subnormal.
struct Split {
  m: f32,
  k: i32,
}
fn split_float(x: f32) -> Split {
  var bits = bitcast<u32>(x);
  var k = 0;
  if (bits < 0x00800000u) {  // by hand: a device may flush subnormal numbers
    let up = countLeadingZeros(bits) - 8u;
    bits = bits << up;
    k = -i32(up) + 1;
    bits = (bits & 0x007fffffu) | 0x00800000u;
  }
  k += i32(bits >> 23u) - 127;
  var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
  if (m > 1.41421356) {
    m *= 0.5;
    k += 1;
  }
  return Split(m, k);
}

fn st_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) {
    return -inf_value();
  }
  if (is_nan(x)) {
    return x;
  }
  if (bits >= 0x80000000u) {
    return nan_value();
  }
  if (bits == 0x7f800000u) {
    return x;
  }
  let part = split_float(x);
  let k = f32(part.k);
  let f = part.m - 1.0;
  let s = f / (2.0 + f);
  let z = s * s;
  var r = fma(z, 2.0 / 11.0, 2.0 / 9.0);
  r = fma(r, z, 2.0 / 7.0);
  r = fma(r, z, 2.0 / 5.0);
  r = fma(r, z, 2.0 / 3.0) * z;
  let h = 0.5 * f * f;
  return fma(k, 0.693359375, f - (h - fma(s, h + r, k * -2.12194440e-4)));
}

fn st_tanh(x: f32) -> f32 {
  let a = abs(x);
  let large = 1.0 - 2.0 / (st_exp(2.0 * min(a, 10.0)) + 1.0);
  let z = min(x * x, 0.4);
  var y = fma(z, 5.900274e-4, -1.4558343e-3);
  y = fma(y, z, 3.5921280e-3);
  y = fma(y, z, -8.8632355e-3);
  y = fma(y, z, 2.1869488e-2);
  y = fma(y, z, -5.3968254e-2);
  y = fma(y, z, 1.3333333e-1);
  y = fma(y, z, -3.3333333e-1);
  let small = fma(y * z, a, a);
  let t = with_sign(select(small, large, a >= 0.55), sign_bit(x));  // of zeros, too
  return select(t, x, is_nan(x));
}

fn both(x: bool, y: bool) -> bool {
  return x && y;
}

fn keep_nan(x: f32, y: f32) -> f32 {
  return select(y, x, is_nan(x));
}

// Devices divide by the reciprocal, which is lost above 2^126.
fn st_div(x: f32, y: f32) -> f32 {
  let s = select(1.0, 0.25, abs(y) > 2.0e37);
  return (x * s) / (y * s);
}

fn st_abs(x: f32) -> f32 {
  return abs(x);
}

// Φ from erfc(z) = t·exp(-z² + P(t)), t = 1/(1 + z/2), z = |x|/√2: Press et al., Numerical Recipes in
// C, 2nd ed., 6.2.
fn st_cdf(x: f32) -> f32 {
  let z = abs(x) * 0.7071067811865476;
  let t = st_div(1.0, fma(0.5, z, 1.0));
  var p = fma(0.17087277, t, -0.82215223);
  p = fma(p, t, 1.48851587);
  p = fma(p, t, -1.13520398);
  p = fma(p, t, 0.27886807);
  p = fma(p, t, -0.18628806);
  p = fma(p, t, 0.09678418);
  p = fma(p, t, 0.37409196);
  p = fma(p, t, 1.00002368);
  p = fma(p, t, -1.26551223);
  let half = t * st_exp(p - z * z) * 0.5;
  return keep_nan(x, select(1.0 - half, half, x < 0.0));
}

// σ(2u) = ½(1 + tanh u), u = √(2/π)(x + 0.044715x³), and the derivative of x·σ(2u): by e^−2|u|, in
// which neither 1 + tanh nor 1 − tanh² cancels.
fn st_gelu_share(x: f32) -> f32 {
  let u = 0.7978845608 * x * fma(0.044715 * x, x, 1.0);
  let e = st_exp(-2.0 * abs(u));
  return keep_nan(x, st_div(select(1.0, e, u < 0.0), 1.0 + e));
}
fn st_gelu_tanh_slope(x: f32) -> f32 {
  let u = 0.7978845608 * x * fma(0.044715 * x, x, 1.0);
  let e = st_exp(-2.0 * abs(u));
  let rise = 1.5957691216 * x * fma(0.134145 * x, x, 1.0);
  let below = st_div(1.0, 1.0 + e);
  let more = select(e * below * below * rise, 0.0, e == 0.0);
  return keep_nan(x, fma(select(1.0, e, u < 0.0), below, more));
}

fn st_sqrt(x: f32) -> f32 {
  if (x < 0.0) {
    return nan_value();
  }
  if (x == 0.0 || !is_finite(x)) {
    return x;
  }
  return sqrt(x);
}

fn st_hypot(x: f32, y: f32) -> f32 {
  if (is_inf(x) || is_inf(y)) {
    return inf_value();
  }
  if (is_nan(x) || is_nan(y)) {
    return nan_value();
  }
  let large = max(abs(x), abs(y));
  if (large == 0.0) {
    return 0.0;
  }
  // A power of two brings the larger near 1.
  let n = clamp(i32(bitcast<u32>(large) >> 23u) - 127, -126, 126);
  let a = x * power_of_two(-n);
  let b = y * power_of_two(-n);
  return sqrt(fma(a, a, b * b)) * power_of_two(n);
}

fn st_atan2(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) {
    return nan_value();
  }
  let ay = abs(y);
  let ax = abs(x);
  var quarter = 0.0;  // π/4 where the quotient was turned
  var t = 0.0;
  let steep = ay > ax;
  if (is_inf(x) && is_inf(y)) {
    quarter = 0.78539816339;
  } else {
    let large = max(ax, ay);
    let small = min(ax, ay);
    if (large != 0.0 && !is_inf(large)) {
      let near_one = select(select(1.0, 1.0e15, large < 1.0e-15), 1.0e-15, large > 1.0e15);
      t = (small * near_one) / (large * near_one);
    }
    if (t > 0.41421356) {
      t = (t - 1.0) / (t + 1.0);
      quarter = 0.78539816339;
    }
  }
  let z = t * t;
  var r = fma(z, -1.0 / 19.0, 1.0 / 17.0);
  r = fma(r, z, -1.0 / 15.0);
  r = fma(r, z, 1.0 / 13.0);
  r = fma(r, z, -1.0 / 11.0);
  r = fma(r, z, 1.0 / 9.0);
  r = fma(r, z, -1.0 / 7.0);
  r = fma(r, z, 1.0 / 5.0);
  r = fma(r, z, -1.0 / 3.0);
  var angle = quarter + fma(r * z, t, t);
  if (steep) {
    angle = 1.57079632679 - angle;
  }
  if (sign_bit(x) != 0u) {
    angle = 3.14159265359 - angle;
  }
  return with_sign(angle, sign_bit(y));
}

// |x|^e for finite positive |x|: the logarithm is kept in two parts, so that the product with a
// large exponent does not lose what the exponential magnifies.
fn positive_power(x: f32, e: f32) -> f32 {
  let part = split_float(x);
  let k = f32(part.k);
  let f = part.m - 1.0;
  let d = 2.0 + f;
  let d_low = f - (d - 2.0);
  let s = f / d;
  // The quotient's remainder; products of halved mantissas are exact.
  let sh = bitcast<f32>(bitcast<u32>(s) & 0xfffff000u);
  let sl = s - sh;
  let dh = bitcast<f32>(bitcast<u32>(d) & 0xfffff000u);
  let dl = d - dh;
  let rest = ((((f - sh * dh) - sh * dl) - sl * dh) - sl * dl) - s * d_low;
  let s_low = rest / d;
  let z = s * s;
  var r = fma(z, 2.0 / 11.0, 2.0 / 9.0);
  r = fma(r, z, 2.0 / 7.0);
  r = fma(r, z, 2.0 / 5.0);
  r = fma(r, z, 2.0 / 3.0);
  let tail = fma(r * z, s, 2.0 * s_low);
  // The sum's upper part is cut by a mask: drivers may simplify (a + b) - a, but not that.
  let big = k * 0.693359375;
  let hi = bitcast<f32>(bitcast<u32>(big + 2.0 * s) & 0xfffff000u);
  let lo = ((big - hi) + 2.0 * s) + (tail + k * -2.12194440e-4);
  let y = e * hi;
  if (!(abs(y) < 200.0)) {
    return st_exp(y);
  }
  let eh = bitcast<f32>(bitcast<u32>(e) & 0xfffff000u);
  let el = e - eh;
  // hi has 12 bits: two products are exact.
  let y_low = ((eh * hi - y) + el * hi) + e * lo;
  let upper = bitcast<f32>(bitcast<u32>(y + y_low) & 0xffffff00u);
  let rest_y = (y - upper) + y_low;
  let power = st_exp(upper);
  let grown = fma(power, rest_y * fma(rest_y, fma(rest_y, 1.0 / 6.0, 0.5), 1.0), power);
  return select(power, grown, is_finite(power));
}

fn st_pow(x: f32, e: f32) -> f32 {
  let whole = floor(e) == e;
  let odd = whole && abs(e) < 16777216.0 && (i32(e) & 1) != 0;
  if (e == 0.0 || x == 1.0) {
    return 1.0;
  }
  if (is_nan(x) || is_nan(e)) {
    return nan_value();
  }
  var sign = 0u;
  if (sign_bit(x) != 0u && odd) {
    sign = 0x80000000u;
  }
  let a = abs(x);
  if (a == 0.0 || is_inf(a)) {
    if ((a == 0.0) == (e > 0.0)) {
      return with_sign(0.0, sign);
    }
    return with_sign(inf_value(), sign);
  }
  if (sign_bit(x) != 0u && !whole) {
    return nan_value();
  }
  return with_sign(positive_power(a, e), sign);
}

// g·e·x^f with f = e − 1. A slope beyond float32 is applied by halves: the product may fit.
fn st_pow_grad(x: f32, g: f32, e: f32, f: f32) -> f32 {
  if (e == 0.0) {
    return g * 0.0;
  }
  let slope = st_pow(x, f);
  if ((is_finite(slope) && slope != 0.0) || is_nan(slope) || x == 0.0 || !is_finite(x)) {
    return g * (e * slope);
  }
  let half = positive_power(abs(x), 0.5 * f);
  return g * with_sign(half, sign_bit(slope)) * half * e;
}
