#include "backend/cpu/simd/mlr.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/mlr.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/ball_math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t kTile = kMlrTile;
constexpr std::int64_t kPair = 2 * kWideLanes;  // rows of two vectors

// Working space of one thread, kept between calls.
thread_local std::vector<double> scratch;

// A block of turned rows and what belongs to them; one number a row and class in `dots`.
struct Block {
  std::int64_t size;  // rows that it holds, a multiple of kPair
  std::int64_t rows;  // rows in use
  double* x;          // cols × size
  double* gradient;   // cols × size
  double* dots;       // classes × size: products, then weights
  double* clamp;      // size each
  double* lambda;
  double* time;
  double* scale;  // √κλp: A is scale·⟨x, ẑ⟩
  double* radial;
  float* turned;  // max(cols, classes) × size
};

std::int64_t block_size(std::int64_t cols) {
  return std::max(kPair, cols <= 128 ? std::int64_t{64} : std::int64_t{32});
}

Block make_block(const MlrJob& job) {
  const std::int64_t size = block_size(job.cols);
  const std::int64_t classes = padded_classes(job.classes);
  const std::int64_t widest = std::max(job.cols, classes);
  const auto doubles =
      static_cast<std::size_t>(size * (2 * job.cols + classes + 5) + (size * widest + 1) / 2);
  if (scratch.size() < doubles) scratch.resize(doubles);
  double* at = scratch.data();
  const auto take = [&at, size](std::int64_t count) {
    return std::exchange(at, at + count * size);
  };
  Block b{};
  b.size = size;
  b.x = take(job.cols);
  b.gradient = take(job.cols);
  b.dots = take(classes);
  b.clamp = take(1);
  b.lambda = take(1);
  b.time = take(1);
  b.scale = take(1);
  b.radial = take(1);
  b.turned = reinterpret_cast<float*>(at);
  return b;
}

HWY_INLINE W load(const double* from) { return hn::LoadU(Wide(), from); }
HWY_INLINE void store(W v, double* to) { hn::StoreU(v, Wide(), to); }
HWY_INLINE void store_two(W low, W high, double* to) {
  store(low, to);
  store(high, to + kWideLanes);
}
HWY_INLINE double total(W v) { return hn::GetLane(hn::SumOfLanes(Wide(), v)); }

// Rows [first, first + rows) of x, and what follows from their lengths.
void load_rows(const MlrJob& job, std::int64_t first, Block& b) {
  b.rows = std::min(b.size, job.rows - first);
  load_block(job.x + first * job.cols, job.cols, b.rows, job.cols, b.turned, b.size);
  const W kappa = set(job.kappa);
  const W root = hn::Sqrt(kappa);
  const W one = set(1.0);
  for (std::int64_t r = 0; r < b.size; r += kWideLanes) {
    W squares = hn::Zero(Wide());
    for (std::int64_t j = 0; j < job.cols; ++j) {
      const W x = load_wide(b.turned + j * b.size + r);
      store(x, b.x + j * b.size + r);
      squares = hn::MulAdd(x, x, squares);
    }
    const W p = clamp_factor(hn::Mul(root, hn::Sqrt(squares)));
    const W n = hn::Mul(hn::Mul(kappa, squares), hn::Mul(p, p));
    const W gap = nan_where_not_finite(hn::Sub(one, n), squares);
    const W lambda = hn::Div(set(2.0), gap);
    store(p, b.clamp + r);
    store(lambda, b.lambda + r);
    store(hn::Div(hn::Add(one, n), gap), b.time + r);
    store(hn::Mul(hn::Mul(root, lambda), p), b.scale + r);
  }
}

// dots = ⟨x, z⟩ for the classes of one tile.
void tile_products(const MlrJob& job, std::int64_t tile, const Block& b) {
  const double* normals = job.normals + tile * job.cols * kTile;
  double* out = b.dots + tile * kTile * b.size;
  for (std::int64_t r = 0; r < b.size; r += kPair) {
    W a0 = hn::Zero(Wide());
    W a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (std::int64_t j = 0; j < job.cols; ++j) {
      const W x0 = load(b.x + j * b.size + r);
      const W x1 = load(b.x + j * b.size + r + kWideLanes);
      const double* z = normals + j * kTile;
      const W z0 = set(z[0]);
      const W z1 = set(z[1]);
      a0 = hn::MulAdd(x0, z0, a0);
      b0 = hn::MulAdd(x1, z0, b0);
      a1 = hn::MulAdd(x0, z1, a1);
      b1 = hn::MulAdd(x1, z1, b1);
      const W z2 = set(z[2]);
      const W z3 = set(z[3]);
      a2 = hn::MulAdd(x0, z2, a2);
      b2 = hn::MulAdd(x1, z2, b2);
      a3 = hn::MulAdd(x0, z3, a3);
      b3 = hn::MulAdd(x1, z3, b3);
    }
    store_two(a0, b0, out + r);
    store_two(a1, b1, out + b.size + r);
    store_two(a2, b2, out + 2 * b.size + r);
    store_two(a3, b3, out + 3 * b.size + r);
  }
}

// asinh u of any sign.
HWY_INLINE W signed_asinh(W u) {
  const W value = hn::CopySign(asinh_of(hn::Abs(u)), u);
  return hn::IfThenElse(hn::IsNaN(u), u, value);
}

// asinh u, and its derivatives by A, by −T and by s, for r >= 0; A itself.
struct Terms {
  W value, by_a, by_t, by_s, a;
};

HWY_INLINE Terms near_terms(const MlrClass& k, W a, W t) {
  const W cosh = set(k.cosh);
  const W sinh = set(k.sinh);
  const W u = hn::MulSub(a, cosh, hn::Mul(t, sinh));
  const W inverse = hn::Div(set(1.0), hn::Sqrt(hn::MulAdd(u, u, set(1.0))));
  return {signed_asinh(u), hn::Mul(cosh, inverse), hn::Mul(sinh, inverse),
          hn::Mul(hn::MulSub(a, sinh, hn::Mul(t, cosh)), inverse), a};
}

// `apart` is T − A.
HWY_INLINE Terms far_terms(const MlrClass& k, W a, W t, W apart) {
  const W decay = set(k.decay);
  const W one = set(1.0);
  const W small = hn::Mul(hn::Add(t, a), decay);
  const W q = hn::Sub(apart, small);
  const W d = hn::Sqrt(hn::MulAdd(q, q, hn::Mul(set(4.0), decay)));
  const W inverse = hn::Div(one, d);
  W value;
  if (k.s < kMlrFar) {
    value = signed_asinh(hn::Mul(set(-k.half_power), q));
  } else {
    const W length = hn::Mul(set(0.5), hn::Add(q, d));
    value = hn::Neg(hn::Add(set(k.s), safe_log(Wide(), length)));
  }
  return {value, hn::Mul(hn::Add(one, decay), inverse), hn::Mul(hn::Sub(one, decay), inverse),
          hn::Neg(hn::Mul(hn::Add(apart, small), inverse)), a};
}

// T − A = |√κy − ẑ|²/(1 − n), from the coordinates where it cancels.
HWY_INLINE W distance_to_ideal(const MlrJob& job, const Block& b, std::int64_t c, std::int64_t r,
                               W a, W t) {
  const W apart = hn::Sub(t, a);
  const auto cancels = hn::Lt(apart, hn::Mul(t, set(1e-3)));
  if (hn::AllFalse(Wide(), cancels)) return apart;
  const MlrClass& k = job.parameters[c];
  const double* normal = job.normals + (c / kTile) * job.cols * kTile + c % kTile;
  const W scale = hn::Mul(hn::Sqrt(set(job.kappa)), load(b.clamp + r));
  W sum = hn::Zero(Wide());
  for (std::int64_t j = 0; j < job.cols; ++j) {
    const W e = set(k.sign * normal[j * kTile] * k.inverse);
    const W v = hn::MulSub(scale, load(b.x + j * b.size + r), e);
    sum = hn::MulAdd(v, v, sum);
  }
  return hn::IfThenElse(cancels, hn::Mul(hn::Mul(set(0.5), load(b.lambda + r)), sum), apart);
}

// Terms of class c for the rows from r on.
HWY_INLINE Terms evaluate(const MlrJob& job, const Block& b, std::int64_t c, std::int64_t r) {
  const MlrClass& k = job.parameters[c];
  const W product = hn::Mul(load(b.dots + c * b.size + r), set(k.inverse));
  const W a = hn::Mul(load(b.scale + r), product);
  const W t = load(b.time + r);
  const W sign = set(k.sign);
  const W mirrored = hn::Mul(sign, a);
  Terms terms;
  if (k.s < kMlrNear) {
    terms = near_terms(k, mirrored, t);
  } else {
    terms = far_terms(k, mirrored, t, distance_to_ideal(job, b, c, r, mirrored, t));
  }
  terms.value = hn::Mul(sign, terms.value);
  terms.by_t = hn::Mul(sign, terms.by_t);
  terms.a = a;
  return terms;
}

void forward(const MlrJob& job, float* out) {
  Block b = make_block(job);
  const double two = 2.0 / std::sqrt(job.kappa);
  for (std::int64_t first = 0; first < job.rows; first += b.size) {
    load_rows(job, first, b);
    for (std::int64_t tile = 0; tile * kTile < job.classes; ++tile) tile_products(job, tile, b);
    for (std::int64_t c = 0; c < job.classes; ++c) {
      const W factor = set(two * job.parameters[c].length);
      for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
        const W value = hn::Mul(factor, evaluate(job, b, c, r).value);
        hn::StoreU(hn::DemoteTo(Narrow(), value), Narrow(), b.turned + c * b.size + r);
      }
    }
    transpose_to(b.turned, b.size, job.classes, b.rows, out + first * job.classes, job.classes);
  }
}

// Turns the products into weights gC√κλp, and sums what the classes need. Rows beyond those in use
// are 0, as is their g.
void weigh(const MlrJob& job, const Block& b, double* sums) {
  const std::int64_t classes = padded_classes(job.classes);
  const double two = 2.0 / std::sqrt(job.kappa);
  std::fill(b.radial, b.radial + b.size, 0.0);
  for (std::int64_t c = 0; c < job.classes; ++c) {
    W along = hn::Zero(Wide());
    W turn = along;
    const W factor = set(two * job.parameters[c].length);
    for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
      const Terms terms = evaluate(job, b, c, r);
      const W g = load_wide(b.turned + c * b.size + r);
      const W ca = hn::Mul(terms.by_a, terms.a);
      along = hn::MulAdd(g, hn::Sub(terms.value, ca), along);
      turn = hn::MulAdd(g, terms.by_s, turn);
      store(hn::Mul(hn::Mul(g, terms.by_a), load(b.scale + r)), b.dots + c * b.size + r);
      const W radial = hn::NegMulAdd(terms.by_t, load(b.lambda + r), ca);
      store(hn::MulAdd(hn::Mul(factor, g), radial, load(b.radial + r)), b.radial + r);
    }
    if (sums == nullptr) continue;
    sums[classes * job.cols + c] += total(along);
    sums[classes * (job.cols + 1) + c] += total(turn);
  }
  std::fill(b.dots + job.classes * b.size, b.dots + classes * b.size, 0.0);
}

HWY_INLINE void add_two(W low, W high, bool both, double* to) {
  to[0] += total(low);
  if (both) to[1] += total(high);
}

// sums[c][j] += Σ_rows weight·x for the classes of a tile and columns j, j + 1.
HWY_INLINE void add_columns(const Block& b, std::int64_t tile, std::int64_t cols, std::int64_t j,
                            double* sums) {
  const double* w = b.dots + tile * kTile * b.size;
  const double* x = b.x + j * b.size;
  const double* y = j + 1 < cols ? x + b.size : x;
  W a0 = hn::Zero(Wide());
  W a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (std::int64_t r = 0; r < b.size; r += kWideLanes) {
    const W x0 = load(x + r);
    const W x1 = load(y + r);
    const W w0 = load(w + r);
    const W w1 = load(w + b.size + r);
    a0 = hn::MulAdd(w0, x0, a0);
    b0 = hn::MulAdd(w0, x1, b0);
    a1 = hn::MulAdd(w1, x0, a1);
    b1 = hn::MulAdd(w1, x1, b1);
    const W w2 = load(w + 2 * b.size + r);
    const W w3 = load(w + 3 * b.size + r);
    a2 = hn::MulAdd(w2, x0, a2);
    b2 = hn::MulAdd(w2, x1, b2);
    a3 = hn::MulAdd(w3, x0, a3);
    b3 = hn::MulAdd(w3, x1, b3);
  }
  double* to = sums + tile * kTile * cols + j;
  add_two(a0, b0, j + 1 < cols, to);
  add_two(a1, b1, j + 1 < cols, to + cols);
  add_two(a2, b2, j + 1 < cols, to + 2 * cols);
  add_two(a3, b3, j + 1 < cols, to + 3 * cols);
}

// gradient[j..j+3] += Σ_c weight·z over the classes of tiles [first, last), for the rows from r on.
HWY_INLINE void add_rows(const MlrJob& job, const Block& b, std::int64_t first, std::int64_t last,
                         std::int64_t j, std::int64_t r) {
  double* to = b.gradient + j * b.size + r;
  W a0 = load(to);
  W a1 = load(to + b.size);
  W a2 = load(to + 2 * b.size);
  W a3 = load(to + 3 * b.size);
  for (std::int64_t tile = first; tile < last; ++tile) {
    const double* z = job.normals + (tile * job.cols + j) * kTile;
    const double* w = b.dots + tile * kTile * b.size + r;
    for (std::int64_t c = 0; c < kTile; ++c) {
      const W weight = load(w + c * b.size);
      a0 = hn::MulAdd(weight, set(z[c]), a0);
      a1 = hn::MulAdd(weight, set(z[kTile + c]), a1);
      a2 = hn::MulAdd(weight, set(z[2 * kTile + c]), a2);
      a3 = hn::MulAdd(weight, set(z[3 * kTile + c]), a3);
    }
  }
  store(a0, to);
  store(a1, to + b.size);
  store(a2, to + 2 * b.size);
  store(a3, to + 3 * b.size);
}

// The same for one column.
HWY_INLINE void add_row(const MlrJob& job, const Block& b, std::int64_t first, std::int64_t last,
                        std::int64_t j, std::int64_t r) {
  double* to = b.gradient + j * b.size + r;
  W sum = load(to);
  for (std::int64_t c = first * kTile; c < last * kTile; ++c) {
    const double z = job.normals[(c / kTile * job.cols + j) * kTile + c % kTile];
    sum = hn::MulAdd(load(b.dots + c * b.size + r), set(z), sum);
  }
  store(sum, to);
}

// Σ_c weight·z, some tiles at a time: they stay in the cache.
void sum_classes(const MlrJob& job, const Block& b) {
  constexpr std::int64_t kTiles = 16;
  const std::int64_t tiles = padded_classes(job.classes) / kTile;
  std::fill(b.gradient, b.gradient + job.cols * b.size, 0.0);
  for (std::int64_t first = 0; first < tiles; first += kTiles) {
    const std::int64_t last = std::min(tiles, first + kTiles);
    std::int64_t j = 0;
    for (; j + 4 <= job.cols; j += 4) {
      for (std::int64_t r = 0; r < b.rows; r += kWideLanes) add_rows(job, b, first, last, j, r);
    }
    for (; j < job.cols; ++j) {
      for (std::int64_t r = 0; r < b.rows; r += kWideLanes) add_row(job, b, first, last, j, r);
    }
  }
}

// Gradients by the rows of a block; of a clamped row only the part across it.
void rows_gradient(const MlrJob& job, const Block& b, float* by_x) {
  sum_classes(job, b);
  const W two = set(2.0 / std::sqrt(job.kappa));
  for (std::int64_t r = 0; r < b.rows; r += kWideLanes) {
    const auto clamped = hn::Ne(load(b.clamp + r), set(1.0));
    W along = hn::Mul(hn::Mul(set(job.kappa), load(b.lambda + r)), load(b.radial + r));
    if (!hn::AllFalse(Wide(), clamped)) {
      W squares = hn::Zero(Wide());
      W product = squares;
      for (std::int64_t j = 0; j < job.cols; ++j) {
        const W x = load(b.x + j * b.size + r);
        squares = hn::MulAdd(x, x, squares);
        product = hn::MulAdd(x, load(b.gradient + j * b.size + r), product);
      }
      along = hn::IfThenElse(clamped, hn::Neg(hn::Mul(two, hn::Div(product, squares))), along);
    }
    for (std::int64_t j = 0; j < job.cols; ++j) {
      const std::int64_t at = j * b.size + r;
      const W value = hn::MulAdd(along, load(b.x + at), hn::Mul(two, load(b.gradient + at)));
      hn::StoreU(hn::DemoteTo(Narrow(), value), Narrow(), b.turned + at);
    }
  }
  transpose_to(b.turned, b.size, job.cols, b.rows, by_x, job.cols);
}

void backward(const MlrJob& job, const float* g, float* by_x, double* sums) {
  Block b = make_block(job);
  for (std::int64_t first = 0; first < job.rows; first += b.size) {
    load_rows(job, first, b);
    load_block(g + first * job.classes, job.classes, b.rows, job.classes, b.turned, b.size);
    for (std::int64_t tile = 0; tile * kTile < job.classes; ++tile) tile_products(job, tile, b);
    weigh(job, b, sums);
    for (std::int64_t tile = 0; sums != nullptr && tile * kTile < job.classes; ++tile) {
      for (std::int64_t j = 0; j < job.cols; j += 2) add_columns(b, tile, job.cols, j, sums);
    }
    if (by_x != nullptr) rows_gradient(job, b, by_x + first * job.cols);
  }
}

}  // namespace
const MlrTable kMlr{forward, backward};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const MlrTable& mlr_table() {
  static const SimdVersion<MlrTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kMlr
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<MlrTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
