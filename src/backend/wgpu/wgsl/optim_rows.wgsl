// Inner products of a point x, its gradient g and momentum m, LANES threads a row. Points are
// scaled by 2^shift; g and m by one power of two a row, so that their entries are at most 1. Needs
// pair_math.wgsl and optim_params.wgsl.
const ROWS: u32 = WG / LANES;
var<workgroup> tops: array<u32, WG * 3u>;
var<workgroup> sums: array<vec2<f32>, WG * 6u>;

// The row a thread is at.
var<private> base_g: u32;
var<private> base_x: u32;
var<private> power_x: i32;  // scales of entries: x̃ = 2^power_x·x, G = 2^power_g·g, M = 2^power_g·m
var<private> power_g: i32;
var<private> is_zero_g: bool;

// Sums of products over a row, of the point as it lies in the ball.
struct Gram { xx: vec2<f32>, gg: vec2<f32>, mm: vec2<f32>, xg: vec2<f32>, xm: vec2<f32>, gm: vec2<f32> }

fn to_row(row: u32) {
  base_g = row * p.cols;
  base_x = target_of(row) * p.cols;
}

fn entry_x(j: u32) -> f32 { return scale_by_power(bitcast<f32>(w[base_x + j]), power_x); }
fn entry_g(j: u32) -> f32 { return scale_by_power(bitcast<f32>(g[base_g + j]), power_g); }
fn entry_m(j: u32) -> f32 { return scale_by_power(bitcast<f32>(first[base_x + j]), power_g); }

fn find_tops(tid: u32, valid: bool) {
  var top = vec3<u32>(0u);
  if (valid) {
    for (var j = tid % LANES; j < p.cols; j += LANES) {
      top.x = max(top.x, w[base_x + j] & 0x7fffffffu);
      top.y = max(top.y, g[base_g + j] & 0x7fffffffu);
      if (WITH_M != 0u) { top.z = max(top.z, first[base_x + j] & 0x7fffffffu); }
    }
  }
  tops[tid * 3u] = top.x;
  tops[tid * 3u + 1u] = top.y;
  tops[tid * 3u + 2u] = top.z;
}

fn scale_row(local: u32) {
  var top = vec3<u32>(0u);
  for (var k = local * LANES; k < (local + 1u) * LANES; k += 1u) {
    top = max(top, vec3<u32>(tops[k * 3u], tops[k * 3u + 1u], tops[k * 3u + 2u]));
  }
  is_zero_g = top.y == 0u;
  power_x = p.shift - max(0, i32(top.x >> 23u) - 127 + p.shift - 30);
  let largest = max(top.y, top.z);
  power_g = select(126 - i32(largest >> 23u), 0, largest == 0u);
  // A decay that joins the gradient is of the size of a point.
  if (p.decay != 0.0 && DECOUPLED == 0u) { power_g = min(power_g, p.shift); }
}

fn add_product(sum: vec2<f32>, a: f32, b: f32) -> vec2<f32> {
  let product = two_prod(a, b);
  let s = two_sum(sum.x, product.x);
  return vec2<f32>(s.x, sum.y + (s.y + product.y));
}

fn sum_products(tid: u32, valid: bool) {
  var sum: array<vec2<f32>, 6>;
  if (valid) {
    for (var j = tid % LANES; j < p.cols; j += LANES) {
      let x = entry_x(j);
      let v = entry_g(j);
      sum[0] = add_product(sum[0], x, x);
      sum[1] = add_product(sum[1], v, v);
      sum[3] = add_product(sum[3], x, v);
      if (WITH_M != 0u) {
        let m = entry_m(j);
        sum[2] = add_product(sum[2], m, m);
        sum[4] = add_product(sum[4], x, m);
        sum[5] = add_product(sum[5], v, m);
      }
    }
  }
  for (var k = 0u; k < 6u; k += 1u) { sums[tid * 6u + k] = sum[k]; }
}

fn total(local: u32, k: u32) -> vec2<f32> {
  var sum = vec2<f32>(0.0, 0.0);
  for (var i = local * LANES; i < (local + 1u) * LANES; i += 1u) {
    sum = p_add(sum, sums[i * 6u + k]);
  }
  return quick_sum(sum.x, sum.y);
}

fn kappa_pair() -> vec2<f32> { return vec2<f32>(p.kappa, p.kappa_low); }

const BALL_MAX = vec2<f32>(0.999989986419677734375, 1.3580322265625e-8);
const BALL_SLACK_SQUARED: f32 = 0.99998190;  // (kBallMax·kBallSlack)²

// What brings a row of squared scaled norm n back to the ball: 1 inside.
fn clamp_factor(n: vec2<f32>) -> vec2<f32> {
  if (n.x <= BALL_SLACK_SQUARED) { return p_of(1.0); }
  return p_div(BALL_MAX, p_sqrt(n));
}

// The factor of x, and the products with x brought inside.
struct Inside { factor: vec2<f32>, gram: Gram }

fn products_of(local: u32) -> Inside {
  let xx = total(local, 0u);
  let f = clamp_factor(p_mul(kappa_pair(), xx));
  return Inside(f, Gram(p_mul(p_square(f), xx), total(local, 1u), total(local, 2u),
                        p_mul(f, total(local, 3u)), p_mul(f, total(local, 4u)), total(local, 5u)));
}
