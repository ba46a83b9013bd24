#include "backend/cpu/simd/affine.hpp"

#include <algorithm>
#include <vector>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/affine.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/ball_math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

// Working space of one thread, kept between calls.
thread_local std::vector<float> scratch;

// Turned rows t and g, and the result.
struct Block {
  std::int64_t size;
  std::int64_t rows;
  std::int64_t cols;
  float* t;
  float* g;
  float* out;
};

Block make_block(const AffineJob& job) {
  const std::int64_t size = block_rows(job.cols);
  const auto floats = static_cast<std::size_t>(3 * size * job.cols);
  if (scratch.size() < floats) scratch.resize(floats);
  float* at = scratch.data();
  return {size, 0, job.cols, at, at + size * job.cols, at + 2 * size * job.cols};
}

// Calls body(first) for blocks of rows, t and g (if any) loaded, and stores what it left in `out`.
template <class F>
void each_block(const AffineJob& job, const float* g, float* out, F body) {
  Block b = make_block(job);
  for (std::int64_t first = 0; first < job.rows; first += b.size) {
    b.rows = std::min(b.size, job.rows - first);
    load_block(job.t + first * job.cols, job.cols, b.rows, job.cols, b.t, b.size);
    if (g != nullptr) load_block(g + first * job.cols, job.cols, b.rows, job.cols, b.g, b.size);
    body(b);
    transpose_to(b.out, b.size, job.cols, b.rows, out + first * job.cols, job.cols);
  }
}

HWY_INLINE W entry(const float* rows, const Block& b, std::int64_t j, std::int64_t r) {
  return load_wide(rows + j * b.size + r);
}
HWY_INLINE void put(W v, const Block& b, std::int64_t j, std::int64_t r) {
  hn::StoreU(hn::DemoteTo(Narrow(), v), Narrow(), b.out + j * b.size + r);
}

// Inner products of t and g.
struct Products {
  W tt, gt;
};
HWY_INLINE Products products(const Block& b, std::int64_t r) {
  Products p{hn::Zero(Wide()), hn::Zero(Wide())};
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const W t = entry(b.t, b, j, r);
    p.tt = hn::MulAdd(t, t, p.tt);
    p.gt = hn::MulAdd(entry(b.g, b, j, r), t, p.gt);
  }
  return p;
}
HWY_INLINE W squares(const Block& b, std::int64_t r) {
  W tt = hn::Zero(Wide());
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const W t = entry(b.t, b, j, r);
    tt = hn::MulAdd(t, t, tt);
  }
  return tt;
}

// exp0(t) = φt and its gradient φg + ω⟨g, t⟩t.
struct Radial {
  W factor;  // φ
  W slope;   // ω
};

// A function 1 + c0·n + ... of n = κ|t|² below kSeries, where six terms are exact to double.
constexpr double kSeries = 1e-3;
constexpr double kTanhTerms[5] = {-1.0 / 3, 2.0 / 15, -17.0 / 315, 62.0 / 2835, -1382.0 / 155925};
constexpr double kArtanhTerms[5] = {1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11};

// Its derivative.
HWY_INLINE W series_slope(W n, const double (&c)[5]) {
  W sum = set(5.0 * c[4]);
  for (std::size_t k = 4; k-- > 0;) {
    sum = hn::MulAdd(sum, n, set(static_cast<double>(k + 1) * c[k]));
  }
  return sum;
}

// `whole` is (f'(√n) − ratio)/|t|², 2κ·series' where that cancels.
HWY_INLINE W slope_of(W kappa, W n, W whole, const double (&c)[5]) {
  const W series = hn::Mul(hn::Add(kappa, kappa), series_slope(n, c));
  return hn::IfThenElse(hn::Lt(n, set(kSeries)), series, whole);
}

HWY_INLINE Radial exp0(W kappa, W tt) {
  const W n = hn::Mul(kappa, tt);
  const W s = hn::Sqrt(n);
  const W y = tanh_of(s);
  const W free = ratio(y, s, set(1.0));
  const W clamp = clamp_factor(y);
  const W sech2 = hn::NegMulAdd(y, y, set(1.0));
  W slope = slope_of(kappa, n, hn::Div(hn::Sub(sech2, free), tt), kTanhTerms);
  const W factor = nan_where_not_finite(hn::Mul(free, clamp), tt);
  slope = hn::IfThenElse(hn::Ne(clamp, set(1.0)), hn::Neg(hn::Div(factor, tt)), slope);
  return {factor, slope};
}

HWY_INLINE Radial log0(W kappa, W tt) {
  const W s = hn::Mul(hn::Sqrt(kappa), hn::Sqrt(tt));
  const W clamp = clamp_factor(s);
  const W inside = hn::Mul(s, clamp);
  const W n = hn::Mul(inside, inside);
  const W free = ratio(artanh_of(inside), inside, set(1.0));
  const W steep = hn::Div(set(1.0), hn::Sub(set(1.0), n));
  W slope = slope_of(kappa, n, hn::Div(hn::Sub(steep, free), tt), kArtanhTerms);
  const W factor = nan_where_not_finite(hn::Mul(free, clamp), tt);
  slope = hn::IfThenElse(hn::Ne(clamp, set(1.0)), hn::Neg(hn::Div(factor, tt)), slope);
  return {factor, slope};
}

// e ⊕ b = (shrink + share)·e + share·b before the clamp, which multiplies by q; e = φt, s = e + b.
struct Moved {
  W shrink, share;    // κ|s|²/D, (1 − κ|e|²)/D
  W ee, ss, st, gs;   // ⟨s, t⟩ and ⟨g, s⟩ from the coordinates
  W ce, cb, inverse;  // 1 − κ|e|², 1 − κ|b|², 1/D
  W mm, q;
};

template <bool gradient>
HWY_INLINE Moved move(const AffineJob& job, const Block& b, std::int64_t r, W factor, W tt, W bb) {
  const W kappa = set(job.kappa);
  Moved m;
  m.ss = m.st = m.gs = hn::Zero(Wide());
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const W t = entry(b.t, b, j, r);
    const W s = hn::MulAdd(factor, t, set(job.b[j]));
    m.ss = hn::MulAdd(s, s, m.ss);
    if constexpr (gradient) {
      m.st = hn::MulAdd(s, t, m.st);
      m.gs = hn::MulAdd(s, entry(b.g, b, j, r), m.gs);
    }
  }
  m.ee = hn::Mul(hn::Mul(factor, factor), tt);
  m.ce = hn::NegMulAdd(kappa, m.ee, set(1.0));
  m.cb = hn::NegMulAdd(kappa, bb, set(1.0));
  m.inverse = hn::Div(set(1.0), hn::MulAdd(kappa, m.ss, hn::Mul(m.ce, m.cb)));
  m.shrink = hn::Mul(hn::Mul(kappa, m.ss), m.inverse);
  m.share = hn::Mul(m.ce, m.inverse);
  m.mm = hn::Mul(m.ss, m.inverse);
  m.q = clamp_factor(hn::Sqrt(hn::Mul(kappa, m.mm)));
  return m;
}

W square_of(const double* b, std::int64_t cols) {
  double sum = 0.0;
  for (std::int64_t j = 0; j < cols; ++j) sum += b[j] * b[j];
  return set(sum);
}

void forward(const AffineJob& job, float* y) {
  const W kappa = set(job.kappa);
  const W bb = job.b == nullptr ? set(0.0) : square_of(job.b, job.cols);
  each_block(job, nullptr, y, [&](const Block& b) {
    for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
      const W tt = squares(b, r);
      const W factor = exp0(kappa, tt).factor;
      W on_t = factor;
      W on_b = hn::Zero(Wide());
      if (job.b != nullptr) {
        const Moved m = move<false>(job, b, r, factor, tt, bb);
        on_t = hn::Mul(hn::Mul(m.q, hn::Add(m.shrink, m.share)), factor);
        on_b = hn::Mul(m.q, m.share);
      }
      for (std::int64_t j = 0; j < b.cols; ++j) {
        const W shift = job.b == nullptr ? hn::Zero(Wide()) : hn::Mul(on_b, set(job.b[j]));
        put(hn::MulAdd(on_t, entry(b.t, b, j, r), shift), b, j, r);
      }
    }
  });
}

// A gradient as a combination of g, t, s and b.
struct Weights {
  W g, t, s, b;
};

// Gradients of ⟨g, q(e ⊕ b)⟩ by e, then pulled back to t, and by b. With k the share that the clamp
// takes away along the result (shrink·e + share·s).
HWY_INLINE Weights pull_back(const Moved& m, W kappa, W factor, W slope, W tt, W gt,
                             Weights& by_b) {
  const W ge = hn::Mul(factor, gt);
  const W se = hn::Mul(factor, m.st);
  const W gm = hn::MulAdd(m.shrink, ge, hn::Mul(m.share, m.gs));
  const W clamped = hn::Div(hn::Mul(m.q, gm), m.mm);
  const W k = hn::IfThenElse(hn::Ne(m.q, set(1.0)), clamped, hn::Zero(Wide()));
  const W me = hn::MulAdd(m.shrink, m.ee, hn::Mul(m.share, se));
  const W ms = hn::MulAdd(m.shrink, se, hn::Mul(m.share, m.ss));
  const W ga = hn::NegMulAdd(k, me, hn::Mul(m.q, ge));  // of what arrives behind the clamp
  const W gs = hn::NegMulAdd(k, ms, hn::Mul(m.q, m.gs));
  // Twice the derivatives by |e|², |b|² and |s|².
  const W two = hn::Add(hn::Mul(kappa, m.inverse), hn::Mul(kappa, m.inverse));
  const W common = hn::MulSub(ga, m.cb, gs);
  const W by_ee = hn::Mul(hn::Mul(two, m.shrink), common);
  const W by_ss = hn::Mul(hn::Mul(two, m.share), common);
  const W by_bb = hn::Mul(hn::Mul(two, m.ce), hn::MulAdd(ga, m.shrink, hn::Mul(gs, m.share)));
  const W both = hn::Add(m.shrink, m.share);
  by_b.g = hn::Mul(m.share, m.q);
  by_b.t = hn::Neg(hn::Mul(hn::Mul(m.share, k), hn::Mul(m.shrink, factor)));
  by_b.s = hn::NegMulAdd(hn::Mul(m.share, k), m.share, by_ss);
  by_b.b = by_bb;
  const W on_e = hn::NegMulAdd(hn::Mul(both, k), m.shrink, by_ee);
  const W on_s = hn::NegMulAdd(hn::Mul(both, k), m.share, by_ss);
  const W on_g = hn::Mul(both, m.q);
  // ⟨gradient by e, t⟩, which exp0's slope meets.
  const W along = hn::MulAdd(on_g, gt, hn::MulAdd(hn::Mul(on_e, factor), tt, hn::Mul(on_s, m.st)));
  return {hn::Mul(factor, on_g), hn::MulAdd(hn::Mul(factor, factor), on_e, hn::Mul(slope, along)),
          hn::Mul(factor, on_s), hn::Zero(Wide())};
}

// Writes the gradients by t, adds those by b: a vector a column. Rows beyond those in use have
// g = 0 and add nothing.
HWY_INLINE void store_gradients(const AffineJob& job, const Block& b, std::int64_t r, W factor,
                                const Weights& by_t, const Weights& by_b, double* sums) {
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const W t = entry(b.t, b, j, r);
    const W g = entry(b.g, b, j, r);
    const W shift = set(job.b[j]);
    const W s = hn::MulAdd(factor, t, shift);
    put(hn::MulAdd(by_t.g, g, hn::MulAdd(by_t.t, t, hn::Mul(by_t.s, s))), b, j, r);
    if (sums == nullptr) continue;
    const W sum =
        hn::MulAdd(by_b.g, g, hn::MulAdd(by_b.t, t, hn::MulAdd(by_b.s, s, hn::Mul(by_b.b, shift))));
    double* to = sums + j * kWideLanes;
    hn::StoreU(hn::Add(hn::LoadU(Wide(), to), sum), Wide(), to);
  }
}

// φg + ω⟨g, t⟩t.
HWY_INLINE void store_radial(const Block& b, std::int64_t r, const Radial& f, W gt) {
  const W along = hn::Mul(f.slope, gt);
  for (std::int64_t j = 0; j < b.cols; ++j) {
    put(hn::MulAdd(f.factor, entry(b.g, b, j, r), hn::Mul(along, entry(b.t, b, j, r))), b, j, r);
  }
}

void backward(const AffineJob& job, const float* g, float* by_t, double* by_b) {
  const W kappa = set(job.kappa);
  thread_local std::vector<double> sums;
  sums.assign(static_cast<std::size_t>(by_b == nullptr ? 0 : job.cols * kWideLanes), 0.0);
  const W bb = job.b == nullptr ? set(0.0) : square_of(job.b, job.cols);
  each_block(job, g, by_t, [&](const Block& b) {
    for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
      const Products p = products(b, r);
      const Radial f = exp0(kappa, p.tt);
      if (job.b == nullptr) {
        store_radial(b, r, f, p.gt);
        continue;
      }
      const Moved m = move<true>(job, b, r, f.factor, p.tt, bb);
      Weights on_b;
      const Weights on_t = pull_back(m, kappa, f.factor, f.slope, p.tt, p.gt, on_b);
      store_gradients(job, b, r, f.factor, on_t, on_b, by_b == nullptr ? nullptr : sums.data());
    }
  });
  for (std::int64_t j = 0; by_b != nullptr && j < job.cols; ++j) {
    by_b[j] += hn::GetLane(hn::SumOfLanes(Wide(), hn::LoadU(Wide(), sums.data() + j * kWideLanes)));
  }
}

void log_backward(const AffineJob& job, const float* g, float* by_x) {
  const W kappa = set(job.kappa);
  each_block(job, g, by_x, [&](const Block& b) {
    for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
      const Products p = products(b, r);
      store_radial(b, r, log0(kappa, p.tt), p.gt);
    }
  });
}

}  // namespace
const AffineTable kAffine{forward, backward, log_backward};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const AffineTable& affine_table() {
  static const SimdVersion<AffineTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kAffine
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<AffineTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
