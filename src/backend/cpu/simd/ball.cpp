#include "backend/cpu/simd/ball.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/ball.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/ball_math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

// A block in the making: operands turned, result turned back.
struct Block {
  std::int64_t rows;    // of this block
  std::int64_t stride;  // between coordinates
  std::int64_t cols;
  const float* x;
  const float* y;
  const float* v;
  float* out;
};

// Inner products of a vector of rows. Points x and y are scaled by px and py, which bring them into
// the ball; v is a tangent vector. ss is |x + sign·y|², formed from the coordinates.
struct Gram {
  W xx, yy, vv, xy, xv, yv, ss;
  W px, py;
  W kappa, root;  ///< κ and √κ
  W t, rate;
  const Block* block;  ///< the coordinates themselves, of the rows from `first` on
  std::int64_t first;
};

// |a·x + b·y|² from the products, or, where that cancels (a step that leads back through the ball),
// from the coordinates.
HWY_INLINE W combined_squares(const Gram& g, W a, W b, W from_products, W terms) {
  const auto cancels = hn::Lt(from_products, hn::Mul(terms, set(1e-3)));
  if (hn::AllFalse(Wide(), cancels)) return from_products;
  W sum = hn::Zero(Wide());
  for (std::int64_t j = 0; j < g.block->cols; ++j) {
    const std::int64_t at = j * g.block->stride + g.first;
    const W v = hn::MulAdd(a, load_wide(g.block->x + at), hn::Mul(b, load_wide(g.block->y + at)));
    sum = hn::MulAdd(v, v, sum);
  }
  return hn::IfThenElse(cancels, sum, from_products);
}

// What an operation makes of them: result = a·x + b·y + c·v, or a number.
struct Result {
  W a, b, c;
};

// kRows operand rows; which of them are points; the sign of y in ss; whether the result is a
// number.
template <int rows, bool y_is_point, int sign, bool number = false>
struct Traits {
  static constexpr int kRows = rows;
  static constexpr bool kYIsPoint = y_is_point;
  static constexpr int kSign = sign;
  static constexpr bool kNumber = number;
  static constexpr bool kProjectX = true;
};

struct Project : Traits<1, false, 0> {
  static Result apply(const Gram& g) { return {g.px, set(0), set(0)}; }
};

struct Unprojected : Traits<1, false, 0> {
  static constexpr bool kProjectX = false;
};

HWY_INLINE W exp0_factor(W s) {
  const W y = tanh_of(s);
  return hn::Mul(ratio(y, s, set(1.0)), clamp_factor(y));
}

HWY_INLINE W import_factor(W s) {
  return hn::IfThenElse(hn::Ge(s, set(kImportRadius)), exp0_factor(s), clamp_factor(s));
}

struct Import : Unprojected {
  static Result apply(const Gram& g) {
    return {import_factor(hn::Mul(g.root, hn::Sqrt(g.xx))), set(0), set(0)};
  }
};

struct Expmap0 : Unprojected {
  static Result apply(const Gram& g) {
    return {exp0_factor(hn::Mul(g.root, hn::Sqrt(g.xx))), set(0), set(0)};
  }
};

struct Logmap0 : Traits<1, false, 0> {
  static Result apply(const Gram& g) {
    const W s = hn::Mul(g.root, hn::Sqrt(g.xx));
    return {hn::Mul(g.px, ratio(artanh_of(s), s, set(1.0))), set(0), set(0)};
  }
};

struct MobiusAdd : Traits<2, true, 1> {
  static Result apply(const Gram& g) {
    const Sum sum = mobius_sum(g.kappa, g.xx, g.yy, g.ss);
    const W q = clamp_factor(hn::Mul(g.root, hn::Sqrt(sum.norm_squared)));
    return {hn::Mul(hn::Mul(q, sum.alpha), g.px), hn::Mul(hn::Mul(q, sum.beta), g.py), set(0)};
  }
};

struct MobiusScalar : Traits<1, false, 0> {
  static Result apply(const Gram& g) {
    const W s = hn::Mul(g.root, hn::Sqrt(g.xx));
    const W y = tanh_of(hn::Mul(g.t, artanh_of(s)));
    const W factor = hn::Mul(ratio(y, s, g.t), clamp_factor(hn::Abs(y)));
    return {hn::Mul(g.px, factor), set(0), set(0)};
  }
};

// x ⊕ k·v for a tangent vector v; shared by the exponential map and the gradient step.
HWY_INLINE Result add_scaled(const Gram& g, W px, W xx, W k) {
  const W yy = hn::Mul(hn::Mul(k, k), g.yy);
  const W xy = hn::Mul(hn::Mul(k, px), g.xy);
  const W terms = hn::Add(xx, yy);
  const W ss = combined_squares(g, px, k, hn::Add(terms, hn::Add(xy, xy)), terms);
  const Sum sum = mobius_sum(g.kappa, xx, yy, ss);
  // A step of zero leaves the row bit for bit: it is inside already.
  const W q = hn::IfThenElse(hn::Eq(yy, hn::Zero(Wide())), set(1.0),
                             clamp_factor(hn::Mul(g.root, hn::Sqrt(sum.norm_squared))));
  return {hn::Mul(hn::Mul(q, sum.alpha), px), hn::Mul(hn::Mul(q, sum.beta), k), set(0)};
}

struct Expmap : Traits<2, false, 0> {
  static Result apply(const Gram& g) {
    const W half = hn::Div(set(1.0), hn::NegMulAdd(g.kappa, g.xx, set(1.0)));  // λ/2
    const W length = hn::Mul(g.root, hn::Sqrt(g.yy));
    const W k = ratio(tanh_of(hn::Mul(half, length)), length, set(0.0));
    // Gram holds <x, v> of the scaled x already.
    Gram raw = g;
    raw.xy = hn::Div(g.xy, g.px);
    return add_scaled(raw, g.px, g.xx, k);
  }
};

struct SgdStep : Traits<2, false, 0> {
  static constexpr bool kProjectX = false;
  static Result apply(const Gram& g) {
    const W px = import_factor(hn::Mul(g.root, hn::Sqrt(g.xx)));
    const W xx = hn::Mul(hn::Mul(px, px), g.xx);
    const W inverse = hn::Mul(set(0.5), hn::NegMulAdd(g.kappa, xx, set(1.0)));  // 1/λ
    const W length = hn::Mul(g.root, hn::Sqrt(g.yy));
    const W angle = hn::Mul(hn::Mul(set(0.5), g.rate), hn::Mul(inverse, length));
    const W k = hn::Neg(ratio(tanh_of(angle), length, set(0.0)));
    return add_scaled(g, px, xx, k);
  }
};

// u = (−x) ⊕ y = −αx + βy, with q = sinh of half the scaled distance.
struct Difference {
  W alpha, beta, norm_squared, q;
};
HWY_INLINE Difference difference(const Gram& g) {
  const Sum sum = mobius_sum(g.kappa, g.xx, g.yy, g.ss);
  const W p =
      hn::Mul(hn::NegMulAdd(g.kappa, g.xx, set(1.0)), hn::NegMulAdd(g.kappa, g.yy, set(1.0)));
  return {sum.alpha, sum.beta, sum.norm_squared, hn::Sqrt(hn::Div(hn::Mul(g.kappa, g.ss), p))};
}

struct Logmap : Traits<2, true, -1> {
  static Result apply(const Gram& g) {
    const Difference u = difference(g);
    const W length = hn::Mul(g.root, hn::Sqrt(u.norm_squared));
    const W cx = hn::NegMulAdd(g.kappa, g.xx, set(1.0));  // 2/λ
    const W f = hn::Mul(cx, ratio(asinh_of(u.q), length, set(0.0)));
    return {hn::Neg(hn::Mul(hn::Mul(f, u.alpha), g.px)), hn::Mul(hn::Mul(f, u.beta), g.py), set(0)};
  }
};

struct Geodesic : Traits<2, true, -1> {
  static Result apply(const Gram& g) {
    const Difference u = difference(g);
    const W length = hn::Mul(g.root, hn::Sqrt(u.norm_squared));
    const W step = tanh_of(hn::Mul(g.t, asinh_of(u.q)));
    const W k = ratio(step, length, set(0.0));  // w = k·u
    const W ww = hn::Mul(hn::Mul(k, k), u.norm_squared);
    const W xu = hn::Sub(hn::Mul(u.beta, g.xy), hn::Mul(u.alpha, g.xx));
    const W xw = hn::Mul(k, xu);
    const W terms = hn::Add(g.xx, ww);
    // x + w = (1 − kα)x + kβy.
    const W on_x = hn::Mul(g.px, hn::NegMulAdd(k, u.alpha, set(1.0)));
    const W on_y = hn::Mul(g.py, hn::Mul(k, u.beta));
    const W ss = combined_squares(g, on_x, on_y, hn::Add(terms, hn::Add(xw, xw)), terms);
    const Sum sum = mobius_sum(g.kappa, g.xx, ww, ss);
    const W q = clamp_factor(hn::Mul(g.root, hn::Sqrt(sum.norm_squared)));
    const W along = hn::Mul(sum.beta, k);
    const W a = hn::NegMulAdd(along, u.alpha, sum.alpha);
    return {hn::Mul(hn::Mul(q, a), g.px), hn::Mul(hn::Mul(q, hn::Mul(along, u.beta)), g.py),
            set(0)};
  }
};

// gyr[a, b]v − v = 2(Aa + Bb)/D with a = x and b = sign·y.
HWY_INLINE Result gyrate(const Gram& g, W sign) {
  const W k2 = hn::Mul(g.kappa, g.kappa);
  const W ab = hn::Mul(sign, g.xy);
  const W bv = hn::Mul(sign, g.yv);
  const W a = hn::Add(hn::MulAdd(hn::Neg(k2), hn::Mul(g.xv, g.yy), hn::Mul(g.kappa, bv)),
                      hn::Mul(hn::Add(k2, k2), hn::Mul(ab, bv)));
  const W b = hn::Neg(hn::MulAdd(k2, hn::Mul(bv, g.xx), hn::Mul(g.kappa, g.xv)));
  const W d = hn::MulAdd(
      g.kappa, g.ss,
      hn::Mul(hn::NegMulAdd(g.kappa, g.xx, set(1.0)), hn::NegMulAdd(g.kappa, g.yy, set(1.0))));
  const W scale = hn::Div(set(2.0), d);
  return {hn::Mul(hn::Mul(scale, a), g.px), hn::Mul(hn::Mul(scale, hn::Mul(sign, b)), g.py),
          set(1.0)};
}

struct Gyration : Traits<3, true, 1> {
  static Result apply(const Gram& g) { return gyrate(g, set(1.0)); }
};

// (λ_x/λ_y) gyr[y, −x]v; the operands come as (y, x, v), so that x of the Gram is y of the call.
struct ParallelTransport : Traits<3, true, -1> {
  static Result apply(const Gram& g) {
    const Result r = gyrate(g, set(-1.0));
    const W scale =
        hn::Div(hn::NegMulAdd(g.kappa, g.xx, set(1.0)), hn::NegMulAdd(g.kappa, g.yy, set(1.0)));
    return {hn::Mul(scale, r.a), hn::Mul(scale, r.b), scale};
  }
};

struct Dist : Traits<2, true, -1, true> {
  static Result apply(const Gram& g) {
    const W p =
        hn::Mul(hn::NegMulAdd(g.kappa, g.xx, set(1.0)), hn::NegMulAdd(g.kappa, g.yy, set(1.0)));
    const W q = hn::Sqrt(hn::Div(hn::Mul(g.kappa, g.ss), p));
    return {hn::Mul(hn::Div(set(2.0), g.root), asinh_of(q)), set(0), set(0)};
  }
};

struct ConformalFactor : Traits<1, false, 0, true> {
  static Result apply(const Gram& g) {
    return {hn::Div(set(2.0), hn::NegMulAdd(g.kappa, g.xx, set(1.0))), set(0), set(0)};
  }
};

struct Egrad2Rgrad : Traits<2, false, 0> {
  static Result apply(const Gram& g) {
    const W inverse = hn::Mul(set(0.5), hn::NegMulAdd(g.kappa, g.xx, set(1.0)));
    return {set(0), hn::Mul(inverse, inverse), set(0)};
  }
};

template <class Op>
HWY_INLINE void add_products(Gram& g, const Block& b, std::int64_t r) {
  const W zero = hn::Zero(Wide());
  g.xx = g.yy = g.vv = g.xy = g.xv = g.yv = g.ss = zero;
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const W x = load_wide(b.x + j * b.stride + r);
    g.xx = hn::MulAdd(x, x, g.xx);
    if constexpr (Op::kRows >= 2) {
      const W y = load_wide(b.y + j * b.stride + r);
      g.yy = hn::MulAdd(y, y, g.yy);
      g.xy = hn::MulAdd(x, y, g.xy);
      if constexpr (Op::kSign != 0) {
        const W s = Op::kSign > 0 ? hn::Add(x, y) : hn::Sub(x, y);
        g.ss = hn::MulAdd(s, s, g.ss);
      }
      if constexpr (Op::kRows == 3) {
        const W v = load_wide(b.v + j * b.stride + r);
        g.vv = hn::MulAdd(v, v, g.vv);
        g.xv = hn::MulAdd(x, v, g.xv);
        g.yv = hn::MulAdd(y, v, g.yv);
      }
    }
  }
}

// Points outside the ball: their products are scaled, and |x ± y|² is formed anew from the scaled
// coordinates. Rare, so a second pass over the block is cheap.
template <class Op>
HWY_INLINE void bring_inside(Gram& g, const Block& b, std::int64_t r) {
  g.px = Op::kProjectX ? clamp_factor(hn::Mul(g.root, hn::Sqrt(g.xx))) : set(1.0);
  g.py = Op::kYIsPoint ? clamp_factor(hn::Mul(g.root, hn::Sqrt(g.yy))) : set(1.0);
  const W one = set(1.0);
  if (hn::AllTrue(Wide(), hn::And(hn::Eq(g.px, one), hn::Eq(g.py, one)))) return;
  if constexpr (Op::kSign != 0) {
    g.ss = hn::Zero(Wide());
    for (std::int64_t j = 0; j < b.cols; ++j) {
      const W x = hn::Mul(g.px, load_wide(b.x + j * b.stride + r));
      const W y = hn::Mul(g.py, load_wide(b.y + j * b.stride + r));
      const W s = Op::kSign > 0 ? hn::Add(x, y) : hn::Sub(x, y);
      g.ss = hn::MulAdd(s, s, g.ss);
    }
  }
  g.xx = hn::Mul(g.xx, hn::Mul(g.px, g.px));
  g.yy = hn::Mul(g.yy, hn::Mul(g.py, g.py));
  g.xy = hn::Mul(g.xy, hn::Mul(g.px, g.py));
  g.xv = hn::Mul(g.xv, g.px);
  g.yv = hn::Mul(g.yv, g.py);
}

template <class Op>
HWY_INLINE void combine(const Result& k, const Block& b, std::int64_t r) {
  const W zero = hn::Zero(Wide());
  const auto without_y = hn::Eq(k.b, zero);
  for (std::int64_t j = 0; j < b.cols; ++j) {
    const std::int64_t at = j * b.stride + r;
    W sum = hn::Mul(k.a, load_wide(b.x + at));
    if constexpr (Op::kRows >= 2) {
      // A coefficient of zero adds nothing, not even to the sign of a zero.
      sum = hn::IfThenElse(without_y, sum, hn::MulAdd(k.b, load_wide(b.y + at), sum));
    }
    if constexpr (Op::kRows == 3) sum = hn::MulAdd(k.c, load_wide(b.v + at), sum);
    hn::StoreU(hn::DemoteTo(Narrow(), sum), Narrow(), b.out + at);
  }
}

HWY_INLINE void store_number(W value, const BallJob& job, std::int64_t first, std::int64_t rows) {
  HWY_ALIGN double lanes[kWideLanes];
  hn::Store(job.squared ? hn::Mul(value, value) : value, Wide(), lanes);
  for (std::int64_t i = 0; i < std::min(kWideLanes, rows); ++i) {
    if (job.wide_out) {
      static_cast<double*>(job.out)[first + i] = lanes[i];
    } else {
      static_cast<float*>(job.out)[first + i] = static_cast<float>(lanes[i]);
    }
  }
}

HWY_INLINE W load_t(const BallJob& job, std::int64_t first, std::int64_t rows) {
  if (job.t == nullptr) return set(1.0);
  HWY_ALIGN double lanes[kWideLanes];
  for (std::int64_t i = 0; i < kWideLanes; ++i) {
    lanes[i] = job.t[(first + std::min(i, rows - 1)) * job.t_stride];
  }
  return hn::Load(Wide(), lanes);
}

template <class Op>
void run_block(const BallJob& job, const Block& b, std::int64_t first) {
  Gram g;
  g.kappa = set(job.kappa);
  g.root = hn::Sqrt(g.kappa);
  g.rate = set(job.rate);
  g.block = &b;
  for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
    g.first = r;
    add_products<Op>(g, b, r);
    const W squares = hn::Add(hn::Add(g.xx, g.yy), g.vv);
    g.t = load_t(job, first + r, b.rows - r);
    bring_inside<Op>(g, b, r);
    Result k = Op::apply(g);
    k.a = nan_where_not_finite(k.a, squares);
    if constexpr (Op::kNumber) {
      store_number(k.a, job, first + r, b.rows - r);
    } else {
      k.b = nan_where_not_finite(k.b, squares);
      combine<Op>(k, b, r);
    }
  }
}

// Working space of one thread, kept between calls.
thread_local std::vector<float> scratch;

float* space(std::int64_t floats) {
  if (std::cmp_less(scratch.size(), floats)) scratch.resize(static_cast<std::size_t>(floats));
  return scratch.data();
}

template <class Op>
void run_rows(const BallJob& job) {
  const std::int64_t block = block_rows(job.cols);
  const std::int64_t panel = job.cols * block;
  float* memory = space(4 * panel);
  const auto row = [&job](std::size_t k, std::int64_t first) {
    return job.in[k] + first * job.stride[k];
  };
  for (std::int64_t first = 0; first < job.rows; first += block) {
    const std::int64_t rows = std::min(block, job.rows - first);
    for (std::size_t k = 0; k < Op::kRows; ++k) {
      if (first > 0 && job.stride[k] == 0) continue;  // still there
      load_block(row(k, first), job.stride[k], rows, job.cols,
                 memory + static_cast<std::int64_t>(k) * panel, block);
    }
    const Block b{
        rows, block, job.cols, memory, memory + panel, memory + 2 * panel, memory + 3 * panel};
    run_block<Op>(job, b, first);
    if constexpr (!Op::kNumber) {
      transpose_to(b.out, block, job.cols, rows, static_cast<float*>(job.out) + first * job.cols,
                   job.cols);
    }
  }
}

// Distances of one row x to a turned block of rows y.
void dist_to_block(const float* x, const Block& y, double kappa, float* out) {
  double xx = 0.0;
  for (std::int64_t j = 0; j < y.cols; ++j) xx += static_cast<double>(x[j]) * x[j];
  Gram g;
  g.kappa = set(kappa);
  g.root = hn::Sqrt(g.kappa);
  BallJob job;
  job.out = out;
  for (std::int64_t r = 0; r < y.rows; r += kWideLanes) {
    g.xx = set(xx);
    g.yy = g.ss = g.xy = g.xv = g.yv = hn::Zero(Wide());
    for (std::int64_t j = 0; j < y.cols; ++j) {
      const W v = load_wide(y.y + j * y.stride + r);
      const W s = hn::Sub(set(x[j]), v);
      g.yy = hn::MulAdd(v, v, g.yy);
      g.ss = hn::MulAdd(s, s, g.ss);
    }
    const W squares = hn::Add(g.xx, g.yy);
    g.px = clamp_factor(hn::Mul(g.root, hn::Sqrt(g.xx)));
    g.py = clamp_factor(hn::Mul(g.root, hn::Sqrt(g.yy)));
    const W one = set(1.0);
    if (!hn::AllTrue(Wide(), hn::And(hn::Eq(g.px, one), hn::Eq(g.py, one)))) {
      g.ss = hn::Zero(Wide());
      for (std::int64_t j = 0; j < y.cols; ++j) {
        const W v = hn::Mul(g.py, load_wide(y.y + j * y.stride + r));
        const W s = hn::Sub(hn::Mul(g.px, set(x[j])), v);
        g.ss = hn::MulAdd(s, s, g.ss);
      }
      g.xx = hn::Mul(g.xx, hn::Mul(g.px, g.px));
      g.yy = hn::Mul(g.yy, hn::Mul(g.py, g.py));
    }
    store_number(nan_where_not_finite(Dist::apply(g).a, squares), job, r, y.rows - r);
  }
}

void dist_matrix(const BallJob& job, std::int64_t other_rows) {
  const std::int64_t block = block_rows(job.cols);
  float* memory = space(job.cols * block);
  for (std::int64_t first = 0; first < other_rows; first += block) {
    const std::int64_t rows = std::min(block, other_rows - first);
    load_block(job.in[1] + first * job.cols, job.cols, rows, job.cols, memory, block);
    const Block y{rows, block, job.cols, nullptr, memory, nullptr, nullptr};
    for (std::int64_t i = 0; i < job.rows; ++i) {
      dist_to_block(job.in[0] + i * job.cols, y, job.kappa,
                    static_cast<float*>(job.out) + i * other_rows + first);
    }
  }
}

}  // namespace
const BallTable kBall{
    {run_rows<Project>, run_rows<Import>, run_rows<Expmap0>, run_rows<Logmap0>, run_rows<MobiusAdd>,
     run_rows<MobiusScalar>, run_rows<Expmap>, run_rows<Logmap>, run_rows<Gyration>,
     run_rows<ParallelTransport>, run_rows<Dist>, run_rows<ConformalFactor>, run_rows<Egrad2Rgrad>,
     run_rows<Geodesic>, run_rows<SgdStep>},
    dist_matrix};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const BallTable& ball_table() {
  static const SimdVersion<BallTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kBall
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<BallTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
