// Row-wise operations of the ball. Constants: those of ball_rows.wgsl. Needs ball_number.wgsl,
// ball_coefficients.wgsl and ball_rows.wgsl.

@group(0) @binding(5) var<storage, read_write> out: array<u32>;

fn raw_g(j: u32) -> f32 { return 0.0; }
fn raw_g_number() -> f32 { return 0.0; }

fn import_scale(aa: vec2<f32>) -> vec2<f32> {
  if (!is_far(aa)) { return clamp_factor(aa); }
  let f = tanh_ratio_value(aa);
  return p_mul(f, clamp_factor(p_mul(aa, p_square(f))));
}

// |x·a + y·s + z·v|².
fn squares_of(gram: Gram, x: vec2<f32>, y: vec2<f32>, z: vec2<f32>) -> vec2<f32> {
  var sum = p_mul(p_square(x), gram.aa);
  if (HAS_B) {
    let twice_as = p_sub(p_add(gram.aa, gram.ss), gram.bb);
    sum = p_add(sum, p_add(p_mul(p_mul(x, y), twice_as), p_mul(p_square(y), gram.ss)));
  }
  if (HAS_V) {
    let cross = 2.0 * p_mul(p_mul(x, z), gram.av);
    sum = p_add(sum, p_add(cross, p_mul(p_square(z), gram.vv)));
  }
  return sum;
}

// Entry j of x·a + y·s + z·v; x counts for the row before it was brought inside.
fn combined(gram_a: vec2<f32>, gram_b: vec2<f32>, x: vec2<f32>, y: vec2<f32>, z: vec2<f32>,
            j: u32) -> vec2<f32> {
  let a = entry_a(j);
  var sum = p_mul_f(x, a.x);
  if (HAS_B) {
    let b = entry_b(j);
    var s = two_sum(a.x, b);
    if (!is_one(gram_a) || !is_one(gram_b)) { s = clamped_s(a, b, gram_a, gram_b); }
    sum = p_add(sum, p_mul(y, s));
  }
  if (HAS_V) { sum = p_add(sum, p_mul_f(z, entry_v(j))); }
  return sum;
}

// The same from the coordinates, where the products cancel.
fn squares_again(gram: Gram, x: vec2<f32>, y: vec2<f32>, z: vec2<f32>) -> vec2<f32> {
  let on_a = p_mul(x, gram.factor_a);
  var sum = vec2<f32>(0.0, 0.0);
  for (var j = 0u; j < p.cols; j = j + 1u) {
    sum = p_add(sum, p_square(combined(gram.factor_a, gram.factor_b, on_a, y, z, j)));
  }
  return p_mul(vec2<f32>(p.kappa, p.kappa_low), sum);
}

// a ⊕ (what the stage gave).
fn add_to_a(gram: Gram, r: Combination) -> Combination {
  let grown = p_add_f(r.a, 1.0);
  let ww = squares_of(gram, r.a, r.s, r.v);
  var ss = squares_of(gram, grown, r.s, r.v);
  if (ss.x < 1e-3 * (gram.aa.x + ww.x)) { ss = squares_again(gram, grown, r.s, r.v); }
  let m = mobius_sum(gram.aa, ww, ss);
  return Combination(p_add(m.a, p_mul(m.s, grown)), p_mul(m.s, r.s), p_mul(m.s, r.v), m.number);
}

fn evaluate(gram: Gram) -> Combination {
  let rate = vec2<f32>(p.rate, p.rate_low);
  var vv = gram.vv;
  if (OP == OP_SGD_STEP) { vv = p_mul(p_square(rate), vv); }
  var r = stage(Products(gram.aa, gram.bb, gram.ss, vv, gram.av, gram.sv, gram.t, gram.length),
                false);
  if (OP == OP_SGD_STEP) { r.v = p_mul(rate, r.v); }
  if (CLAMPS && OP != OP_IMPORT) {
    var norm = r.number;
    if (ADDS) {
      r = add_to_a(gram, r);
      norm = r.number;
    } else if (OP != OP_MOBIUS_ADD) {
      norm = p_mul(p_square(r.a), gram.aa);
    }
    let q = clamp_factor(norm);
    if (!is_one(q)) { r = Combination(p_mul(q, r.a), p_mul(q, r.s), p_mul(q, r.v), norm); }
  }
  if (L_POINT && r.number.x > L_EDGE) {
    let q = p_div(p_of(L_MAX), r.number);
    r = Combination(p_mul(q, r.a), p_mul(q, r.s), p_mul(q, r.v), p_of(L_MAX));
  }
  r.a = p_mul(r.a, gram.factor_a);
  return r;
}

const NAN_BITS: u32 = 0x7fc00000u;
const RESULTS: u32 = 5u;
const KIND_COMBINED: u32 = 0u;
const KIND_UNCHANGED: u32 = 1u;
const KIND_NAN: u32 = 2u;
var<workgroup> results: array<vec2<f32>, ROWS * RESULTS>;
var<workgroup> kinds: array<u32, ROWS>;

fn store_number(row: u32, number: vec2<f32>) {
  let value = p_mul(vec2<f32>(p.number, p.number_low), number);
  let power = p.number_shift + select(0, power_v, LINEAR);
  let hi = scale_by_power(value.x, power);
  if (p.wide_out != 0u) {
    var bits = f64_bits(hi, scale_by_power(value.y, power));
    if (!is_finite_row) { bits = vec2<u32>(0u, 0x7ff80000u); }
    out[2u * row] = bits.x;
    out[2u * row + 1u] = bits.y;
    return;
  }
  let at = select(row, row * (p.cols + 1u), TIMED_OUT);
  out[at] = select(NAN_BITS, bitcast<u32>(hi), is_finite_row);
}

fn finish_products(local: u32, row: u32) {
  let gram = products_of(local);
  let r = evaluate(gram);
  if (ONLY_NUMBER || TIMED_OUT) { store_number(row, r.number); }
  results[local * RESULTS] = r.a;
  results[local * RESULTS + 1u] = r.s;
  results[local * RESULTS + 2u] = r.v;
  results[local * RESULTS + 3u] = gram.factor_a;
  results[local * RESULTS + 4u] = gram.factor_b;
  let still = OP == OP_PROJECT || OP == OP_IMPORT || OP == OP_L_PROJECT ||
              ((ADDS || OP == OP_L_EXPMAP) && HAS_V && is_zero_v);
  kinds[local] = select(KIND_COMBINED, KIND_UNCHANGED, still && is_one(gram.factor_a));
  if (!is_finite_row) { kinds[local] = KIND_NAN; }
}

fn store_entry(local: u32, row: u32, j: u32) {
  var at = row * p.cols + j;
  if (TIMED_OUT) { at = row * (p.cols + 1u) + j + 1u; }
  let first = local * RESULTS;
  if (kinds[local] == KIND_NAN) {
    out[at] = NAN_BITS;
  } else if (kinds[local] == KIND_UNCHANGED) {
    out[at] = rows_a[base_a + j];
  } else {
    let value = combined(results[first + 3u], results[first + 4u], results[first],
                         results[first + 1u], results[first + 2u], j);
    out[at] = bitcast<u32>(scale_by_power(value.x, select(-p.shift, power_v - p.v_shift, LINEAR)));
  }
}

const STORES_ROWS: bool = !ONLY_NUMBER;
