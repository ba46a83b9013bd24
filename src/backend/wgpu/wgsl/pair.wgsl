// Pairs: a number as hi + lo, vec2<f32>, lo at most half a unit in the last place of hi (about 48
// bits). Nothing here depends on whether a driver fuses a*b + c: products are split by a bit mask
// into parts whose products are exact. WGSL also lets a driver reassociate sums, which would undo
// the error terms, and Mesa does: each step passes through an integer operation with `pair_zero`,
// which main() sets to a parameter that is 0, so that no compiler knows it.
var<private> pair_zero: u32;

fn hide(a: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a) ^ pair_zero); }

fn two_sum(a: f32, b: f32) -> vec2<f32> {
  let s = hide(a + b);
  let t = hide(s - a);
  let u = hide(s - t);
  return vec2<f32>(s, hide(a - u) + (b - t));
}

// Needs |a| >= |b|, or a = 0.
fn quick_sum(a: f32, b: f32) -> vec2<f32> {
  let s = hide(a + b);
  return vec2<f32>(s, b - hide(s - a));
}

fn upper_half(a: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a) & 0xFFFFF000u); }

fn two_prod(a: f32, b: f32) -> vec2<f32> {
  let p = hide(a * b);
  let ah = upper_half(a);
  let bh = upper_half(b);
  let al = a - ah;
  let bl = b - bh;
  let rest = hide(hide(ah * bh - p) + ah * bl);
  return vec2<f32>(p, hide(rest + al * bh) + al * bl);
}

fn p_of(a: f32) -> vec2<f32> { return vec2<f32>(a, 0.0); }

fn p_add(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let s = two_sum(a.x, b.x);
  let t = two_sum(a.y, b.y);
  let u = quick_sum(s.x, s.y + t.x);
  return quick_sum(u.x, u.y + t.y);
}

fn p_sub(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> { return p_add(a, -b); }

fn p_add_f(a: vec2<f32>, b: f32) -> vec2<f32> {
  let s = two_sum(a.x, b);
  return quick_sum(s.x, s.y + a.y);
}

fn p_mul(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let p = two_prod(a.x, b.x);
  return quick_sum(p.x, p.y + (a.x * b.y + a.y * b.x));
}

fn p_mul_f(a: vec2<f32>, b: f32) -> vec2<f32> {
  let p = two_prod(a.x, b);
  return quick_sum(p.x, p.y + a.y * b);
}

fn p_square(a: vec2<f32>) -> vec2<f32> { return p_mul(a, a); }

// Quotient; two steps of long division.
fn p_div(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let q = a.x / b.x;
  let r = p_sub(a, p_mul_f(b, q));
  let q1 = r.x / b.x;
  let r1 = p_sub(r, p_mul_f(b, q1));
  let s = quick_sum(q, q1);
  return quick_sum(s.x, s.y + r1.x / b.x);
}

// Root of a number >= 0; 0 of anything below.
fn p_sqrt(a: vec2<f32>) -> vec2<f32> {
  if (!(a.x > 0.0)) { return vec2<f32>(0.0, 0.0); }
  let y = sqrt(a.x);
  let r = p_sub(a, two_prod(y, y));
  let y1 = quick_sum(y, r.x / (2.0 * y));
  let r1 = p_sub(a, p_square(y1));
  return quick_sum(y1.x, y1.y + r1.x / (2.0 * y1.x));
}

fn p_less(a: vec2<f32>, b: vec2<f32>) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

// 2^e for -126 <= e <= 127, exact.
fn p_power_of_two(e: i32) -> f32 {
  return bitcast<f32>(u32(clamp(e, -126, 127) + 127) << 23u);
}

// a·2^e for a within float32's range and any sum of exponents; what overflows is infinite.
fn scale_by_power(a: f32, e: i32) -> f32 {
  let half = clamp(e, -252, 252) / 2;
  return (a * p_power_of_two(half)) * p_power_of_two(clamp(e, -252, 252) - half);
}

// The bits (low, high) of hi + lo as a float64; exact. Subnormal hi counts as 0.
fn f64_bits(hi: f32, lo: f32) -> vec2<u32> {
  let h = bitcast<u32>(hi);
  let sign = h & 0x80000000u;
  let e = (h >> 23u) & 0xFFu;
  let m = h & 0x7FFFFFu;
  if (e == 0u) { return vec2<u32>(0u, sign); }
  if (e == 255u) { return vec2<u32>(m << 29u, sign | 0x7FF00000u | (m >> 3u)); }
  // 53 bits of mantissa as two words: m·2^29.
  var low = m << 29u;
  var high = (m | 0x800000u) >> 3u;
  let l = bitcast<u32>(lo);
  let le = (l >> 23u) & 0xFFu;
  var exponent = e + 896u;
  if (le != 0u) {
    // lo in units of the last of those 53 bits: (1.m)·2^(le - e + 52), le - e <= -23.
    let ml = (l & 0x7FFFFFu) | 0x800000u;
    let shift = i32(le) - i32(e) + 29;
    var add_low = 0u;
    var add_high = 0u;
    if (shift >= 32) {
      add_high = ml << u32(shift - 32);
    } else if (shift > 0) {
      add_low = ml << u32(shift);
      add_high = ml >> u32(32 - shift);
    } else if (shift > -24) {
      add_low = ml >> u32(-shift);
    }
    if ((l & 0x80000000u) == sign) {
      let sum = low + add_low;
      high = high + add_high + select(0u, 1u, sum < low);
      low = sum;
    } else {
      let borrow = select(0u, 1u, low < add_low);
      low = low - add_low;
      high = high - add_high - borrow;
    }
    if ((high & 0x200000u) != 0u) {
      low = (low >> 1u) | (high << 31u);
      high = high >> 1u;
      exponent = exponent + 1u;
    } else if ((high & 0x100000u) == 0u) {
      high = (high << 1u) | (low >> 31u);
      low = low << 1u;
      exponent = exponent - 1u;
    }
  }
  return vec2<u32>(low, sign | (exponent << 20u) | (high & 0xFFFFFu));
}
