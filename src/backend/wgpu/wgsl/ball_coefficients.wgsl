// An operation of the ball as a combination a·A + s·S + v·V of its operand rows, s = a + b, with a
// number beside it. The coefficients are functions of the rows' inner products, here those of rows
// scaled by √κ, so that κ = 1. Roles and signs: ball.cpp. OP is a constant.

const OP_PROJECT: u32 = 0u;
const OP_IMPORT: u32 = 1u;
const OP_EXPMAP0: u32 = 2u;
const OP_LOGMAP0: u32 = 3u;
const OP_MOBIUS_ADD: u32 = 4u;
const OP_MOBIUS_SCALAR: u32 = 5u;
const OP_EXPMAP: u32 = 6u;
const OP_LOGMAP: u32 = 7u;
const OP_GYRATION: u32 = 8u;
const OP_TRANSPORT: u32 = 9u;
const OP_DIST: u32 = 10u;
const OP_SQUARED_DIST: u32 = 11u;
const OP_CONFORMAL_FACTOR: u32 = 12u;
const OP_EGRAD2RGRAD: u32 = 13u;
const OP_GEODESIC: u32 = 14u;
const OP_TO_LORENTZ: u32 = 15u;
const OP_SGD_STEP: u32 = 16u;
const OP_WEIGHTED: u32 = 17u;

struct Products {
  aa: Num,
  bb: Num,
  ss: Num,
  vv: Num,
  av: Num,
  sv: Num,
  t: Num,
  length: Num,  // the root of ss, also where ss underflows
}

struct Combination {
  a: Num,
  s: Num,
  v: Num,
  number: Num,
}

fn row_a(a: Num) -> Combination { return Combination(a, n_of(0.0), n_of(0.0), n_of(0.0)); }
fn row_as(a: Num, s: Num) -> Combination { return Combination(a, s, n_of(0.0), n_of(0.0)); }
fn row_v(v: Num) -> Combination { return Combination(n_of(0.0), n_of(0.0), v, n_of(0.0)); }
fn only_number(x: Num) -> Combination { return Combination(n_of(0.0), n_of(0.0), n_of(0.0), x); }

fn gap(squares: Num) -> Num { return n_sub(n_of(1.0), squares); }

// The denominator of a ⊕ b: a sum of positive terms.
fn sum_denominator(aa: Num, bb: Num, ss: Num) -> Num { return n_add(ss, n_mul(gap(aa), gap(bb))); }

// a ⊕ b = S·(a + b) + A·a; its squared length is the number.
fn mobius_sum(aa: Num, bb: Num, ss: Num) -> Combination {
  let d = sum_denominator(aa, bb, ss);
  let a = n_div(ss, d);
  return Combination(a, n_div(gap(aa), d), n_of(0.0), a);
}

// sinh² of half the scaled distance of a and −b.
fn sinh_squared(p: Products) -> Num { return n_div(p.ss, n_mul(gap(p.aa), gap(p.bb))); }

fn logmap_combination(p: Products) -> Combination {
  let m = sinh_squared(p);
  let h = n_div(asinh_ratio(m), n_mul(gap(p.bb), n_sqrt(n_add(n_of(1.0), m))));
  return row_as(n_neg(n_mul(h, p.ss)), n_neg(n_mul(h, gap(p.aa))));
}

fn geodesic_step(p: Products) -> Combination {
  let m = sinh_squared(p);
  let angle = n_mul(p.t, asinh_ratio(m));
  let reach = n_mul(angle, tanh_ratio(n_mul(m, n_mul(angle, angle))));
  let k = n_div(n_mul(reach, n_sqrt(n_add(n_of(1.0), m))), sum_denominator(p.aa, p.bb, p.ss));
  return row_as(n_neg(n_mul(k, p.ss)), n_neg(n_mul(k, gap(p.aa))));
}

// v + 2(Aa + Bb)/D with b = s − a: (A − B)a + Bs, where the large terms have cancelled.
fn gyration(p: Products) -> Combination {
  let scale = n_div(n_of(2.0), sum_denominator(p.aa, p.bb, p.ss));
  let on_a = n_sub(n_mul(p.sv, n_add(p.ss, gap(p.bb))), n_mul(p.av, p.ss));
  let on_s = n_add(n_mul(p.sv, p.aa), n_mul(p.av, gap(p.aa)));
  return Combination(n_mul(scale, on_a), n_neg(n_mul(scale, on_s)), n_of(1.0), n_of(0.0));
}

fn transport(p: Products) -> Combination {
  let turned = gyration(p);
  let scale = n_div(gap(p.aa), gap(p.bb));
  return Combination(n_mul(scale, turned.a), n_mul(scale, turned.s), scale, n_of(0.0));
}

fn dist(p: Products) -> Num {
  let ratio = asinh_ratio(sinh_squared(p));
  return n_times(n_mul(n_div(p.length, n_sqrt(n_mul(gap(p.aa), gap(p.bb)))), ratio), 2.0);
}

fn squared_dist(p: Products) -> Num {
  let m = sinh_squared(p);
  let ratio = asinh_ratio(m);
  return n_times(n_mul(m, n_mul(ratio, ratio)), 4.0);
}

// The exponential map at the origin of rows far outside, else the row.
fn import_factor(aa: Num, far: bool) -> Num {
  if (far) { return tanh_ratio(aa); }
  return n_of(1.0);
}

fn stage(p: Products, far: bool) -> Combination {
  switch (OP) {
    case OP_IMPORT: { return row_a(import_factor(p.aa, far)); }
    case OP_EXPMAP0: { return row_a(tanh_ratio(p.aa)); }
    case OP_LOGMAP0: { return row_a(artanh_ratio(p.aa)); }
    case OP_MOBIUS_ADD: { return mobius_sum(p.aa, p.bb, p.ss); }
    case OP_MOBIUS_SCALAR: {
      let angle = n_mul(p.t, artanh_ratio(p.aa));
      return row_a(n_mul(angle, tanh_ratio(n_mul(p.aa, n_mul(angle, angle)))));
    }
    case OP_EXPMAP: {  // of w with a ⊕ w = exp_a(v)
      let c = gap(p.aa);
      return row_v(n_div(tanh_ratio(n_div(p.vv, n_mul(c, c))), c));
    }
    case OP_SGD_STEP: {  // v is η·g: the same at −v/λ²
      let c = n_times(gap(p.aa), 0.25);
      return row_v(n_neg(n_mul(c, tanh_ratio(n_mul(p.vv, n_mul(c, c))))));
    }
    case OP_LOGMAP: { return logmap_combination(p); }
    case OP_GYRATION: { return gyration(p); }
    case OP_TRANSPORT: { return transport(p); }
    case OP_DIST: { return only_number(dist(p)); }
    case OP_SQUARED_DIST: { return only_number(squared_dist(p)); }
    case OP_CONFORMAL_FACTOR: { return only_number(n_div(n_of(2.0), gap(p.aa))); }
    case OP_EGRAD2RGRAD: {
      let c = n_times(gap(p.aa), 0.5);
      return row_v(n_mul(c, c));
    }
    case OP_GEODESIC: { return geodesic_step(p); }
    case OP_TO_LORENTZ: {
      let c = gap(p.aa);
      let two = n_div(n_of(2.0), c);
      return Combination(two, n_of(0.0), n_of(0.0), n_div(n_add(n_of(1.0), p.aa), c));
    }
    case OP_WEIGHTED: {  // tλ·a and t(λ − 1)
      let by = n_div(p.t, gap(p.aa));
      let row = n_times(by, 2.0);
      return Combination(row, n_of(0.0), n_of(0.0), n_mul(by, n_add(n_of(1.0), p.aa)));
    }
    default: {
      if (IS_LORENTZ) { return lorentz_stage(p); }
      return row_a(n_of(1.0));
    }
  }
}
