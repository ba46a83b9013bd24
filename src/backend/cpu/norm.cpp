#include "backend/cpu/simd/norm.hpp"

#include <algorithm>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Layer normalisation and its gradients, a row at a time.
namespace spiraltorch::cpu {
namespace {

const float* operand_at(const KernelArgs& args, std::size_t i) {
  return i < args.in.size() ? data<const float>(args.in[i]) : nullptr;
}

void layer_norm(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const float* w = operand_at(args, 1);
  const float* b = operand_at(args, 2);
  parallel_for(x.rows, std::max<std::int64_t>(1, kParallelGrain / 4 / x.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const float* row = data<const float>(x) + i * x.cols;
                   const RowMoments m = norm_table().moments(row, x.cols, args.scalars[0]);
                   norm_table().apply(row, w, b, x.cols, m, data<float>(args.out[0]) + i * x.cols);
                 }
               });
}

// Sums down the columns, in blocks of rows that depend on the shape alone.
class AffineSums {
 public:
  explicit AffineSums(const KernelOperand& x)
      : cols_(x.cols),
        block_(std::max<std::int64_t>(64, (x.rows + 15) / 16)),
        sums_(static_cast<std::size_t>(2 * x.cols * ((x.rows + block_ - 1) / block_))) {}
  [[nodiscard]] std::int64_t block() const { return block_; }
  [[nodiscard]] double* scale(std::int64_t b) { return sums_.data() + 2 * b * cols_; }
  [[nodiscard]] double* shift(std::int64_t b) { return scale(b) + cols_; }
  // Column sums of one kind, over all blocks in order.
  void put(bool shift, float* out) const {
    for (std::int64_t j = 0; j < cols_; ++j) {
      double sum = 0.0;
      for (std::size_t at = static_cast<std::size_t>(j + (shift ? cols_ : 0)); at < sums_.size();
           at += static_cast<std::size_t>(2 * cols_)) {
        sum += sums_[at];
      }
      out[j] = static_cast<float>(sum);
    }
  }

 private:
  std::int64_t cols_;
  std::int64_t block_;
  std::vector<double> sums_;
};

void layer_norm_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const float* w = operand_at(args, 2);
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* out = args.out.data();
  float* by_x = (wanted & 1) != 0 ? data<float>(*out++) : nullptr;
  float* by_w = (wanted & 2) != 0 ? data<float>(*out++) : nullptr;
  float* by_b = (wanted & 4) != 0 ? data<float>(*out) : nullptr;
  const bool affine = by_w != nullptr || by_b != nullptr;
  AffineSums sums(x);
  parallel_blocks(x.rows, sums.block(), [&](std::int64_t b, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = data<const float>(x) + i * x.cols;
      const float* g = data<const float>(args.in[1]) + i * x.cols;
      const RowMoments m = norm_table().moments(row, x.cols, args.scalars[0]);
      if (by_x != nullptr) norm_table().gradient(row, g, w, x.cols, m, by_x + i * x.cols);
      if (affine) norm_table().add_affine(row, g, x.cols, m, sums.scale(b), sums.shift(b));
    }
  });
  if (by_w != nullptr) sums.put(false, by_w);
  if (by_b != nullptr) sums.put(true, by_b);
}

}  // namespace

void register_norm(KernelTable& table) {
  set_kernel(table, OpId::layer_norm, layer_norm);
  set_kernel(table, OpId::layer_norm_grad, layer_norm_grad);
}

}  // namespace spiraltorch::cpu
