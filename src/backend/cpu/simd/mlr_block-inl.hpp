// Rows of the ball turned for hyperplane logits, and their products with the normals. Per-target
// include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_MLR_BLOCK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_MLR_BLOCK_INL
#undef SPIRALTORCH_SIMD_MLR_BLOCK_INL
#else
#define SPIRALTORCH_SIMD_MLR_BLOCK_INL
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/ball_math-inl.hpp"
#include "backend/cpu/simd/mlr.hpp"

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

}  // namespace
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
