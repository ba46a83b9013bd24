#include <vector>

#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/complex_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kShownWhole = 8;  // an axis longer than this shows its ends only
constexpr std::int64_t kShownEnds = 3;

std::vector<std::int64_t> shown(std::int64_t length, bool whole) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < length; ++i) {
    if (whole || i < kShownEnds || i >= length - kShownEnds) out.push_back(i);
  }
  return out;
}

// [[…], …] of any element printer; "..." stands where indices are left out.
template <class Print>
std::string nested(Shape shape, bool whole, Print&& print) {
  const auto join = [&](std::int64_t length, auto&& item) {
    std::string out = "[";
    std::int64_t before = -1;
    for (const std::int64_t i : shown(length, whole || length <= kShownWhole)) {
      if (before >= 0) out += ", ";
      if (i != before + 1) out += "..., ";
      out += item(i);
      before = i;
    }
    return out + "]";
  };
  return join(shape.rows, [&](std::int64_t i) {
    return join(shape.cols, [&](std::int64_t j) { return print(i, j); });
  });
}

bool fits(Shape shape) { return shape.rows <= kShownWhole && shape.cols <= kShownWhole; }

std::string tail(Shape shape, bool requires_grad, DeviceId device) {
  std::string out;
  if (!fits(shape)) out += text(", shape=", to_text(shape));
  if (requires_grad) out += ", requires_grad=True";
  if (!device.is_cpu()) out += text(", device='", to_text(device), "'");
  return out + ")";
}

std::string complex_text(float re, float im) {
  const std::string imaginary = to_text(im);
  const bool sign = imaginary[0] == '-' || imaginary[0] == '+';
  return text("(", re, sign ? "" : "+", imaginary, "j)");
}

}  // namespace

std::string Tensor::repr() const {
  const auto values = host();
  const auto print = [&](std::int64_t i, std::int64_t j) {
    return to_text(values.get()[i * cols() + j]);
  };
  return "Tensor(" + nested(shape(), fits(shape()), print) +
         tail(shape(), requires_grad(), device());
}

std::string ComplexTensor::repr() const {
  const auto values = values_.host();
  const auto print = [&](std::int64_t i, std::int64_t j) {
    const float* z = values.get() + (i * cols() + j) * 2;
    return complex_text(z[0], z[1]);
  };
  return "ComplexTensor(" + nested(shape(), fits(shape()), print) + tail(shape(), false, device());
}

}  // namespace spiraltorch
