#include "backend/cpu/simd/optim.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/optim.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/ball_math-inl.hpp"
#include "backend/cpu/simd/optim_flat-inl.hpp"
#include "hwy/highway.h"

// Steps on the ball (Bécigneul & Ganea 2019). Step and transport of a row lie in the span of its
// point x, gradient g and momentum m: their coefficients are functions of six inner products.
HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

// Coefficients of a combination of x, g and m.
struct Combo {
  Wides x, g, m;
};
HWY_INLINE Combo operator*(Wides s, const Combo& c) { return {s * c.x, s * c.g, s * c.m}; }

struct Products {
  Wides xx, gg, mm, xg, xm, gm;
};

template <bool with_m>
HWY_INLINE Wides inner(const Products& p, const Combo& a, const Combo& b) {
  if constexpr (!with_m) {
    const Wides on_x = fused(b.x, p.xx, b.g * p.xg);
    const Wides on_g = fused(b.x, p.xg, b.g * p.gg);
    return fused(a.x, on_x, a.g * on_g);
  }
  const Wides on_x = fused(b.x, p.xx, fused(b.g, p.xg, b.m * p.xm));
  const Wides on_g = fused(b.x, p.xg, fused(b.g, p.gg, b.m * p.gm));
  const Wides on_m = fused(b.x, p.xm, fused(b.g, p.gm, b.m * p.mm));
  return fused(a.x, on_x, fused(a.g, on_g, a.m * on_m));
}
// ⟨x, c⟩.
template <bool with_m>
HWY_INLINE Wides along_x(const Products& p, const Combo& c) {
  const Wides sum = fused(c.x, p.xx, c.g * p.xg);
  return with_m ? fused(c.m, p.xm, sum) : sum;
}
template <bool with_m>
HWY_INLINE Wides squares(const Products& p, const Combo& a) {
  return larger(inner<with_m>(p, a, a), Wides(0.0));
}

// A turned block: coordinate j of the rows from `first` on.
struct Block {
  float* x;
  float* g;
  float* m;
  std::int64_t stride;
  std::int64_t cols;
};

template <bool with_m>
HWY_INLINE Products products_of(const Block& b, std::int64_t r) {
  const W zero = hn::Zero(Wide());
  W xx = zero, gg = zero, mm = zero, xg = zero, xm = zero, gm = zero;
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const std::int64_t at = j * b.stride + r;
    const W x = load_wide(b.x + at);
    const W g = load_wide(b.g + at);
    xx = hn::MulAdd(x, x, xx);
    gg = hn::MulAdd(g, g, gg);
    xg = hn::MulAdd(x, g, xg);
    if constexpr (with_m) {
      const W m = load_wide(b.m + at);
      mm = hn::MulAdd(m, m, mm);
      xm = hn::MulAdd(x, m, xm);
      gm = hn::MulAdd(g, m, gm);
    }
  }
  return {xx, gg, mm, xg, xm, gm};
}

// tanh(z)/z from n = z². Every lane's result is its own, whatever its neighbours need.
HWY_INLINE Wides tanh_ratio(Wides n) {
  const auto small = hn::Lt(n.v, set(1e-2));
  const double c[] = {-1.0 / 3, 2.0 / 15, -17.0 / 315, 62.0 / 2835, -1382.0 / 155925};
  Wides series = c[4];
  for (int i = 3; i >= 0; --i) series = fused(series, n, Wides(c[i]));
  series = fused(series, n, Wides(1.0));
  if (hn::AllTrue(Wide(), small)) return series;
  const W z = hn::Sqrt(n.v);
  return hn::IfThenElse(small, series.v, ratio(tanh_of(z), z, set(1.0)));
}

// Σ (ax + bg + cm)² from the coordinates where the products cancel.
template <bool with_m>
HWY_INLINE Wides exact_squares(const Block& b, std::int64_t r, const Combo& c, Wides found,
                               Wides terms) {
  const auto cancels = hn::Lt(found.v, (terms * Wides(1e-3)).v);
  if (hn::AllFalse(Wide(), cancels)) return found;
  Wides sum = 0.0;
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const std::int64_t at = j * b.stride + r;
    Wides v = c.x * Wides(load_wide(b.x + at)) + c.g * Wides(load_wide(b.g + at));
    if constexpr (with_m) v = v + c.m * Wides(load_wide(b.m + at));
    sum = sum + v * v;
  }
  return hn::IfThenElse(cancels, sum.v, found.v);
}

// Direction and new momentum at x, and what coupled decay adds.
struct Direction {
  Combo d, m;
};

// h = g/λ² + decay·(1−κ|x|²)·artanh(s)/s·x.
HWY_INLINE Combo gradient_of(const OptimRule& k, Wides gap, Wides s) {
  const Wides inverse = Wides(0.5) * gap;
  Wides on_x = 0.0;
  if (k.decay != 0.0 && !k.decoupled) {
    on_x = Wides(k.decay) * gap * Wides(ratio(artanh_of(s.v), s.v, set(1.0)));
  }
  return {on_x, inverse * inverse, Wides(0.0)};
}

HWY_INLINE Direction sgd_direction(const OptimRule& k, const Combo& h) {
  const Combo m{h.x, h.g, Wides(k.beta1)};
  if (!k.nesterov) return {m, m};
  const Wides mu = k.beta1;
  return {{h.x + mu * m.x, h.g + mu * m.g, mu * m.m}, m};
}

// u and its maximum are read and written here: one number a row.
struct Second {
  float* u;
  float* most;
};
HWY_INLINE Direction adam_direction(const OptimRule& k, const Products& p, const Combo& h,
                                    Wides gap, Second state) {
  const Wides lambda = Wides(2.0) / gap;
  Wides u = Wides(k.beta2) * Wides(load_wide(state.u)) +
            Wides(1.0 - k.beta2) * (lambda * lambda * squares<false>(p, h));
  hn::StoreU(hn::DemoteTo(Narrow(), u.v), Narrow(), state.u);
  if (state.most != nullptr) {
    u = larger(u, Wides(load_wide(state.most)));
    hn::StoreU(hn::DemoteTo(Narrow(), u.v), Narrow(), state.most);
  }
  const Wides rest = 1.0 - k.beta1;
  const Combo m{rest * h.x, rest * h.g, Wides(k.beta1)};
  const Wides below =
      Wides(k.correction1) * (root_of(u * Wides(1.0 / k.correction2)) + Wides(k.eps));
  return {(Wides(1.0) / below) * m, m};
}

// Point and momentum after the step, of the rows whose step is not zero.
struct Next {
  Combo point, momentum;
  hn::Mask<Wide> still;
};

// From the point base·x, |base·x| within the ball: exp, projection, transport.
template <bool with_m>
HWY_INLINE Next move(const OptimRule& k, const Products& p, const Block& b, std::int64_t r,
                     Wides px, Wides base, const Direction& to) {
  const Wides one = 1.0;
  const Wides kappa = k.kappa;
  const Wides xx = base * base * p.xx;
  const Wides gap = one - kappa * xx;
  const Wides dd = squares<with_m>(p, to.d);
  const Wides xd = base * along_x<with_m>(p, to.d);
  const Wides rate = k.rate;
  const Wides angle2 = kappa * rate * rate * dd / (gap * gap);
  const Wides along = rate * tanh_ratio(angle2) / gap;  // the step is x ⊕ (−along·d)
  const Wides ww = along * along * dd;
  const Combo sum{px * (base - along * to.d.x), Wides(0.0) - along * to.d.g,
                  Wides(0.0) - along * to.d.m};
  const Wides ss = exact_squares<with_m>(b, r, sum, xx + ww - Wides(2.0) * along * xd, xx + ww);
  const Wides inverse = one / (kappa * ss + gap * (one - kappa * ww));
  const Wides q = clamp_factor(root_of(kappa * ss * inverse).v);
  const Wides yy = q * q * ss * inverse;
  // y − x = on_x·x + on_d·d, y = (on_x + 1)·x + on_d·d: the difference without cancellation.
  const Wides on_x = q * (gap * kappa * ww * inverse) + (q - one);
  const Wides on_d = Wides(0.0) - q * gap * inverse * along;
  const Wides factor = (one + on_x) * base + on_d * to.d.x;
  Next out{{px * factor, on_d * to.d.g, on_d * to.d.m}, to.m, hn::Eq(ww.v, hn::Zero(Wide()))};
  if constexpr (with_m) {
    const Wides gap_y = one - kappa * yy;
    const Wides xv = base * along_x<with_m>(p, to.m);
    const Wides sv = on_x * xv + on_d * inner<with_m>(p, to.d, to.m);
    const Wides yv = sv + xv;
    const Wides between =
        larger(on_x * on_x * xx + Wides(2.0) * on_x * on_d * xd + on_d * on_d * dd, Wides(0.0));
    const Wides scale = Wides(2.0) * kappa / (kappa * between + gap_y * gap);
    const Wides on_y = scale * (sv * (kappa * between + gap) - yv * kappa * between);
    const Wides on_s = scale * (sv * kappa * yy + yv * gap_y);
    const Wides turn_x = on_y * (one + on_x) - on_s * on_x;
    const Wides turn_d = (on_y - on_s) * on_d;
    const Wides stretch = gap_y / gap;  // λ_x/λ_y
    out.momentum = {px * stretch * (to.m.x + turn_x * base + turn_d * to.d.x),
                    stretch * (to.m.g + turn_d * to.d.g), stretch * (to.m.m + turn_d * to.d.m)};
  }
  return out;
}

template <bool with_m>
HWY_INLINE void store_next(const Next& next, bool moves, const Block& b, std::int64_t r) {
  const auto still = hn::And(next.still, hn::FirstN(Wide(), moves ? 0 : kWideLanes));
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const std::int64_t at = j * b.stride + r;
    const Wides x = load_wide(b.x + at);
    const Wides g = load_wide(b.g + at);
    Wides y = fused(next.point.x, x, next.point.g * g);
    if constexpr (with_m) {
      const Wides m = load_wide(b.m + at);
      y = fused(next.point.m, m, y);
      const Wides v = fused(next.momentum.m, m, fused(next.momentum.x, x, next.momentum.g * g));
      hn::StoreU(hn::DemoteTo(Narrow(), v.v), Narrow(), b.m + at);
    }
    hn::StoreU(hn::DemoteTo(Narrow(), hn::IfThenElse(still, x.v, y.v)), Narrow(), b.x + at);
  }
}

template <bool adam, bool with_m>
HWY_INLINE void step_rows(const OptimRule& k, const Block& b, std::int64_t r, Second state) {
  Products p = products_of<with_m>(b, r);
  const Wides px = clamp_factor(root_of(Wides(k.kappa) * p.xx).v);
  p.xx = px * px * p.xx;
  p.xg = px * p.xg;
  p.xm = px * p.xm;
  const Wides s = root_of(Wides(k.kappa) * p.xx);
  const Wides gap = Wides(1.0) - Wides(k.kappa) * p.xx;
  const Combo h = gradient_of(k, gap, s);
  Direction to = adam ? adam_direction(k, p, h, gap, state) : sgd_direction(k, h);
  Wides base = 1.0;
  const bool decays = k.decoupled && k.decay != 0.0 && k.rate != 0.0;
  if (decays) {  // x̃ = (1 − ηθ) ⊗ x, where d and m arrive by the factor λ_x/λ_x̃
    const double t = 1.0 - k.rate * k.decay;
    const W y = tanh_of(hn::Mul(set(t), artanh_of(s.v)));
    base = hn::Mul(ratio(y, s.v, set(t)), clamp_factor(hn::Abs(y)));
    const Wides stretch = (Wides(1.0) - Wides(k.kappa) * base * base * p.xx) / gap;
    to = {stretch * to.d, stretch * to.m};
  }
  store_next<with_m>(move<with_m>(k, p, b, r, px, base, to), decays, b, r);
}

// Working space of one thread, kept between calls.
thread_local std::vector<float> scratch;

float* space(std::int64_t floats) {
  if (std::cmp_less(scratch.size(), floats)) scratch.resize(static_cast<std::size_t>(floats));
  return scratch.data();
}

void load_numbers(const float* from, std::int64_t count, std::int64_t block, float* to) {
  std::copy(from, from + count, to);
  std::fill(to + count, to + block, 0.0F);
}

template <bool adam, bool with_m>
void ball_rows(const OptimRule& rule, const OptimRows& rows) {
  const std::int64_t cols = rows.cols;
  const std::int64_t block = block_rows(cols);
  const std::int64_t panel = cols * block;
  float* memory = space(3 * panel + 2 * block);
  const Block b{memory, memory + panel, memory + 2 * panel, block, cols};
  float* second = memory + 3 * panel;
  float* most = rows.most != nullptr ? second + block : nullptr;
  for (std::int64_t first = 0; first < rows.count; first += block) {
    const std::int64_t n = std::min(block, rows.count - first);
    const std::int64_t at = first * cols;
    load_block(rows.w + at, cols, n, cols, b.x, block);
    load_block(rows.g + at, cols, n, cols, b.g, block);
    if constexpr (with_m) load_block(rows.first + at, cols, n, cols, b.m, block);
    if constexpr (adam) load_numbers(rows.second + first, n, block, second);
    if (most != nullptr) load_numbers(rows.most + first, n, block, most);
    for (std::int64_t r = 0; r < n; r += kWideLanes) {
      step_rows<adam, with_m>(rule, b, r, {second + r, most == nullptr ? nullptr : most + r});
    }
    transpose_to(b.x, block, cols, n, rows.w + at, cols);
    if constexpr (with_m) transpose_to(b.m, block, cols, n, rows.first + at, cols);
    if constexpr (adam) std::copy(second, second + n, rows.second + first);
    if (most != nullptr) std::copy(most, most + n, rows.most + first);
  }
}

void ball(const OptimRule& rule, const OptimRows& rows) {
  if (rule.adam) return ball_rows<true, true>(rule, rows);
  rows.first != nullptr ? ball_rows<false, true>(rule, rows) : ball_rows<false, false>(rule, rows);
}

double ball_squares(double kappa, const float* w, const float* g, std::int64_t count,
                    std::int64_t cols) {
  const std::int64_t block = block_rows(cols);
  float* memory = space(2 * cols * block);
  const Block b{memory, memory + cols * block, nullptr, block, cols};
  Wides sum = 0.0;
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t n = std::min(block, count - first);
    load_block(w + first * cols, cols, n, cols, b.x, block);
    load_block(g + first * cols, cols, n, cols, b.g, block);
    for (std::int64_t r = 0; r < n; r += kWideLanes) {
      const Products p = products_of<false>(b, r);
      const Wides px = clamp_factor(root_of(Wides(kappa) * p.xx).v);
      const Wides inverse = Wides(0.5) * (Wides(1.0) - Wides(kappa) * px * px * p.xx);
      sum = sum + inverse * inverse * p.gg;
    }
  }
  return hn::GetLane(hn::SumOfLanes(Wide(), sum.v));
}

bool all_zero(const float* x, std::int64_t n) {
  std::uint32_t bits = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, x + i, sizeof word);
    bits |= word << 1;
  }
  return bits == 0;
}

}  // namespace
const OptimTable kOptim{flat_rows, ball, ball_squares, all_zero};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const OptimTable& optim_table() {
  static const SimdVersion<OptimTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kOptim
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<OptimTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
