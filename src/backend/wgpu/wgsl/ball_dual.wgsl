// Numbers of ball_coefficients.wgsl with a derivative along one direction. Needs pair_math.wgsl.

struct Num {
  v: vec2<f32>,
  d: vec2<f32>,
}

fn n_of(a: f32) -> Num { return Num(vec2<f32>(a, 0.0), vec2<f32>(0.0, 0.0)); }
fn n_add(a: Num, b: Num) -> Num { return Num(p_add(a.v, b.v), p_add(a.d, b.d)); }
fn n_sub(a: Num, b: Num) -> Num { return Num(p_sub(a.v, b.v), p_sub(a.d, b.d)); }
fn n_mul(a: Num, b: Num) -> Num {
  return Num(p_mul(a.v, b.v), p_add(p_mul(a.v, b.d), p_mul(a.d, b.v)));
}
fn n_div(a: Num, b: Num) -> Num {
  let q = p_div(a.v, b.v);
  return Num(q, p_div(p_sub(a.d, p_mul(q, b.d)), b.v));
}
fn n_neg(a: Num) -> Num { return Num(-a.v, -a.d); }
fn n_times(a: Num, b: f32) -> Num { return Num(p_mul_f(a.v, b), p_mul_f(a.d, b)); }
fn n_value(a: Num) -> vec2<f32> { return a.v; }

// The derivative of a root at 0 is taken as 0.
fn n_sqrt(a: Num) -> Num {
  let root = p_sqrt(a.v);
  if (!(root.x > 0.0)) { return n_of(0.0); }
  return Num(root, p_div(0.5 * a.d, root));
}

// f(a) whose derivative is (slope − f)/2n, n > SERIES_END.
fn ratio_of(f: vec2<f32>, slope: vec2<f32>, n: Num) -> Num {
  return Num(f, p_mul(n.d, p_div(0.5 * p_sub(slope, f), n.v)));
}

fn tanh_ratio(n: Num) -> Num {
  let f = tanh_ratio_value(n.v);
  if (n.v.x < SERIES_END) { return Num(f, p_mul(n.d, series_slope(n.v, -THIRD, TANH_TERMS))); }
  return ratio_of(f, p_sech_squared(p_sqrt(n.v)), n);
}

fn artanh_ratio(n: Num) -> Num {
  let f = artanh_ratio_value(n.v);
  if (n.v.x < SERIES_END) { return Num(f, p_mul(n.d, series_slope(n.v, THIRD, ARTANH_TERMS))); }
  return ratio_of(f, p_div(p_of(1.0), p_add_f(-n.v, 1.0)), n);
}

fn asinh_ratio(n: Num) -> Num {
  let f = asinh_ratio_value(n.v);
  if (n.v.x < SERIES_END) { return Num(f, p_mul(n.d, series_slope(n.v, -SIXTH, ASINH_TERMS))); }
  return ratio_of(f, p_div(p_of(1.0), p_sqrt(p_add_f(n.v, 1.0))), n);
}

// Beyond SINH_END the functions of a length stay where they are.
fn sinh_ratio(n: Num) -> Num {
  let f = sinh_ratio_value(n.v);
  if (n.v.x < SERIES_END) { return Num(f, p_mul(n.d, series_slope(n.v, SIXTH, SINH_TERMS))); }
  if (n.v.x > SINH_END * SINH_END) { return ratio_of(f, vec2<f32>(0.0, 0.0), n); }
  return ratio_of(f, cosh_root_value(n.v), n);
}

fn cosh_root(n: Num) -> Num {
  if (n.v.x > SINH_END * SINH_END) { return Num(cosh_root_value(n.v), vec2<f32>(0.0, 0.0)); }
  return Num(cosh_root_value(n.v), p_mul(n.d, 0.5 * sinh_ratio_value(n.v)));
}
