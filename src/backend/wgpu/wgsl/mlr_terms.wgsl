// asinh u, u = A·cosh s − T·sinh s, and its derivatives, in float32: src/backend/cpu/simd/mlr.hpp has
// the formulas. Needs bits.wgsl, math.wgsl, pair.wgsl and pair_math.wgsl.

struct Terms {
  value: f32,
  by_a: f32,
  by_t: f32,  // by −T
  by_s: f32,
}

fn asinh_of(u: f32) -> f32 {
  let a = abs(u);
  if (a < 1.0e-6) { return u; }
  let grown = a + a * st_div(a, 1.0 + sqrt(fma(a, a, 1.0)));
  return with_sign(p_log1p(p_of(grown)).x, sign_bit(u));
}

// s >= 0.
fn mirrored_terms(a: f32, t: f32, s: f32) -> Terms {
  let decay = st_exp(-2.0 * s);
  if (s < 1.0) {
    let power = st_exp(s);
    let cosh = 0.5 * (power + 1.0 / power);
    var sinh = 0.5 * (power - 1.0 / power);
    if (s < 0.3) { sinh = s * fma(s * s, fma(s * s, fma(s * s, 0.000198412698, 0.00833333333), 0.166666667), 1.0); }
    let u = fma(a, cosh, -t * sinh);
    let inverse = 1.0 / sqrt(fma(u, u, 1.0));
    return Terms(asinh_of(u), cosh * inverse, sinh * inverse, (a * sinh - t * cosh) * inverse);
  }
  // (T − A)(T + A) >= 1: what rounding leaves of the smaller one is no less.
  var apart = t - a;
  var beside = t + a;
  if (a < 0.0) {
    beside = max(beside, st_div(1.0, apart));
  } else {
    apart = max(apart, st_div(1.0, beside));
  }
  let small = beside * decay;
  let q = apart - small;
  let d = sqrt(fma(q, q, 4.0 * decay));
  let inverse = st_div(1.0, d);
  var value = 0.0;
  if (s < 20.0) {
    value = asinh_of(-0.5 * st_exp(s) * q);
  } else {
    value = -(s + st_log(0.5 * (q + d)));
  }
  return Terms(value, (1.0 + decay) * inverse, (1.0 - decay) * inverse, -(apart + small) * inverse);
}

fn terms_of(a: f32, t: f32, s: f32) -> Terms {
  if (is_nan(a) || is_nan(t) || is_nan(s)) {
    let lost = nan_value();
    return Terms(lost, lost, lost, lost);
  }
  if (sign_bit(s) == 0u) { return mirrored_terms(a, t, s); }
  let m = mirrored_terms(-a, t, -s);
  return Terms(-m.value, m.by_a, -m.by_t, m.by_s);
}
