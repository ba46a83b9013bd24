#include "backend/cpu/simd/embed_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/embed_pool.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/embed_pool_draw-inl.hpp"
#include "backend/cpu/simd/embed_pool_sums-inl.hpp"
#include "backend/cpu/simd/math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

// Scratch arrays, one entry a candidate.
enum Lane : std::uint8_t {
  kSquare,   // |x−u|²
  kAlpha,    // 1 − |x|², before and after
  kDot,      // x·(x − u)
  kRoot,     // √(t(1+t))
  kWeight,   // e, then the derivative of the loss by −d
  kOnRow,    // the step is x ← a·x + b·(x − u): a
  kOnDiff,   // b
  kPull,     // and u's own direction is Σ pull·(x − u) − turn·u
  kPositive  // e of the positives, then their weights
};

// The longest step of a row and of u, in hyperbolic distance: where the loss is steep (power > 1)
// or a point lies wrong, farther is no better, and tanh's rational form stays below 1.
constexpr double kLongestStep = 2.0;
constexpr double kLongestOwnStep = 1.0;
// Where and by which steps a row's 1 − |x|² is taken from its coordinates again.
constexpr double kFar = 0.5;  // in hyperbolic distance
constexpr int kNearEdge = 4;  // times the least 1 − |x|²

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using VecOf = hn::Vec<Tag<T>>;
template <class T>
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(Tag<T>()));

// 1/x to about the last bit: divisions of whole vectors are the slowest instruction here.
template <class D, class V>
HWY_INLINE V reciprocal(D d, V x) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const V r = hn::ApproximateReciprocal(x);
    return hn::Mul(r, hn::NegMulAdd(x, r, hn::Set(d, 2.0F)));
  } else {
    return hn::Div(hn::Set(d, 1.0), x);
  }
}

// tanh(y) for |y| <= 1 by its continued fraction (5th convergent; error below 3e-8).
template <class D, class V>
HWY_INLINE V short_tanh(D d, V y) {
  using T = hn::TFromD<D>;
  if constexpr (sizeof(T) == 8) {
    return hn::Tanh(d, y);
  } else {
    const V y2 = hn::Mul(y, y);
    const V over = hn::MulAdd(y2, hn::Add(y2, hn::Set(d, T(105))), hn::Set(d, T(945)));
    const V under =
        hn::MulAdd(y2, hn::MulAdd(y2, hn::Set(d, T(15)), hn::Set(d, T(420))), hn::Set(d, T(945)));
    return hn::Mul(hn::Mul(y, over), reciprocal(d, under));
  }
}

// A row's coordinates and what follows them, as vectors.
template <class T>
struct Coordinates {
  std::int64_t vectors;
  hn::Mask<Tag<T>> last;   // coordinates in the last vector, perhaps none
  hn::Mask<Tag<T>> place;  // 1 − |x|² there

  Coordinates(std::int64_t dim, bool one) : vectors(one ? 1 : dim / kLanes<T> + 1) {
    const Tag<T> d;
    const auto left = static_cast<std::size_t>(dim - (vectors - 1) * kLanes<T>);
    last = hn::FirstN(d, left);
    place = hn::And(hn::FirstN(d, left + 1), hn::Not(last));
  }
  // Vector i without what follows the coordinates.
  HWY_INLINE VecOf<T> only(VecOf<T> x, std::int64_t i) const {
    return i + 1 == vectors ? hn::IfThenElseZero(last, x) : x;
  }
  // x − u, vector i.
  HWY_INLINE VecOf<T> difference(VecOf<T> x, const T* u, std::int64_t i) const {
    return only(hn::Sub(x, hn::LoadU(Tag<T>(), u + i * kLanes<T>)), i);
  }
  // x with 1 − |x|² set, vector i.
  HWY_INLINE VecOf<T> with_alpha(VecOf<T> x, T alpha, std::int64_t i) const {
    return i + 1 == vectors ? hn::IfThenElse(place, hn::Set(Tag<T>(), alpha), x) : x;
  }
};

// |x − u|², x·(x − u) and 1 − |x|² of each candidate.
template <class T>
HWY_INLINE void measure_rows(const PoolItem<T>& item, const Coordinates<T>& c, std::int64_t dim,
                             PoolScratch<T>& s) {
  const Tag<T> d;
  T* square = s.lane(kSquare);
  T* dot = s.lane(kDot);
  T* alpha = s.lane(kAlpha);
  T* const* rows = item.rows;
  const T* u = item.u;
  for (std::int64_t first = 0; first < item.count; first += kLanes<T>) {
    VecOf<T> squares[kLanes<T>];
    VecOf<T> dots[kLanes<T>];
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kLanes<T>; ++i) {
      const T* row = rows[first + i];
      squares[i] = hn::Zero(d);
      dots[i] = hn::Zero(d);
      for (std::int64_t k = 0; k < c.vectors; ++k) {
        const VecOf<T> x = hn::LoadU(d, row + k * kLanes<T>);
        const VecOf<T> diff = c.difference(x, u, k);
        squares[i] = hn::MulAdd(diff, diff, squares[i]);
        dots[i] = hn::MulAdd(x, diff, dots[i]);
      }
      alpha[first + i] = row[dim];
    }
    hn::StoreU(sums_of_all(d, squares), d, square + first);
    hn::StoreU(sums_of_all(d, dots), d, dot + first);
  }
}

template <class T, bool kShort>
HWY_INLINE void measure(const PoolItem<T>& item, const Coordinates<T>& c, std::int64_t dim,
                        PoolScratch<T>& s) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (kShort && sizeof(T) == 4) {
    measure_all(dim, item.rows, item.u, item.count, s.lane(kSquare), s.lane(kDot), s.lane(kAlpha));
    return;
  }
#endif
  measure_rows(item, c, dim, s);
}

// e = exp(−d) of a group of candidates in the ball, and √(t(1+t)).
template <class T>
HWY_INLINE void decays(const T* square, const T* alpha, VecOf<T> beta, T* root, T* e) {
  const Tag<T> d;
  const VecOf<T> one = hn::Set(d, T(1));
  const VecOf<T> two = hn::Set(d, T(2));
  const VecOf<T> tiny = hn::Set(d, sizeof(T) == 4 ? T(1e-10) : T(1e-18));  // coincidence
  const VecOf<T> product = hn::Mul(hn::LoadU(d, alpha), beta);
  const VecOf<T> t = hn::Max(hn::Mul(hn::LoadU(d, square), reciprocal(d, product)), tiny);
  const VecOf<T> q = hn::Sqrt(hn::MulAdd(t, t, t));
  hn::StoreU(q, d, root);
  hn::StoreU(reciprocal(d, hn::MulAdd(two, hn::Add(t, q), one)), d, e);
}

// −scale·d instead of e, for what follows to form relative weights from.
template <class T>
void exponents(const PoolRule<T>& rule, std::int64_t count, const T* square, T* e) {
  const Tag<T> d;
  const VecOf<T> s = hn::Set(d, rule.scale);
  for (std::int64_t i = 0; i < count; i += kLanes<T>) {
    const VecOf<T> x = rule.space == EmbedSpace::ball ? safe_log(d, hn::LoadU(d, e + i))
                                                      : hn::Neg(hn::LoadU(d, square + i));
    hn::StoreU(hn::Mul(s, x), d, e + i);
  }
}

// Lanes below `count` of the vector that begins at i.
template <class T>
hn::Mask<Tag<T>> lanes_below(std::int64_t i, std::int64_t count) {
  const std::int64_t left = std::clamp<std::int64_t>(count - i, 0, kLanes<T>);
  return hn::FirstN(Tag<T>(), static_cast<std::size_t>(left));
}

template <class T>
VecOf<T> below(std::int64_t i, std::int64_t count, VecOf<T> x) {
  return hn::IfThenElseZero(lanes_below<T>(i, count), x);
}

// Weights relative to the nearest negative's: e itself is 0 for all candidates of a point far from
// everything. Derivatives do not change. e^70 stands for anything larger.
template <class T>
void shift(std::int64_t positives, std::int64_t count, T* e) {
  const Tag<T> d;
  T most = -std::numeric_limits<T>::infinity();
  for (std::int64_t i = positives; i < count; ++i) most = std::max(most, e[i]);
  const VecOf<T> cap = hn::Set(d, T(70));
  const VecOf<T> by = hn::Set(d, most);
  for (std::int64_t i = 0; i < count; i += kLanes<T>) {
    const VecOf<T> x = hn::Min(hn::Sub(hn::LoadU(d, e + i), by), cap);
    // The floor keeps a positive's weight above 0: log(S/e) stays finite.
    hn::StoreU(hn::Exp(d, hn::Max(x, hn::Set(d, T(-80)))), d, e + i);
  }
}

// ℓ^(power−1)
template <class T>
HWY_INLINE VecOf<T> steepness(VecOf<T> loss, T power) {
  const Tag<T> d;
  if (power == T(2)) return loss;
  const VecOf<T> least = hn::Max(loss, hn::Set(d, std::numeric_limits<T>::min()));
  return hn::Exp(d, hn::Mul(hn::Set(d, power - 1), hn::Log(d, least)));
}

// Turns e into the derivatives of the item's loss by −d: above 0 for positives, below for
// negatives. Returns the sum of ℓ.
template <class T>
double weigh(const PoolRule<T>& rule, const PoolItem<T>& item, T* weight, T* positive) {
  const Tag<T> d;
  for (std::int64_t i = 0; i < item.positives; i += kLanes<T>) {
    const VecOf<T> e = hn::LoadU(d, weight + i);
    const auto own = lanes_below<T>(i, item.positives);
    hn::StoreU(hn::IfThenElse(own, e, hn::Set(d, T(1))), d, positive + i);
    hn::StoreU(hn::IfThenZeroElse(own, e), d, weight + i);
  }
  const VecOf<T> each = hn::Set(d, item.each);
  VecOf<T> sum = hn::Zero(d);
  for (std::int64_t i = 0; i < item.count; i += kLanes<T>) {
    const VecOf<T> e = hn::Mul(each, below<T>(i, item.count, hn::LoadU(d, weight + i)));
    hn::StoreU(e, d, weight + i);
    sum = hn::Add(sum, e);
  }
  const VecOf<T> negatives = hn::SumOfLanes(d, sum);
  VecOf<T> losses = hn::Zero(d);
  VecOf<T> shared = hn::Zero(d);  // Σ_v w_v/(e_v + S)
  for (std::int64_t i = 0; i < item.positives; i += kLanes<T>) {
    const VecOf<T> e = hn::LoadU(d, positive + i);
    const VecOf<T> loss = hn::Log1p(d, hn::Div(negatives, e));
    VecOf<T> share = reciprocal(d, hn::Add(e, negatives));
    if (rule.power != T(1)) share = hn::Mul(share, steepness<T>(loss, rule.power));
    share = hn::Mul(share, hn::Set(d, rule.scale));
    losses = hn::Add(losses, below<T>(i, item.positives, loss));
    shared = hn::Add(shared, below<T>(i, item.positives, share));
    hn::StoreU(hn::Mul(share, negatives), d, positive + i);
  }
  const VecOf<T> down = hn::Neg(hn::SumOfLanes(d, shared));
  for (std::int64_t i = 0; i < item.count; i += kLanes<T>) {
    hn::StoreU(hn::Mul(hn::LoadU(d, weight + i), down), d, weight + i);
  }
  for (std::int64_t i = 0; i < item.positives; i += kLanes<T>) {
    const VecOf<T> w = hn::IfThenElse(lanes_below<T>(i, item.positives), hn::LoadU(d, positive + i),
                                      hn::LoadU(d, weight + i));
    hn::StoreU(w, d, weight + i);
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, losses)));
}

// From each candidate's derivative to its step: a Möbius translation by tanh(h/2) towards u, as
// x ← a·x + b·(x − u), and to its share of u's direction. Returns Σ pull·|x−u|².
template <class T>
T ball_steps(const PoolRule<T>& rule, std::int64_t count, T own, PoolScratch<T>& s) {
  const Tag<T> d;
  const VecOf<T> one = hn::Set(d, T(1));
  const VecOf<T> half = hn::Set(d, T(0.5));
  const VecOf<T> beta = hn::Set(d, own);
  const VecOf<T> half_rate = hn::Set(d, rule.rate / 2);
  const VecOf<T> near = hn::Set(d, kNearEdge * rule.alpha_least);
  const VecOf<T> far = hn::Set(d, T(kFar / 2));
  const VecOf<T> longest = hn::Set(d, T(kLongestStep / 2));
  const VecOf<T> least = hn::Set(d, rule.alpha_least);
  VecOf<T> turn = hn::Zero(d);
  for (std::int64_t i = 0; i < count; i += kLanes<T>) {
    const VecOf<T> g = hn::LoadU(d, s.lane(kWeight) + i);
    const VecOf<T> a = hn::LoadU(d, s.lane(kAlpha) + i);
    const VecOf<T> n = hn::LoadU(d, s.lane(kSquare) + i);
    const VecOf<T> ib = reciprocal(d, hn::Mul(beta, hn::LoadU(d, s.lane(kRoot) + i)));
    const VecOf<T> ia = reciprocal(d, a);
    const VecOf<T> pull = hn::Mul(hn::Mul(g, ib), ia);
    const VecOf<T> y = hn::Mul(g, half_rate);
    const VecOf<T> th = short_tanh(d, hn::Max(hn::Min(y, longest), hn::Neg(longest)));
    const VecOf<T> k = hn::Mul(th, ib);
    const VecOf<T> tt = hn::Mul(th, th);
    const VecOf<T> norm = hn::Sub(one, a);  // |x|²
    const VecOf<T> dot = hn::LoadU(d, s.lane(kDot) + i);
    const VecOf<T> twice = hn::Mul(hn::Add(k, k), hn::MulAdd(hn::Mul(n, norm), ia, dot));
    // At least (1 − |y|)² for a row and its α that agree; rounding near the edge may part them.
    const VecOf<T> gap = hn::Sub(one, hn::Abs(th));
    const VecOf<T> under = hn::Sub(hn::MulAdd(norm, tt, one), twice);
    const VecOf<T> r = reciprocal(d, hn::Max(under, hn::Mul(gap, gap)));
    const VecOf<T> on_row = hn::Mul(hn::NegMulAdd(k, n, hn::Mul(tt, a)), r);
    const VecOf<T> on_diff = hn::Neg(hn::Mul(hn::Mul(k, a), r));
    const VecOf<T> after = hn::Mul(hn::Mul(a, hn::Sub(one, tt)), r);
    // Beyond the last radius: shrink to it (|x|² = 1 − α; to first order).
    const VecOf<T> shrink = hn::NegMulAdd(hn::Max(hn::Sub(least, after), hn::Zero(d)), half, one);
    hn::StoreU(hn::Mul(shrink, hn::Add(one, on_row)), d, s.lane(kOnRow) + i);
    hn::StoreU(hn::Mul(shrink, on_diff), d, s.lane(kOnDiff) + i);
    hn::StoreU(hn::Max(after, least), d, s.lane(kAlpha) + i);
    hn::StoreU(pull, d, s.lane(kPull) + i);
    const auto unsure = hn::Or(hn::Lt(after, near), hn::Gt(hn::Abs(y), far));
    hn::StoreU(hn::IfThenElseZero(unsure, one), d, s.lane(kRoot) + i);
    turn = hn::MulAdd(pull, n, turn);
  }
  return hn::GetLane(hn::SumOfLanes(d, turn));
}

template <class T>
void euclidean_steps(const PoolRule<T>& rule, std::int64_t count, PoolScratch<T>& s) {
  const Tag<T> d;
  const VecOf<T> part = hn::Set(d, T(0.25));  // of the way to u, or away from it, at most
  const VecOf<T> longest = hn::Set(d, T(kLongestStep));
  for (std::int64_t i = 0; i < count; i += kLanes<T>) {
    const VecOf<T> g = hn::LoadU(d, s.lane(kWeight) + i);
    const VecOf<T> step = hn::Mul(g, hn::Set(d, 2 * rule.rate));
    // Pushed by a part of its distance again and again, a row would grow without bounds.
    const VecOf<T> way = hn::Sqrt(hn::LoadU(d, s.lane(kSquare) + i));
    const VecOf<T> cap = hn::Min(part, hn::Div(longest, hn::Max(way, hn::Set(d, T(1)))));
    hn::StoreU(hn::Set(d, T(1)), d, s.lane(kOnRow) + i);
    hn::StoreU(hn::Neg(hn::Max(hn::Min(step, cap), hn::Neg(cap))), d, s.lane(kOnDiff) + i);
    hn::StoreU(hn::Add(g, g), d, s.lane(kPull) + i);
  }
}

// Moves the candidates; pulled gets Σ pull·(x − u), vector by vector.
template <class T>
HWY_INLINE void move_rows(const PoolItem<T>& item, const Coordinates<T>& c, PoolScratch<T>& s,
                          T* pulled) {
  const Tag<T> d;
  const T* on_row = s.lane(kOnRow);
  const T* on_diff = s.lane(kOnDiff);
  const T* pull = s.lane(kPull);
  const T* alpha = s.lane(kAlpha);
  T* const* rows = item.rows;  // locals: stores to rows could be to anything else
  const T* u = item.u;
  for (std::int64_t k = 0; k < c.vectors; ++k) {
    constexpr std::int64_t kChains = 4;  // sums side by side: an addition takes four cycles
    VecOf<T> sums[kChains] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    const auto move = [&](std::int64_t i, VecOf<T>& sum) HWY_ATTR {
      T* row = rows[i];
      const VecOf<T> x = hn::LoadU(d, row + k * kLanes<T>);
      const VecOf<T> diff = c.difference(x, u, k);
      sum = hn::MulAdd(hn::Set(d, pull[i]), diff, sum);
      const VecOf<T> moved =
          hn::MulAdd(hn::Set(d, on_row[i]), x, hn::Mul(hn::Set(d, on_diff[i]), diff));
      hn::StoreU(c.with_alpha(moved, alpha[i], k), d, row + k * kLanes<T>);
    };
    std::int64_t i = 0;
    for (; i + kChains <= item.count; i += kChains) {
#pragma GCC unroll 4
      for (std::int64_t j = 0; j < kChains; ++j) move(i + j, sums[j]);
    }
    for (; i < item.count; ++i) move(i, sums[0]);
    hn::StoreU(hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])), d,
               pulled + k * kLanes<T>);
  }
}

// pool_settle by vectors.
template <class T>
HWY_INLINE void settle(const PoolRule<T>& rule, [[maybe_unused]] const Coordinates<T>& c, T* x) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) == 4) {
    const Tag<T> d;
    const hn::Half<Tag<T>> half;
    const hn::RepartitionToWide<Tag<T>> wide;
    auto sum = hn::Zero(wide);
    for (std::int64_t i = 0; i < c.vectors; ++i) {
      const VecOf<T> v = c.only(hn::LoadU(d, x + i * kLanes<T>), i);
      const auto low = hn::PromoteTo(wide, hn::LowerHalf(half, v));
      const auto high = hn::PromoteTo(wide, hn::UpperHalf(half, v));
      sum = hn::MulAdd(low, low, hn::MulAdd(high, high, sum));
    }
    const double alpha = 1.0 - hn::GetLane(hn::SumOfLanes(wide, sum));
    if (alpha >= static_cast<double>(rule.alpha_least)) {
      x[rule.dim] = static_cast<T>(alpha);
      return;
    }
  }
#endif
  pool_settle(x, rule.dim, rule.alpha_least);
}

// Rounding of coordinates parts them from 1 − |x|², the more so near the edge and by long steps;
// left alone, a row would come to lie outside.
template <class T>
void settle_rows(const PoolItem<T>& item, const PoolRule<T>& rule, const Coordinates<T>& c,
                 const T* unsure) {
  const Tag<T> d;
  for (std::int64_t first = 0; first < item.count; first += kLanes<T>) {
    if (hn::AllFalse(d, hn::Gt(hn::LoadU(d, unsure + first), hn::Zero(d)))) continue;
    for (std::int64_t i = first; i < std::min(first + kLanes<T>, item.count); ++i) {
      if (unsure[i] > 0) settle(rule, c, item.rows[i]);
    }
  }
}

// The direction is measured in units of its largest part: weights of a flat space (scale far above
// 1) make squares that float32 does not hold.
template <class T>
HWY_INLINE void move_own_ball(const PoolRule<T>& rule, const Coordinates<T>& c, T turn, T* u,
                              T* pulled) {
  const Tag<T> d;
  const T beta = u[rule.dim];
  VecOf<T> parts = hn::Zero(d);
  for (std::int64_t i = 0; i < c.vectors; ++i) {
    const VecOf<T> x = hn::Mul(hn::Set(d, turn), hn::LoadU(d, u + i * kLanes<T>));
    const VecOf<T> p = hn::LoadU(d, pulled + i * kLanes<T>);
    const VecOf<T> way = c.only(hn::MulSub(hn::Set(d, beta), p, x), i);
    hn::StoreU(way, d, pulled + i * kLanes<T>);
    parts = hn::Max(parts, hn::Abs(way));
  }
  const T largest = hn::GetLane(hn::MaxOfLanes(d, parts));
  if (!(largest >= std::numeric_limits<T>::min())) return;  // its inverse would overflow
  VecOf<T> squares = hn::Zero(d);
  VecOf<T> dots = hn::Zero(d);
  for (std::int64_t i = 0; i < c.vectors; ++i) {
    const VecOf<T> way = hn::Mul(hn::Set(d, 1 / largest), hn::LoadU(d, pulled + i * kLanes<T>));
    hn::StoreU(way, d, pulled + i * kLanes<T>);
    squares = hn::MulAdd(way, way, squares);
    dots = hn::MulAdd(hn::LoadU(d, u + i * kLanes<T>), way, dots);
  }
  const T length = std::sqrt(hn::GetLane(hn::SumOfLanes(d, squares)));
  const T dot = hn::GetLane(hn::SumOfLanes(d, dots));
  const T step = std::min(rule.rate * largest * length, T(kLongestOwnStep));
  const T th = hn::GetLane(short_tanh(d, hn::Set(d, step / 2)));
  const T f = th / length;
  const T tt = th * th;
  const T r = 1 / (1 + 2 * f * dot + (1 - beta) * tt);
  for (std::int64_t i = 0; i < c.vectors; ++i) {
    const VecOf<T> x = hn::LoadU(d, u + i * kLanes<T>);
    const VecOf<T> way = hn::LoadU(d, pulled + i * kLanes<T>);
    const VecOf<T> by =
        hn::MulAdd(hn::Set(d, tt * beta * r), x, hn::Mul(hn::Set(d, beta * f * r), way));
    hn::StoreU(hn::Add(x, c.only(by, i)), d, u + i * kLanes<T>);
  }
  settle(rule, c, u);  // steps as a candidate let α drift
}

template <class T>
void move_own_euclidean(const PoolRule<T>& rule, T* u, const T* pulled) {
  double squared = 0;
  for (std::int64_t j = 0; j < rule.dim; ++j) {
    squared += static_cast<double>(pulled[j]) * pulled[j];
  }
  const double length = rule.rate * std::sqrt(squared);
  const double f = length > kLongestOwnStep ? rule.rate * kLongestOwnStep / length : rule.rate;
  for (std::int64_t j = 0; j < rule.dim; ++j) u[j] += static_cast<T>(f * pulled[j]);
}

template <class T, bool kShort>
double step(const PoolItem<T>& item, const PoolRule<T>& rule, PoolScratch<T>& s) {
  const Tag<T> d;
  const Coordinates<T> c(rule.dim, kShort);
  const bool ball = rule.space == EmbedSpace::ball;
  T* alpha = s.lane(kAlpha);
  T* e = s.lane(kWeight);
  measure<T, kShort>(item, c, rule.dim, s);
  const T own = item.u[rule.dim];
  if (ball) {
    for (std::int64_t i = 0; i < item.count; i += kLanes<T>) {
      decays<T>(s.lane(kSquare) + i, alpha + i, hn::Set(d, own), s.lane(kRoot) + i, e + i);
    }
  }
  if (!ball || rule.scale != T(1)) {
    exponents(rule, item.count, s.lane(kSquare), e);
    shift(item.positives, item.count, e);
  }
  const double loss = weigh(rule, item, e, s.lane(kPositive));
  T turn = 0;
  if (ball) {
    turn = ball_steps(rule, item.count, own, s);
  } else {
    euclidean_steps(rule, item.count, s);
  }
  T* pulled = s.lane(kSquare);  // no longer needed, and long enough
  move_rows(item, c, s, pulled);
  if (ball) {
    settle_rows(item, rule, c, s.lane(kRoot));
    // Ancestors of many move that often that their α would drift away from their coordinates.
    for (std::int64_t i = 0; i < item.positives; ++i) settle(rule, c, item.rows[i]);
    move_own_ball(rule, c, turn, item.u, pulled);
  } else {
    move_own_euclidean(rule, item.u, pulled);
  }
  return loss;
}

template <class T>
double step_any(const PoolItem<T>& item, const PoolRule<T>& rule, PoolScratch<T>& s) {
  return rule.dim < kLanes<T> ? step<T, true>(item, rule, s) : step<T, false>(item, rule, s);
}

double step_f32(const PoolItem<float>& item, const PoolRule<float>& rule, PoolScratch<float>& s) {
  return step_any(item, rule, s);
}

double step_f64(const PoolItem<double>& item, const PoolRule<double>& rule,
                PoolScratch<double>& s) {
  return step_any(item, rule, s);
}

}  // namespace
const EmbedPoolTable kEmbedPool{step_f32, step_f64, draw_strata, find_any, locate_rows};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

template <class T>
PoolScratch<T>::PoolScratch(std::int64_t candidates)
    : padded_((candidates + 2 * kPoolAlign - 1) / kPoolAlign * kPoolAlign),
      memory_(static_cast<std::size_t>(9 * padded_ + kPoolAlign)) {
  const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
  first_ = memory_.data() + (kPoolAlign - at % kPoolAlign) % kPoolAlign / sizeof(T);
}
template class PoolScratch<float>;
template class PoolScratch<double>;

void PoolStrata::cut(std::int64_t range, std::int64_t parts) {
  size = static_cast<std::int32_t>(range);
  count = static_cast<std::int32_t>(std::min(range, parts));
  const std::int64_t padded = (parts + kDrawBatch - 1) / kDrawBatch * kDrawBatch;
  first.assign(static_cast<std::size_t>(padded), 0);
  width.assign(static_cast<std::size_t>(padded), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = i * range / count;
    first[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(begin);
    width[static_cast<std::size_t>(i)] =
        static_cast<std::uint32_t>((i + 1) * range / count - begin);
  }
  halves = count > 0 && *std::max_element(width.begin(), width.end()) <= kHalfWidth;
}

const EmbedPoolTable& embed_pool_table() {
  static const SimdVersion<EmbedPoolTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kEmbedPool
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<EmbedPoolTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
