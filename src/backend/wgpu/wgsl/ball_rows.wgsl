// Inner products of rows of the ball, LANES threads a row, ROWS = WG / LANES rows a workgroup.
// Rows are scaled by powers of two: points by √κ's, so that κ is in [1, 4) for what follows
// (p.kappa), and any row so that its entries are at most 2^30. Constants: WG, LANES, OP, WIDE (rows
// a are pairs), GRADIENT (rows g come too).

struct Params {
  rows: u32,
  cols: u32,
  groups: u32,
  a_divisor: u32,  // row i meets row i / a_divisor of a, row i % b_modulus of b
  b_modulus: u32,
  a_stride: u32,
  b_stride: u32,
  v_stride: u32,
  t_stride: u32,
  g_stride: u32,
  wanted: u32,      // gradients by a, b, v, t
  wide_out: u32,    // numbers as float64
  shift: i32,       // points are scaled by 2^shift
  v_shift: i32,
  number_shift: i32,  // numbers by number·2^number_shift
  kappa: f32,
  kappa_low: f32,
  rate: f32,
  rate_low: f32,
  number: f32,
  number_low: f32,
  g_number: f32,    // OP_WEIGHTED: gradient of the number
  g_number_low: f32,
  blocks: u32,      // ball_sum.wgsl: of the rows that meet one row of a
  block_rows: u32,
  first: u32,       // row of a that the first sum belongs to
  zero: u32,        // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> rows_a: array<u32>;
@group(0) @binding(2) var<storage, read_write> rows_b: array<u32>;
@group(0) @binding(3) var<storage, read_write> rows_v: array<u32>;
@group(0) @binding(4) var<storage, read_write> values_t: array<u32>;

const HAS_B: bool = OP == OP_MOBIUS_ADD || OP == OP_LOGMAP || OP == OP_GYRATION ||
                    OP == OP_TRANSPORT || OP == OP_DIST || OP == OP_SQUARED_DIST ||
                    OP == OP_GEODESIC || L_TWO || OP == OP_L_TRANSPORT;
const HAS_V: bool = OP == OP_EXPMAP || OP == OP_GYRATION || OP == OP_TRANSPORT ||
                    OP == OP_EGRAD2RGRAD || OP == OP_SGD_STEP || OP == OP_L_EXPMAP ||
                    OP == OP_L_TRANSPORT || OP == OP_L_EGRAD2RGRAD || OP == OP_L_TO_TANGENT ||
                    OP == OP_L_FROM_TANGENT;
const HAS_T: bool = OP == OP_MOBIUS_SCALAR || OP == OP_GEODESIC || OP == OP_WEIGHTED ||
                    OP == OP_L_GEODESIC || OP == OP_L_EGRAD2RGRAD;
const HAS_G: bool = GRADIENT != 0u;
const NEGATES_B: bool = HAS_B && OP != OP_MOBIUS_ADD && OP != OP_GYRATION;
const IMPORTS: bool = OP == OP_IMPORT || OP == OP_SGD_STEP;
const IS_POINT: bool = OP != OP_EXPMAP0 && OP != OP_L_EXPMAP0 && !IMPORTS;
const ADDS: bool = OP == OP_EXPMAP || OP == OP_GEODESIC || OP == OP_SGD_STEP;
const CLAMPS: bool = ADDS || OP == OP_EXPMAP0 || OP == OP_IMPORT || OP == OP_MOBIUS_ADD ||
                     OP == OP_MOBIUS_SCALAR;
const ONLY_NUMBER: bool = OP == OP_DIST || OP == OP_SQUARED_DIST || OP == OP_CONFORMAL_FACTOR ||
                          L_NUMBER;
// The number comes first in the result's rows.
const TIMED_OUT: bool = OP == OP_TO_LORENTZ ||
                        (IS_LORENTZ && !L_NUMBER && OP != OP_L_TO_POINCARE && OP != OP_L_TO_TANGENT);
// The result is linear in v, and scaled as v is.
const LINEAR: bool = OP == OP_GYRATION || OP == OP_TRANSPORT || OP == OP_EGRAD2RGRAD ||
                     OP == OP_L_TRANSPORT || OP == OP_L_EGRAD2RGRAD || OP == OP_L_TO_TANGENT ||
                     OP == OP_L_FROM_TANGENT;
const OFFSET: u32 = select(0u, 1u, TIMED_IN);

const ROWS: u32 = WG / LANES;
const TOPS: u32 = 4u + GRADIENT;
const OF_B: u32 = select(0u, 1u, HAS_B);
const OF_V: u32 = select(0u, 1u, HAS_V);
const OF_AB: u32 = select(0u, 2u, L_TWO);
// Slots of the sums; with b, ⟨s, v⟩ stands in |v|²'s, and L_TWO takes v = b.
const AA: u32 = 0u;
const BB: u32 = 1u;
const SS: u32 = 2u;
const VV: u32 = 1u + 2u * OF_B;
const AV: u32 = VV + 1u;
const GA: u32 = VV + 2u * OF_V + OF_AB;
const GS: u32 = GA + 1u;
const GV: u32 = GA + 1u + OF_B;
const SUMS: u32 = GA + GRADIENT * (1u + OF_B + OF_V);
var<workgroup> tops: array<u32, WG * TOPS>;
var<workgroup> sums: array<vec2<f32>, WG * SUMS>;

// The row a thread is at: where its operands begin, and how they are scaled.
var<private> base_a: u32;
var<private> base_b: u32;
var<private> base_v: u32;
var<private> base_g: u32;
var<private> index_t: u32;
var<private> scale_a: f32;
var<private> scale_b: f32;
var<private> scale_v: f32;
var<private> scale_g: f32;
var<private> scale_s: f32;
var<private> power_a: i32;  // what was taken from large entries
var<private> power_b: i32;
var<private> power_v: i32;
var<private> power_g: i32;
var<private> power_s: i32;
var<private> is_finite_row: bool;
var<private> is_zero_v: bool;

fn to_row(row: u32) {
  base_a = (row / p.a_divisor) * p.a_stride + OFFSET;
  base_b = (row % p.b_modulus) * p.b_stride + OFFSET;
  base_v = row * p.v_stride + OFFSET;
  base_g = row * p.g_stride;
  index_t = row * p.t_stride;
}

// Entries are at most 2^30; of the hyperboloid's rows, 2^57, which is beyond its margin.
const MOST_BITS: i32 = select(157, 184, IS_LORENTZ);
fn excess(top: u32, shift: i32) -> i32 { return max(0, i32(top >> 23u) - MOST_BITS + shift); }

// Largest entries of local row `local`, and the scales that follow.
fn scale_row(local: u32) {
  var top: array<u32, TOPS>;
  for (var lane = 0u; lane < LANES; lane = lane + 1u) {
    for (var k = 0u; k < TOPS; k = k + 1u) {
      top[k] = max(top[k], tops[(local * LANES + lane) * TOPS + k]);
    }
  }
  power_a = excess(top[0], p.shift);
  power_b = excess(top[1], p.shift);
  power_v = excess(top[2], p.v_shift);
  scale_a = p_power_of_two(p.shift - power_a);
  scale_b = p_power_of_two(p.shift - power_b);
  scale_v = p_power_of_two(p.v_shift - power_v);
  power_s = clamp(i32(top[3] >> 23u) - 127 + p.shift, -120, MOST_BITS - 127);
  scale_s = p_power_of_two(-power_s);
  is_finite_row = max(top[0], max(top[1], top[2])) < 0x7f800000u;
  is_zero_v = top[2] == 0u;
  if (HAS_G) {
    power_g = max(0, i32(top[TOPS - 1u] >> 23u) - 157);
    scale_g = p_power_of_two(-power_g);
    is_finite_row = is_finite_row && top[TOPS - 1u] < 0x7f800000u;
  }
}

fn entry_a(j: u32) -> vec2<f32> {
  if (WIDE != 0u) {
    let at = 2u * (base_a + j);
    return scale_a * vec2<f32>(bitcast<f32>(rows_a[at]), bitcast<f32>(rows_a[at + 1u]));
  }
  return vec2<f32>(scale_a * bitcast<f32>(rows_a[base_a + j]), 0.0);
}
fn entry_b(j: u32) -> f32 {
  let b = scale_b * bitcast<f32>(rows_b[base_b + j]);
  if (NEGATES_B) { return -b; }
  return b;
}
fn entry_v(j: u32) -> f32 { return scale_v * bitcast<f32>(rows_v[base_v + j]); }

// a + b, in the ball rounded where both are float32.
fn entry_s(a: vec2<f32>, b: f32) -> vec2<f32> {
  if (WIDE != 0u || IS_LORENTZ) { return p_add_f(a, b); }
  return vec2<f32>(a.x + b, 0.0);
}

// fa·a + fb·b.
fn clamped_s(a: vec2<f32>, b: f32, fa: vec2<f32>, fb: vec2<f32>) -> vec2<f32> {
  return p_add(p_mul(fa, a), p_mul_f(fb, b));
}

fn accumulate(sum: vec2<f32>, a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  if (WIDE != 0u || (IS_LORENTZ && HAS_B)) { return p_add(sum, p_mul(a, b)); }
  let product = two_prod(a.x, b.x);
  let s = two_sum(sum.x, product.x);
  return vec2<f32>(s.x, sum.y + (s.y + product.y));
}

fn magnitude(a: f32) -> u32 { return bitcast<u32>(a) & 0x7fffffffu; }

// First step: largest entries.
fn find_tops(tid: u32, valid: bool) {
  var top: array<u32, TOPS>;
  if (valid) {
    scale_a = 1.0;
    scale_b = 1.0;
    scale_v = 1.0;
    for (var j = tid % LANES; j < p.cols; j = j + LANES) {
      let a = entry_a(j);
      top[0] = max(top[0], rows_a[select(1u, 2u, WIDE != 0u) * (base_a + j)] & 0x7fffffffu);
      if (HAS_B) {
        let b = entry_b(j);
        top[1] = max(top[1], rows_b[base_b + j] & 0x7fffffffu);
        top[3] = max(top[3], magnitude(entry_s(a, b).x));
      }
      if (HAS_V) { top[2] = max(top[2], rows_v[base_v + j] & 0x7fffffffu); }
      if (HAS_G && !ONLY_NUMBER) { top[TOPS - 1u] = max(top[TOPS - 1u], magnitude(raw_g(j))); }
    }
    if (HAS_G) { top[TOPS - 1u] = max(top[TOPS - 1u], magnitude(raw_g_number())); }
    if (OP == OP_L_EGRAD2RGRAD) { top[2] = max(top[2], rows_v[base_v - 1u] & 0x7fffffffu); }
  }
  for (var k = 0u; k < TOPS; k = k + 1u) { tops[tid * TOPS + k] = top[k]; }
}

// Second step: each lane's part of the inner products.
fn sum_products(tid: u32, valid: bool) {
  var sum: array<vec2<f32>, 9>;
  if (valid) {
    for (var j = tid % LANES; j < p.cols; j = j + LANES) {
      let a = entry_a(j);
      sum[AA] = accumulate(sum[AA], a, a);
      var v = vec2<f32>(0.0, 0.0);
      if (HAS_V) {
        v = p_of(entry_v(j));
        sum[AV] = accumulate(sum[AV], a, v);
        if (!HAS_B) { sum[VV] = accumulate(sum[VV], v, v); }
      }
      var g = vec2<f32>(0.0, 0.0);
      if (HAS_G && !ONLY_NUMBER) {
        g = p_of(scale_g * raw_g(j));
        sum[GA] = accumulate(sum[GA], a, g);
        if (HAS_V) { sum[GV] = accumulate(sum[GV], v, g); }
      }
      if (HAS_B) {
        let b = entry_b(j);
        let s = entry_s(a, b);
        sum[BB] = accumulate(sum[BB], p_of(b), p_of(b));
        sum[SS] = accumulate(sum[SS], scale_s * s, scale_s * s);
        if (HAS_V) { sum[VV] = accumulate(sum[VV], s, v); }
        if (L_TWO) {
          sum[VV] = accumulate(sum[VV], s, p_of(b));
          sum[AV] = accumulate(sum[AV], a, p_of(b));
        }
        if (HAS_G && !ONLY_NUMBER) { sum[GS] = accumulate(sum[GS], s, g); }
      }
    }
  }
  for (var k = 0u; k < SUMS; k = k + 1u) { sums[tid * SUMS + k] = sum[k]; }
}

// The sum in slot k over the lanes of a row.
fn row_sum(local: u32, k: u32) -> vec2<f32> {
  var total = vec2<f32>(0.0, 0.0);
  for (var lane = 0u; lane < LANES; lane = lane + 1u) {
    let part = sums[(local * LANES + lane) * SUMS + k];
    total = p_add(total, quick_sum(part.x, part.y));
  }
  return total;
}

const BALL_MAX = vec2<f32>(0.9999899864196777, 1.3580322311135262e-8);
const IMPORT_RADIUS = vec2<f32>(1.000100016593933, -1.6593933116482162e-8);
const BALL_EDGE: f32 = 0.99999094;  // BALL_MAX·(1 + 2^-20)

// What brings a row of squared length n back into the ball: 1 inside.
fn clamp_factor(n: vec2<f32>) -> vec2<f32> {
  let root = p_sqrt(n);
  if (TIMED_IN) {
    if (root.x > L_EDGE) { return p_div(p_of(L_MAX), root); }
    return vec2<f32>(1.0, 0.0);
  }
  if (p_add_f(root, -BALL_EDGE).x > 0.0) { return p_div(BALL_MAX, root); }
  return vec2<f32>(1.0, 0.0);
}

// Is a row of squared length n Euclidean data?
fn is_far(n: vec2<f32>) -> bool { return p_sub(p_sqrt(n), IMPORT_RADIUS).x >= 0.0; }

// Inner products of the clamped rows, as values; κ included.
struct Gram {
  aa: vec2<f32>,
  bb: vec2<f32>,
  ss: vec2<f32>,
  vv: vec2<f32>,
  av: vec2<f32>,
  sv: vec2<f32>,
  ga: vec2<f32>,
  gs: vec2<f32>,
  gv: vec2<f32>,
  length: vec2<f32>,
  t: vec2<f32>,
  factor_a: vec2<f32>,
  factor_b: vec2<f32>,
}

// Rows brought inside: |s|² and what is beside it anew, from the coordinates.
fn sum_again(gram: Gram) -> Gram {
  var out = gram;
  var ss = vec2<f32>(0.0, 0.0);
  var sv = ss;
  var gs = ss;
  for (var j = 0u; j < p.cols; j = j + 1u) {
    let s = clamped_s(entry_a(j), entry_b(j), gram.factor_a, gram.factor_b);
    ss = p_add(ss, p_square(s));
    if (HAS_V) { sv = p_add(sv, p_mul_f(s, entry_v(j))); }
    if (L_TWO) { sv = p_add(sv, p_mul(s, p_mul_f(gram.factor_b, entry_b(j)))); }
    if (HAS_G && !ONLY_NUMBER) { gs = p_add(gs, p_mul_f(s, scale_g * raw_g(j))); }
  }
  let kappa = vec2<f32>(p.kappa, p.kappa_low);
  out.ss = p_mul(kappa, ss);
  out.sv = p_mul(kappa, sv);
  out.gs = p_mul(kappa, gs);
  out.length = p_sqrt(out.ss);
  return out;
}

fn is_one(a: vec2<f32>) -> bool { return a.x == 1.0 && a.y == 0.0; }

fn load_t() -> vec2<f32> {
  if (!HAS_T) { return vec2<f32>(1.0, 0.0); }
  let bits = values_t[index_t];
  let t = bitcast<f32>(bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { is_finite_row = false; }
  if (OP == OP_WEIGHTED) { return p_of(t); }
  if (OP == OP_L_EGRAD2RGRAD) {  // in the scale of v
    return p_mul_f(p_sqrt(vec2<f32>(p.kappa, p.kappa_low)), scale_v * t);
  }
  return p_of(clamp(t, -3.6028797e16, 3.6028797e16));
}

// Third step, one thread a row: the products of local row `local`, its scales set. `import`: rows
// far outside are brought in by the exponential map at the origin.
fn products_of(local: u32) -> Gram {
  let kappa = vec2<f32>(p.kappa, p.kappa_low);
  let one = vec2<f32>(1.0, 0.0);
  var gram: Gram;
  gram.t = load_t();
  gram.factor_a = one;
  gram.factor_b = one;
  gram.aa = p_mul(kappa, row_sum(local, AA));
  if (IS_POINT) { gram.factor_a = clamp_factor(gram.aa); }
  if (IMPORTS) { gram.factor_a = import_scale(gram.aa); }
  if (HAS_B) {
    gram.bb = p_mul(kappa, row_sum(local, BB));
    gram.factor_b = clamp_factor(gram.bb);
    gram.ss = p_mul(kappa, row_sum(local, SS));
    gram.length = p_power_of_two(power_s) * p_sqrt(gram.ss);
    gram.ss = p_power_of_two(power_s) * (p_power_of_two(power_s) * gram.ss);
  }
  if (HAS_V) {
    gram.av = p_mul(kappa, row_sum(local, AV));
    let other = p_mul(kappa, row_sum(local, VV));
    if (HAS_B) { gram.sv = other; } else { gram.vv = other; }
  }
  if (L_TWO) {
    gram.sv = p_mul(kappa, row_sum(local, VV));
    gram.av = p_mul(kappa, row_sum(local, AV));
  }
  if (HAS_G && !ONLY_NUMBER) {
    gram.ga = p_mul(kappa, row_sum(local, GA));
    if (HAS_B) { gram.gs = p_mul(kappa, row_sum(local, GS)); }
    if (HAS_V) { gram.gv = p_mul(kappa, row_sum(local, GV)); }
  }
  if (is_one(gram.factor_a) && is_one(gram.factor_b)) { return gram; }
  gram.aa = p_mul(gram.aa, p_square(gram.factor_a));
  gram.av = p_mul(gram.av, gram.factor_a);
  gram.ga = p_mul(gram.ga, gram.factor_a);
  gram.bb = p_mul(gram.bb, p_square(gram.factor_b));
  if (L_TWO) { gram.av = p_mul(gram.av, gram.factor_b); }
  if (HAS_B) { return sum_again(gram); }
  return gram;
}
