// Accumulator of sums (KIND 0), sums of squares (1) and weighted sums (2). Terms of very large and
// very small elements are added up apart, scaled by 2^-88 and 2^88, so that nothing overflows or
// vanishes before the result does.
struct Acc { big: vec2<f32>, mid: vec2<f32>, tiny: vec2<f32> }

const TINY_END: u32 = 0x2B800000u;  // 2^-40
const BIG_BEGIN: u32 = 0x53800000u;  // 2^40
const UP: f32 = 0x1p88f;
const DOWN: f32 = 0x1p-88f;

fn acc_empty() -> Acc {
  return Acc(vec2<f32>(0.0, 0.0), vec2<f32>(0.0, 0.0), vec2<f32>(0.0, 0.0));
}

fn add_term(s: vec2<f32>, x: f32, weight: f32) -> vec2<f32> {
  if (KIND == 0u) { return sum_add(s, x); }
  if (KIND == 1u) { return sum_add_product(s, x, x); }
  return sum_add_product(s, x, weight);
}

fn acc_add(a: Acc, bits: u32, weight: f32) -> Acc {
  let m = bits & 0x7FFFFFFFu;
  let x = bitcast<f32>(bits);
  var out = a;
  if (m == 0u || (m >= TINY_END && m < BIG_BEGIN)) {
    out.mid = add_term(a.mid, x, weight);
  } else if (m >= 0x7F800000u) {
    out.big.x = a.big.x + select(x * select(x, weight, KIND == 2u), x, KIND == 0u);
  } else if (m >= BIG_BEGIN) {
    out.big = add_term(a.big, x * DOWN, weight);
  } else if (m >= 0x800000u) {
    out.tiny = add_term(a.tiny, x * UP, weight);
  } else {  // subnormal: never through an operation that may flush it
    let up = f32(m) * 0x1p-61f;
    out.tiny = add_term(a.tiny, select(up, -up, bits > m), weight);
  }
  return out;
}

// Four elements: usually none is very large or very small.
fn acc_add4(a: Acc, bits: vec4<u32>, weight: vec4<f32>) -> Acc {
  let m = bits & vec4<u32>(0x7FFFFFFFu);
  let is_mid = (m - vec4<u32>(TINY_END)) < vec4<u32>(BIG_BEGIN - TINY_END);
  if (all(is_mid | (m == vec4<u32>(0u)))) {
    let x = bitcast<vec4<f32>>(bits);
    let two = add_term(add_term(a.mid, x.x, weight.x), x.y, weight.y);
    return Acc(a.big, add_term(add_term(two, x.z, weight.z), x.w, weight.w), a.tiny);
  }
  let two = acc_add(acc_add(a, bits.x, weight.x), bits.y, weight.y);
  return acc_add(acc_add(two, bits.z, weight.z), bits.w, weight.w);
}

fn acc_join(a: Acc, b: Acc) -> Acc {
  return Acc(sum_join(a.big, b.big), sum_join(a.mid, b.mid), sum_join(a.tiny, b.tiny));
}

// A sum of the next smaller elements at the scale of the larger.
fn stepped_down(s: vec2<f32>) -> vec2<f32> {
  let once = s * DOWN;
  if (KIND != 1u) { return once; }
  return vec2<f32>(hidden(once.x) * DOWN, hidden(once.y) * DOWN);
}

struct Total { value: vec2<f32>, exponent: i32 }

// value * 2^exponent, value normalized.
fn acc_total(a: Acc) -> Total {
  let plain = (a.big.x + a.mid.x) + a.tiny.x;
  if (!is_finite(a.big.x) || !is_finite(a.mid.x) || !is_finite(a.tiny.x)) {
    return Total(vec2<f32>(plain, 0.0), 0);
  }
  let step = select(88, 176, KIND == 1u);
  var v = a.tiny;
  var exponent = -step;
  if (a.big.x != 0.0 || a.big.y != 0.0) {
    v = sum_join(a.big, stepped_down(a.mid));
    exponent = step;
  } else if (a.mid.x != 0.0 || a.mid.y != 0.0) {
    v = sum_join(a.mid, stepped_down(a.tiny));
    exponent = 0;
  }
  return Total(two_sum(v.x, v.y), exponent);
}

// Square root of value * 2^e (e even), corrected once: sqrt alone may be a few units off.
fn root_of(value: vec2<f32>, e: i32) -> f32 {
  if (!is_finite(value.x) || value.x <= 0.0) { return value.x; }
  let lift = select(0, 64, value.x < 0x1p-60f);
  let a = scaled(value.x, lift);
  let s = sqrt(a);
  let rest = residual(a, s, s) + scaled(value.y, lift);
  return scaled(s + rest / (2.0 * s), (e - lift) / 2);
}
