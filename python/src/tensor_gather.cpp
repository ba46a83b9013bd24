#include <limits>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/ops/gather.hpp>
#include <string>
#include <vector>

#include "rank.hpp"
#include "tensor_parts.hpp"

using namespace nb::literals;
using st::IndexTensor;
using st::Tensor;

namespace {

// An IndexTensor as it is; integers are copied to the device.
IndexTensor rows_of(const std::string& op, nb::handle object, st::DeviceId device) {
  if (nb::isinstance<IndexTensor>(object)) return nb::cast<const IndexTensor&>(object);
  if (PySequence_Check(object.ptr()) == 0 || PyUnicode_Check(object.ptr())) {
    throw nb::type_error(
        st::text("[", op, "] rows: expected an IndexTensor or a sequence of integers").c_str());
  }
  std::vector<std::int64_t> values;
  bool narrow = true;
  for (nb::handle item : object) {
    values.push_back(integer(op.c_str(), "rows", item));
    narrow = narrow && values.back() == static_cast<std::int32_t>(values.back());
  }
  return IndexTensor::from_values(1, std::ssize(values), values,
                                  narrow ? st::ElementType::i32 : st::ElementType::i64, device);
}

}  // namespace

void bind_tensor_gather(nb::class_<Tensor>& c) {
  c.def(
      "index_select",
      [](const Tensor& t, nb::handle rows) {
        const IndexTensor numbers = rows_of("index_select", rows, t.device());
        const nb::gil_scoped_release unlock;
        return st::ops::index_select(t, numbers);
      },
      "rows"_a, "The rows that an IndexTensor, (1, m) or (m, 1), or a sequence of integers names.");
  c.def(
      "index_add",
      [](const Tensor& t, nb::handle rows, const Tensor& source) {
        const IndexTensor numbers = rows_of("index_add", rows, t.device());
        const nb::gil_scoped_release unlock;
        return st::ops::index_add(t, numbers, source);
      },
      "rows"_a, "source"_a,
      "A copy with row i of source added to row rows[i], for every i ascending.");
}
