// softplus(z) − τz, z = s0·x + s1, τ = t within [s2, s3], and its derivative by x: see
// src/backend/cpu/simd/loss.cpp. NaN where what is checked does not fit.
fn evaluate(x: f32, t: f32) -> vec2<f32> {
  let z = fma(p.s0, x, p.s1);
  let bad = p.checked != 0u && (x < 0.0 || is_nan(t) || t < 0.0 || t > 1.0);
  if (bad || is_nan(z) || is_nan(t)) {
    return vec2<f32>(nan_value(), nan_value());
  }
  let tau = select(select(t, p.s2, t < p.s2), p.s3, t > p.s3);
  let e = st_exp(-abs(z));
  let tail = select(st_log(1.0 + e), e, e < 1.0e-4);
  let sigma = st_div(select(1.0, e, z < 0.0), 1.0 + e);
  return vec2<f32>(tail + ((1.0 - tau) * max(z, 0.0) + tau * max(-z, 0.0)), p.s0 * (sigma - tau));
}
