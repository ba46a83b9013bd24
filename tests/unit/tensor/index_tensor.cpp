#include "spiraltorch/tensor/index_tensor.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "check_error.hpp"

using namespace spiraltorch;
using Numbers = std::vector<std::int64_t>;

TEST_CASE("index tensors hold int32 or int64, row-major") {
  const IndexTensor a = IndexTensor::from_values(2, 3, {1, -2, 3, 4, 5, 6});
  CHECK(a.rows() == 2);
  CHECK(a.cols() == 3);
  CHECK(a.size() == 6);
  CHECK(a.shape() == Shape{2, 3});
  CHECK(a.type() == ElementType::i32);
  CHECK(a.dtype() == "int32");
  CHECK(a.device() == DeviceId{});
  CHECK(a.data() == Numbers{1, -2, 3, 4, 5, 6});
  CHECK(a.tolist() == std::vector<Numbers>{{1, -2, 3}, {4, 5, 6}});
  const std::int64_t big = std::numeric_limits<std::int64_t>::max();
  const IndexTensor b = IndexTensor::from_values(1, 2, {big, -big - 1}, ElementType::i64);
  CHECK(b.dtype() == "int64");
  CHECK(b.data() == Numbers{big, -big - 1});
  CHECK(b.at(0, -1) == -big - 1);
}

TEST_CASE("index tensors may have an axis of 0") {
  for (const ElementType type : {ElementType::i32, ElementType::i64}) {
    const IndexTensor a = IndexTensor::empty(3, 0, type);
    CHECK(a.size() == 0);
    CHECK(a.data().empty());
    CHECK(a.tolist() == std::vector<Numbers>{{}, {}, {}});
    CHECK(IndexTensor::from_values(0, 4, {}, type).tolist().empty());
    check_error(Errc::out_of_range, [&] { (void)a.at(0, 0); });
    check_error(Errc::shape_mismatch, [&] { (void)a.item(); });
  }
  CHECK(IndexTensor::empty(3, 0, ElementType::i32).repr() ==
        "IndexTensor([[], [], []], dtype=int32)");
}

TEST_CASE("index tensors' elements") {
  const IndexTensor a = IndexTensor::from_values(2, 2, {1, 2, 3, 4});
  CHECK(a.at(1, 0) == 3);
  CHECK(a.at(-1, -1) == 4);
  CHECK(a.at(-2, 1) == 2);
  for (const auto& [i, j] : {std::pair<int, int>{2, 0}, {0, 2}, {-3, 0}, {0, -3}}) {
    check_error(Errc::out_of_range, [&, r = i, c = j] { (void)a.at(r, c); });
  }
  CHECK(IndexTensor::from_values(1, 1, {7}).item() == 7);
  check_error(Errc::shape_mismatch, [&] { (void)a.item(); });
}

TEST_CASE("index tensors' errors") {
  constexpr std::int64_t kWide = std::int64_t{1} << 31;
  check_error(Errc::invalid_shape, [] { (void)IndexTensor::empty(-1, 2, ElementType::i32); });
  check_error(Errc::invalid_shape, [] { (void)IndexTensor::empty(2, -1, ElementType::i64); });
  check_error(Errc::invalid_shape,
              [] { (void)IndexTensor::empty(kWide, kWide, ElementType::i32); });
  check_error(Errc::dtype, [] { (void)IndexTensor::empty(1, 1, ElementType::f32); });
  check_error(Errc::length_mismatch, [] { (void)IndexTensor::from_values(2, 2, {1, 2, 3}); });
  check_error(Errc::length_mismatch, [] { (void)IndexTensor::from_values(0, 2, {1}); });
  check_error(Errc::invalid_value, [] { (void)IndexTensor::from_values(1, 1, {kWide}); });
  check_error(Errc::invalid_value, [] { (void)IndexTensor::from_values(1, 1, {-kWide - 1}); });
  CHECK(IndexTensor::from_values(1, 2, {kWide - 1, -kWide}).data() == Numbers{kWide - 1, -kWide});
}

TEST_CASE("index tensors are handles, moved only to another device") {
  const IndexTensor a = IndexTensor::from_values(1, 2, {5, 6});
  const IndexTensor same = a.to(DeviceId{});
  CHECK(same.buffer() == a.buffer());
  CHECK(IndexTensor(a).buffer() == a.buffer());
  check_error(Errc::device, [&] { (void)a.to({DeviceType::hip, 0}); });
}

TEST_CASE("index tensors as text") {
  CHECK(IndexTensor::from_values(2, 2, {1, -2, 3, 4}).repr() ==
        "IndexTensor([[1, -2], [3, 4]], dtype=int32)");
  CHECK(IndexTensor::from_values(1, 1, {9}, ElementType::i64).repr() ==
        "IndexTensor([[9]], dtype=int64)");
  Numbers many;
  for (std::int64_t i = 0; i < 20; ++i) many.push_back(i);
  CHECK(IndexTensor::from_values(1, 20, many).repr() ==
        "IndexTensor([[0, 1, 2, 3, 4, 5, ..., 14, 15, 16, 17, 18, 19]], dtype=int32)");
  CHECK(IndexTensor::from_values(20, 1, many).repr() ==
        "IndexTensor([[0], [1], [2], [3], [4], [5], ..., [14], [15], [16], [17], [18], [19]], "
        "dtype=int32)");
}
