#include <memory>

#include "backend/cpu/allocator.hpp"
#include "backend/cpu/cpu.hpp"
#include "backend/cpu/matmul.hpp"
#include "backend/cpu/simd/elementwise.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// The linear layer: product, bias and cut in one pass, and its gradients.
namespace spiraltorch::cpu {
namespace {

enum Wanted : std::uint8_t { want_x = 1, want_w = 2, want_b = 4 };

void linear(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& out = args.out[0];
  multiply({.a = view_of(data<const float>(x), x.cols, false),
            .b = view_of(data<const float>(args.in[1]), out.cols, false),
            .c = data<float>(out),
            .m = out.rows,
            .n = out.cols,
            .k = x.cols,
            .bias = args.in.size() > 2 ? data<const float>(args.in[2]) : nullptr,
            .relu = args.ints[0] != 0});
}

// Memory of one call.
class Temporary {
 public:
  explicit Temporary(std::int64_t floats)
      : bytes_(static_cast<std::size_t>(floats) * sizeof(float)), data_(allocate(bytes_)) {}
  ~Temporary() { release(data_, bytes_); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  [[nodiscard]] float* get() const { return static_cast<float*>(data_); }

 private:
  std::size_t bytes_;
  void* data_;
};

// g where the cut let the result pass, else 0.
void mask(const float* y, const float* g, float* out, std::int64_t n) {
  constexpr auto kOp = static_cast<std::size_t>(BinaryOp::relu_grad);
  constexpr float kNoParams[2] = {};
  parallel_for(n, kParallelGrain, [&](std::int64_t begin, std::int64_t end) {
    elementwise_table().binary[kOp](
        {y + begin, 1, g + begin, 1, out + begin, end - begin, kNoParams, false});
  });
}

void linear_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& w = args.in[1];
  const KernelOperand& gradient = args.in[2];
  const auto* g = data<const float>(gradient);
  std::unique_ptr<Temporary> masked;
  if (args.in.size() > 3) {
    masked = std::make_unique<Temporary>(gradient.size());
    mask(data<const float>(args.in[3]), g, masked->get(), gradient.size());
    g = masked->get();
  }
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* out = args.out.data();
  if ((wanted & want_x) != 0) {
    multiply({.a = view_of(g, w.cols, false),
              .b = view_of(data<const float>(w), w.cols, true),
              .c = data<float>(*out++),
              .m = x.rows,
              .n = x.cols,
              .k = w.cols});
  }
  if ((wanted & want_w) != 0) {
    multiply({.a = view_of(data<const float>(x), x.cols, true),
              .b = view_of(g, w.cols, false),
              .c = data<float>(*out++),
              .m = w.rows,
              .n = w.cols,
              .k = x.rows});
  }
  if ((wanted & want_b) != 0) sum_columns(gradient, g, data<float>(*out));
}

}  // namespace

void register_linear(KernelTable& table) {
  set_kernel(table, OpId::linear, linear);
  set_kernel(table, OpId::linear_grad, linear_grad);
}

}  // namespace spiraltorch::cpu
