// Sums over rows of the ball, in pairs: blocks of `block_rows` rows for each row of a, in a fixed
// order. Constants: those of ball_rows.wgsl. Needs ball_number.wgsl, ball_coefficients.wgsl and
// ball_rows.wgsl.
//   OP_WEIGHTED: Σ tλ·a over rows a, Σ t(λ − 1)
//   OP_LOGMAP: Σ t·log_a(b) over rows b, less what stands on a; Σ of what stands on a;
//     Σ t·ρ coth ρ; Σ t·ρ²
//   OP_DIST: gradient of Σ t·(distance of a and b) by a, the same way; the factor that brought a
//     into the ball
// Row b is negated, s = a + b.

@group(0) @binding(5) var<storage, read_write> partial: array<vec2<f32>>;
// OP_LOGMAP, where wanted: rows along log_a(b) of squared length t(ρ coth ρ − 1).
@group(0) @binding(6) var<storage, read_write> directions: array<f32>;

fn raw_g(j: u32) -> f32 { return 0.0; }
fn raw_g_number() -> f32 { return 0.0; }
fn import_scale(aa: vec2<f32>) -> vec2<f32> { return clamp_factor(aa); }

const ZERO = vec2<f32>(0.0, 0.0);
const NUMBERS: u32 = 4u;  // behind a block's columns: on a, two more, and rows not finite
const RESULTS: u32 = 7u;
var<workgroup> results: array<vec2<f32>, ROWS * RESULTS>;
var<workgroup> powers: array<i32, ROWS>;
const ON_ROW: u32 = 0u;
const FACTOR_A: u32 = 4u;
const FACTOR_B: u32 = 5u;
const ALONG: u32 = 6u;

struct Terms {
  on_row: vec2<f32>,  // of s, or of a where rows a are summed
  on_a: vec2<f32>,
  first: vec2<f32>,
  second: vec2<f32>,
  along: vec2<f32>,  // log_a(b) times this is its row of `directions`
}

// ρ coth ρ − 1.
fn coth_excess(rho: vec2<f32>) -> vec2<f32> {
  if (rho.x < 0.03) {
    let n = p_square(rho);
    return p_mul(n, p_sub(THIRD, two_prod(n.x, 0.0222222228)));
  }
  return p_add_f(p_div(rho, p_tanh(rho)), -1.0);
}

fn terms_of_logmap(gram: Gram, t: vec2<f32>) -> Terms {
  let r = logmap_combination(Products(gram.aa, gram.bb, gram.ss, ZERO, ZERO, ZERO, gram.t,
                                      gram.length));
  let open = gap(gram.aa);
  let q = p_div(gram.length, p_sqrt(p_mul(open, gap(gram.bb))));
  let rho = 2.0 * p_asinh(q, p_square(q));
  let excess = coth_excess(rho);
  var along = ZERO;
  if (rho.x > 0.0) {  // |log| is ρ/λ
    let size = p_mul(p_mul(rho, open), vec2<f32>(p.number, p.number_low));
    along = p_div(p_sqrt(p_mul(t, excess)), 0.5 * size);
  }
  return Terms(p_mul(t, r.s), p_mul(t, r.a), p_mul(t, p_add_f(excess, 1.0)),
               p_mul(t, p_square(rho)), p_div(along, select(t, vec2<f32>(1.0, 0.0), t.x == 0.0)));
}

fn terms_of_dist(gram: Gram, t: vec2<f32>) -> Terms {
  if (!(gram.length.x > 0.0)) { return Terms(ZERO, ZERO, gram.factor_a, ZERO, ZERO); }
  let open = gap(gram.aa);
  let both = p_sqrt(p_mul(open, gap(gram.bb)));
  let q = p_div(gram.length, both);
  let scale = p_div(p_mul(t, vec2<f32>(2.0, 0.0)), p_sqrt(p_add_f(p_square(q), 1.0)));
  return Terms(p_div(scale, p_mul(both, gram.length)), p_div(p_mul(scale, q), open), gram.factor_a,
               ZERO, ZERO);
}

fn terms_of(gram: Gram, t: vec2<f32>) -> Terms {
  if (OP == OP_LOGMAP) { return terms_of_logmap(gram, t); }
  if (OP == OP_DIST) { return terms_of_dist(gram, t); }
  let by = p_div(t, gap(gram.aa));
  return Terms(p_mul(2.0 * by, gram.factor_a), ZERO, p_mul(by, p_add_f(gram.aa, 1.0)), ZERO, ZERO);
}

// Row `row` of those that meet row `outer` of a.
fn to_pair(outer: u32, row: u32) {
  to_row(row);
  if (HAS_B) { base_a = outer * p.a_stride; }
  index_t = outer * p.v_stride + row * p.t_stride;
}

fn finish_products(local: u32) {
  let gram = products_of(local);
  let terms = terms_of(gram, p_of(bitcast<f32>(values_t[index_t])));
  let first = local * RESULTS;
  results[first] = terms.on_row;
  results[first + 1u] = terms.on_a;
  results[first + 2u] = terms.first;
  results[first + 3u] = terms.second;
  results[first + FACTOR_A] = gram.factor_a;
  results[first + FACTOR_B] = gram.factor_b;
  results[first + ALONG] = terms.along;
  powers[local] = select(power_a, power_b, HAS_B);
  if (!is_finite_row) { powers[local] = -1; }
}

// Entry j of the row that is summed with `on_row`.
fn entry(local: u32, j: u32) -> vec2<f32> {
  let factor_a = results[local * RESULTS + FACTOR_A];
  let factor_b = results[local * RESULTS + FACTOR_B];
  if (!HAS_B) {
    scale_a = p_power_of_two(p.shift - powers[local]);
    return entry_a(j);
  }
  scale_b = p_power_of_two(p.shift - powers[local]);
  let a = entry_a(j);
  let b = entry_b(j);
  if (is_one(factor_a) && is_one(factor_b)) { return p_add_f(a, b); }
  return clamped_s(a, b, factor_a, factor_b);
}

// Adds rows [start, start + count) of the chunk to column j.
fn add_column(outer: u32, start: u32, count: u32, j: u32, sum: vec2<f32>) -> vec2<f32> {
  var total = sum;
  for (var local = 0u; local < count; local = local + 1u) {
    if (powers[local] < 0) { continue; }
    to_pair(outer, start + local);
    let value = p_mul(results[local * RESULTS], entry(local, j));
    total = p_add(total, value);
    if (OP == OP_LOGMAP && p.wanted != 0u) {
      let on_a = results[local * RESULTS + 1u];
      let log = p_add(value, p_mul(on_a, p_mul(results[local * RESULTS + FACTOR_A], entry_a(j))));
      directions[(start + local) * p.cols + j] = p_mul(results[local * RESULTS + ALONG], log).x;
    }
  }
  return total;
}

// `first`: of all blocks, whose factor is the one that counts.
fn add_number(count: u32, k: u32, first: bool, sum: vec2<f32>) -> vec2<f32> {
  var total = sum;
  for (var local = 0u; local < count; local = local + 1u) {
    if (powers[local] < 0) {
      if (k == NUMBERS - 1u) { total.x = 1.0; }
    } else if (OP == OP_DIST && k == 1u) {
      if (first) { total = results[local * RESULTS + 1u + k]; }
    } else if (k < NUMBERS - 1u) {
      total = p_add(total, results[local * RESULTS + 1u + k]);
    }
  }
  return total;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  pair_zero = p.zero;
  let outer = p.first + group / p.blocks;
  let begin = (group % p.blocks) * p.block_rows;
  let end = min(begin + p.block_rows, p.rows);
  let local = tid / LANES;
  let width = p.cols + NUMBERS;
  for (var start = begin; start < end; start = start + ROWS) {
    let count = min(ROWS, end - start);
    to_pair(outer, start + local);
    find_tops(tid, local < count);
    workgroupBarrier();
    scale_row(local);
    sum_products(tid, local < count);
    workgroupBarrier();
    if (tid < count) {
      to_pair(outer, start + tid);
      scale_row(tid);
      finish_products(tid);
    }
    workgroupBarrier();
    scale_row(0u);  // of a, one row for all
    for (var j = tid; j < width; j = j + WG) {
      var sum = ZERO;
      if (start != begin) { sum = partial[group * width + j]; }
      if (j < p.cols) {
        sum = add_column(outer, start, count, j, sum);
      } else {
        sum = add_number(count, j - p.cols, begin == 0u, sum);
      }
      partial[group * width + j] = sum;
    }
    workgroupBarrier();
  }
}
