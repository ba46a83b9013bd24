#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;

namespace {

void check(std::int64_t rows, std::int64_t in, std::int64_t out) {
  CAPTURE(rows);
  CAPTURE(in);
  CAPTURE(out);
  const In x = normal(rows, in, 1);
  const In w = normal(in, out, 2);
  const In b = normal(1, out, 3);
  const In g = normal(rows, out, 4);
  const double slack = 1e-6 * static_cast<double>(in + rows + out);
  for (const bool relu : {false, true}) {
    const std::vector<Out> result{{{rows, out}}};
    const auto y = run(kCpu, OpId::linear, {x, w, b}, result, {}, {relu});
    check_close(as_floats(run(kWgpu, OpId::linear, {x, w, b}, result, {}, {relu})[0]),
                as_floats(y[0]), 1e-6, slack);
    check_close(as_floats(run(kWgpu, OpId::linear, {x, w}, result, {}, {relu})[0]),
                as_floats(run(kCpu, OpId::linear, {x, w}, result, {}, {relu})[0]), 1e-6, slack);
    std::vector<In> operands{x, w, g};
    if (relu) operands.push_back({rows, out, y[0], out});
    for (const std::int64_t wanted : {1, 2, 4, 6, 7}) {
      std::vector<Out> outs;
      if ((wanted & 1) != 0) outs.push_back({{rows, in}});
      if ((wanted & 2) != 0) outs.push_back({{in, out}});
      if ((wanted & 4) != 0) outs.push_back({{1, out}});
      const auto want = run(kCpu, OpId::linear_grad, operands, outs, {}, {wanted});
      const auto got = run(kWgpu, OpId::linear_grad, operands, outs, {}, {wanted});
      for (std::size_t i = 0; i < outs.size(); ++i) {
        check_close(as_floats(got[i]), as_floats(want[i]), 1e-6, slack);
      }
    }
  }
}

}  // namespace

TEST_CASE("linear and its gradients: shapes, with and without bias and cut") {
  if (!adapter_here()) return;
  check(1, 1, 1);
  check(5, 3, 10);
  check(64, 64, 10);
  check(70, 130, 33);
}
