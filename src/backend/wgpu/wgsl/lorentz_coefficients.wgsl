// Operations of the hyperboloid as combinations of rows of space, as ball_coefficients.wgsl: a = x,
// b = -y, s = x - y, v. Rows are scaled so that the curvature is 1; times are numbers in its unit.
// No square of a time is multiplied by another: at radius 40 a time is 2^57.

const OP_L_PROJECT: u32 = 18u;
const OP_L_EXPMAP0: u32 = 19u;
const OP_L_LOGMAP0: u32 = 20u;
const OP_L_EXPMAP: u32 = 21u;
const OP_L_LOGMAP: u32 = 22u;
const OP_L_TRANSPORT: u32 = 23u;
const OP_L_DIST: u32 = 24u;
const OP_L_SQUARED_DIST: u32 = 25u;
const OP_L_CONFORMAL_FACTOR: u32 = 26u;
const OP_L_EGRAD2RGRAD: u32 = 27u;
const OP_L_GEODESIC: u32 = 28u;
const OP_L_TO_POINCARE: u32 = 29u;
const OP_L_TO_TANGENT: u32 = 30u;    // of the ball
const OP_L_FROM_TANGENT: u32 = 31u;  // of the ball

const IS_LORENTZ: bool = OP >= OP_L_PROJECT && OP <= OP_L_FROM_TANGENT;
// Operand rows have a time column first.
const TIMED_IN: bool = IS_LORENTZ && OP != OP_L_FROM_TANGENT;
const L_POINT: bool = OP == OP_L_PROJECT || OP == OP_L_EXPMAP0 || OP == OP_L_EXPMAP ||
                      OP == OP_L_GEODESIC;
const L_NUMBER: bool = OP == OP_L_DIST || OP == OP_L_SQUARED_DIST || OP == OP_L_CONFORMAL_FACTOR;
const L_TWO: bool = OP == OP_L_LOGMAP || OP == OP_L_DIST || OP == OP_L_SQUARED_DIST ||
                    OP == OP_L_GEODESIC;
const L_MAX: f32 = 1.17692633e17;   // sinh 40, which is cosh 40
const L_EDGE: f32 = 1.17692745e17;  // L_MAX·(1 + 2^-20)

fn time_of(squares: Num) -> Num { return n_sqrt(n_add(n_of(1.0), squares)); }

// Where it is positive, else 0 without a slope.
fn n_positive(a: Num) -> Num {
  if (n_value(a).x > 0.0) { return a; }
  return n_of(0.0);
}

struct LorentzPair {
  x0: Num,
  apart: Num,  // x0 - y0
  m: Num,      // sinh^2 of half the distance
}

// p.av is <x, -y> and p.sv <x - y, -y>. <X - Y, X - Y> comes from differences where the points are
// close, from <X, Y> where they are not.
fn lorentz_pair(p: Products) -> LorentzPair {
  let x0 = time_of(p.aa);
  let y0 = time_of(p.bb);
  let apart = n_div(n_sub(p.ss, n_times(p.sv, 2.0)), n_add(x0, y0));
  let both = n_mul(x0, y0);
  var q = n_sub(p.ss, n_mul(apart, apart));
  if (n_value(p.ss).x >= n_value(both).x) {
    q = n_times(n_sub(n_add(both, p.av), n_of(1.0)), 2.0);
  }
  return LorentzPair(x0, apart, n_times(n_positive(q), 0.25));
}

// d/sinh d.
fn unit_of(m: Num) -> Num { return n_div(asinh_ratio(m), n_sqrt(n_add(n_of(1.0), m))); }

fn lorentz_along(q: LorentzPair, on_x: Num, on_s: Num) -> Combination {
  let time = n_sub(n_mul(on_x, q.x0), n_mul(on_s, q.apart));
  return Combination(on_x, n_neg(on_s), n_of(0.0), time);
}

fn lorentz_logmap(p: Products) -> Combination {
  let q = lorentz_pair(p);
  let h = unit_of(q.m);
  return lorentz_along(q, n_neg(n_times(n_mul(h, q.m), 2.0)), h);
}

fn lorentz_geodesic(p: Products) -> Combination {
  let q = lorentz_pair(p);
  let angle = n_mul(p.t, asinh_ratio(q.m));
  let n = n_times(n_mul(n_mul(q.m, angle), angle), 4.0);
  let reach = n_mul(n_mul(p.t, unit_of(q.m)), sinh_ratio(n));
  return lorentz_along(q, n_sub(cosh_root(n), n_times(n_mul(q.m, reach), 2.0)), reach);
}

fn lorentz_expmap(p: Products) -> Combination {
  let x0 = time_of(p.aa);
  let v0 = n_div(p.av, x0);
  let n = n_positive(n_sub(p.vv, n_mul(v0, v0)));
  let stay = cosh_root(n);
  let along = sinh_ratio(n);
  return Combination(stay, n_of(0.0), along, n_add(n_mul(stay, x0), n_mul(along, v0)));
}

fn lorentz_transport(p: Products) -> Combination {
  let x0 = time_of(p.aa);
  let both = n_add(x0, time_of(p.bb));
  let apart = n_div(n_sub(p.aa, p.bb), both);
  let v0 = n_div(p.av, x0);
  let q = n_positive(n_sub(p.ss, n_mul(apart, apart)));
  let k = n_div(n_sub(n_mul(apart, v0), p.sv), n_add(n_of(2.0), n_times(q, 0.5)));
  return Combination(n_times(k, 2.0), n_neg(k), n_of(1.0), n_add(v0, n_mul(k, both)));
}

fn lorentz_to_poincare(p: Products) -> Combination {
  let c = n_div(n_of(1.0), n_add(n_of(1.0), time_of(p.aa)));
  let length = n_sqrt(p.aa);
  if (p_add_f(n_value(n_mul(c, length)), -BALL_EDGE).x > 0.0) {
    return row_a(n_div(n_add(n_of(BALL_MAX.x), n_of(BALL_MAX.y)), length));
  }
  return row_a(c);
}

fn lorentz_stage(p: Products) -> Combination {
  let zero = n_of(0.0);
  let one = n_of(1.0);
  switch (OP) {
    case OP_L_EXPMAP0: { return Combination(sinh_ratio(p.aa), zero, zero, cosh_root(p.aa)); }
    case OP_L_LOGMAP0: { return row_a(asinh_ratio(p.aa)); }
    case OP_L_EXPMAP: { return lorentz_expmap(p); }
    case OP_L_LOGMAP: { return lorentz_logmap(p); }
    case OP_L_TRANSPORT: { return lorentz_transport(p); }
    case OP_L_DIST: {
      let m = lorentz_pair(p).m;
      return only_number(n_times(n_mul(n_sqrt(m), asinh_ratio(m)), 2.0));
    }
    case OP_L_SQUARED_DIST: {
      let m = lorentz_pair(p).m;
      let ratio = asinh_ratio(m);
      return only_number(n_times(n_mul(n_mul(m, ratio), ratio), 4.0));
    }
    case OP_L_CONFORMAL_FACTOR: { return only_number(n_add(one, time_of(p.aa))); }
    case OP_L_EGRAD2RGRAD: {  // t is G's time
      let x0 = time_of(p.aa);
      let xh = n_add(n_mul(x0, p.t), p.av);
      return Combination(xh, zero, one, n_add(n_mul(p.aa, p.t), n_mul(p.av, x0)));
    }
    case OP_L_GEODESIC: { return lorentz_geodesic(p); }
    case OP_L_TO_POINCARE: { return lorentz_to_poincare(p); }
    case OP_L_TO_TANGENT: {
      let x0 = time_of(p.aa);
      let c = n_div(one, n_add(one, x0));
      return Combination(n_neg(n_mul(n_mul(n_div(p.av, x0), c), c)), zero, c, zero);
    }
    case OP_L_FROM_TANGENT: {
      let factor = n_div(n_of(2.0), gap(p.aa));
      let on_p = n_mul(n_mul(factor, factor), p.av);
      return Combination(on_p, zero, factor, on_p);
    }
    default: { return Combination(one, zero, zero, time_of(p.aa)); }
  }
}
