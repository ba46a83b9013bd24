#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;

namespace {

void check(std::int64_t rows, std::int64_t cols) {
  CAPTURE(rows);
  CAPTURE(cols);
  const In x = normal(rows, cols, 1, 2.0F, 5.0F);
  const In w = normal(1, cols, 2);
  const In b = normal(1, cols, 3);
  const In g = normal(rows, cols, 4);
  const std::vector<double> eps{1e-5};
  const std::vector<Out> result{{{rows, cols}}};
  for (const auto& in : {std::vector<In>{x}, {x, w, b}}) {
    check_close(as_floats(run(kWgpu, OpId::layer_norm, in, result, eps)[0]),
                as_floats(run(kCpu, OpId::layer_norm, in, result, eps)[0]), 4e-6, 4e-6);
    std::vector<In> operands{x, g};
    if (in.size() > 1) operands.push_back(w);
    for (const std::int64_t wanted : {1, 2, 4, 6, 7}) {
      std::vector<Out> outs;
      if ((wanted & 1) != 0) outs.push_back({{rows, cols}});
      if ((wanted & 2) != 0) outs.push_back({{1, cols}});
      if ((wanted & 4) != 0) outs.push_back({{1, cols}});
      const auto want = run(kCpu, OpId::layer_norm_grad, operands, outs, eps, {wanted});
      const auto got = run(kWgpu, OpId::layer_norm_grad, operands, outs, eps, {wanted});
      for (std::size_t i = 0; i < outs.size(); ++i) {
        check_close(as_floats(got[i]), as_floats(want[i]), 1e-5,
                    1e-5 + 1e-6 * static_cast<double>(rows));
      }
    }
  }
}

}  // namespace

TEST_CASE("layer norm and its gradients: shapes, with and without weights") {
  if (!adapter_here()) return;
  check(1, 2);
  check(5, 3);
  check(64, 64);
  check(300, 10);
  check(3, 1000);
}
