// Sums of float32 terms as pairs (high, low) whose error stays far below 2^-22 of the sum of the
// terms' magnitudes. Nothing here depends on whether a driver fuses a product and an addition.

// Drivers simplify (a + b) - a to b and fold factors together; they cannot see that p.zero is 0.
fn hidden(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ p.zero);
}

fn two_sum(a: f32, b: f32) -> vec2<f32> {
  let s = hidden(a + b);
  let t = hidden(s - a);
  return vec2<f32>(s, (a - (s - t)) + (b - t));
}

fn sum_add(s: vec2<f32>, x: f32) -> vec2<f32> {
  let t = two_sum(s.x, x);
  return vec2<f32>(t.x, s.y + t.y);
}

fn sum_join(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let t = two_sum(a.x, b.x);
  return vec2<f32>(t.x, (a.y + b.y) + t.y);
}

// The leading 12 bits of x; x minus them has at most 12 bits, so products of halves are exact.
fn leading_half(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xFFFFF000u);
}

fn sum_add_product(s: vec2<f32>, x: f32, y: f32) -> vec2<f32> {
  let xh = leading_half(x);
  let xl = x - xh;
  let yh = leading_half(y);
  let yl = y - yh;
  let t = two_sum(s.x, xh * yh);
  return vec2<f32>(t.x, s.y + (t.y + ((xh * yl + xl * yh) + xl * yl)));
}

// a - x*y with one rounding's error, for x*y near a.
fn residual(a: f32, x: f32, y: f32) -> f32 {
  let xh = leading_half(x);
  let xl = x - xh;
  let yh = leading_half(y);
  let yl = y - yh;
  return (((a - xh * yh) - xh * yl) - xl * yh) - xl * yl;
}

// The pair rounded; an infinite or NaN sum has no meaningful low part.
fn sum_value(s: vec2<f32>) -> f32 {
  return select(s.x, s.x + s.y, is_finite(s.x));
}

// x * 2^k for any k: at most 12 exact steps, one of them rounding where the result is subnormal.
fn scaled(x: f32, k: i32) -> f32 {
  var out = x;
  var left = clamp(k, -1400, 1400);
  while (left != 0) {
    let step = clamp(left, -126, 126);
    out = hidden(out * power_of_two(step));
    left -= step;
  }
  return out;
}

fn shift_left(v: vec2<u32>, n: u32) -> vec2<u32> {
  if (n == 0u) { return v; }
  if (n >= 32u) { return vec2<u32>(0u, v.x << (n - 32u)); }
  return vec2<u32>(v.x << n, (v.y << n) | (v.x >> (32u - n)));
}

// v >> n; the lowest bit stays set if any bit shifted out was.
fn shift_right(v: vec2<u32>, n: u32) -> vec2<u32> {
  if (n == 0u) { return v; }
  if (n >= 64u) { return vec2<u32>(u32((v.x | v.y) != 0u), 0u); }
  if (n >= 32u) {
    let lost = v.x | (v.y & ((1u << (n - 32u)) - 1u));
    return vec2<u32>((v.y >> (n - 32u)) | u32(lost != 0u), 0u);
  }
  let lost = v.x & ((1u << n) - 1u);
  return vec2<u32>((v.x >> n) | (v.y << (32u - n)) | u32(lost != 0u), v.y >> n);
}

// Magnitude of x as an integer of 24 bits (its top bit set unless x is 0) times 2^exponent.
fn integer_part(x: f32) -> vec2<i32> {
  let m = bitcast<u32>(x) & 0x7FFFFFFFu;
  if (m == 0u) { return vec2<i32>(0, -1000); }
  let e = i32(m >> 23u);
  if (e > 0) { return vec2<i32>(i32((m & 0x7FFFFFu) | 0x800000u), e - 150); }
  let up = 23u - firstLeadingBit(m);
  return vec2<i32>(i32(m << up), -149 - i32(up));
}

// The bits (low word, high word) of (hi + lo) * 2^k as a double, rounded to nearest even; the
// result must be a normal number, zero, infinity or NaN. |lo| <= ulp(hi).
fn f64_of_sum(hi: f32, lo: f32, k: i32) -> vec2<u32> {
  let sign = bitcast<u32>(hi) & 0x80000000u;
  if (is_nan(hi)) { return vec2<u32>(0u, 0x7FF80000u); }
  if (!is_finite(hi)) { return vec2<u32>(0u, sign | 0x7FF00000u); }
  let a = integer_part(hi);
  if (a.x == 0) { return vec2<u32>(0u, sign); }
  // 24 bits of hi at bits 39 to 62.
  var m = shift_left(vec2<u32>(u32(a.x), 0u), 39u);
  let b = integer_part(lo);
  let up = b.y - (a.y - 39);
  var l = vec2<u32>(u32(b.x), 0u);
  if (up >= 0) { l = shift_left(l, u32(min(up, 39))); } else { l = shift_right(l, u32(min(-up, 64))); }
  if ((bitcast<u32>(lo) & 0x80000000u) == sign) {
    let low = m.x + l.x;
    m = vec2<u32>(low, m.y + l.y + u32(low < m.x));
  } else {
    m = vec2<u32>(m.x - l.x, m.y - l.y - u32(m.x < l.x));
  }
  // The top bit to bit 63: 53 bits stay, 11 decide the rounding.
  let up2 = 31u - firstLeadingBit(m.y);
  m = shift_left(m, up2);
  var exponent = (a.y - 39) - i32(up2) + 63 + 1023 + k;
  let rest = m.x & 0x7FFu;
  var q = vec2<u32>((m.x >> 11u) | (m.y << 21u), m.y >> 11u);
  if (rest > 0x400u || (rest == 0x400u && (q.x & 1u) == 1u)) {
    q.x += 1u;
    q.y += u32(q.x == 0u);
    exponent += i32(q.y >> 21u);
  }
  return vec2<u32>(q.x, sign | (u32(exponent) << 20u) | (q.y & 0xFFFFFu));
}
