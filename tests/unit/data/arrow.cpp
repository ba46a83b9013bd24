#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "arrow_stream.hpp"
#include "check_error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/data/arrow_abi.hpp"
#include "spiraltorch/data/sources.hpp"

using namespace spiraltorch;
using arrow_stream::Field;
using arrow_stream::live;
using arrow_stream::numbers;
using Batches = std::vector<arrow_stream::Column>;
using Rows = std::vector<std::vector<double>>;

namespace {

std::vector<dataset::Column> named(std::initializer_list<const char*> names) {
  std::vector<dataset::Column> out;
  for (const char* name : names) out.emplace_back(std::string(name));
  return out;
}

Field table(std::vector<Field> fields) { return {"+s", "", std::move(fields)}; }

arrow_stream::Column rows(std::int64_t length, Batches columns, std::int64_t offset = 0) {
  return {length, {""}, std::move(columns), offset};
}

// Two columns of whole numbers: x = 0, 1, … and y = -x, in batches of these sizes.
ArrowArrayStream counted(const std::vector<int>& sizes, int fails_at = -1) {
  Batches batches;
  std::int32_t next = 0;
  for (const int size : sizes) {
    std::vector<std::int32_t> x;
    std::vector<double> y;
    for (int i = 0; i < size; ++i) {
      x.push_back(next);
      y.push_back(-next++);
    }
    batches.push_back(rows(size, {numbers(x), numbers(y)}));
  }
  return arrow_stream::stream(table({{"i", "x"}, {"g", "y"}}), std::move(batches), fails_at);
}

// All rows of column 0, once; the target is column 0 too.
Rows drawn(Field field, Batches batches) {
  ArrowArrayStream stream = arrow_stream::stream(table({std::move(field)}), std::move(batches));
  const std::vector<dataset::Column> first{std::int64_t{0}};
  try {
    const auto batch = dataset::from_arrow(&stream, first, first).batched(1000).iter().next();
    REQUIRE(batch);
    CHECK(batch->target.tolist() == batch->input.tolist());
    return batch->input.tolist();
  } catch (...) {
    if (stream.release != nullptr) stream.release(&stream);
    throw;
  }
}

void check_format(const char* want, const std::function<void()>& f) {
  try {
    f();
    FAIL_CHECK("no error, expected ", std::string(want));
  } catch (const FormatError& e) {
    const std::string what = e.what();
    CAPTURE(what);
    CHECK(what.find(want) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("an Arrow stream: every numeric type") {
  const Rows want{{1}, {0}, {100}};
  const auto of = [](const char* format, auto one) {
    using T = decltype(one);
    return drawn({format, "x"}, {rows(3, {numbers(std::vector<T>{one, 0, 100})})});
  };
  CHECK(of("c", std::int8_t{1}) == want);
  CHECK(of("C", std::uint8_t{1}) == want);
  CHECK(of("s", std::int16_t{1}) == want);
  CHECK(of("S", std::uint16_t{1}) == want);
  CHECK(of("i", std::int32_t{1}) == want);
  CHECK(of("I", std::uint32_t{1}) == want);
  CHECK(of("l", std::int64_t{1}) == want);
  CHECK(of("L", std::uint64_t{1}) == want);
  CHECK(of("f", 1.0F) == want);
  CHECK(of("g", 1.0) == want);
  // IEEE 754 binary16: 1, -2, the smallest subnormal, the largest number.
  CHECK(drawn({"e", "x"},
              {rows(4, {numbers(std::vector<std::uint16_t>{0x3C00, 0xC000, 1, 0x7BFF})})}) ==
        Rows{{1}, {-2}, {0x1p-24}, {65504}});
  CHECK(drawn({"c", "x"}, {rows(1, {numbers(std::vector<std::int8_t>{-128})})}) == Rows{{-128}});
  CHECK(live() == 0);
}

TEST_CASE("an Arrow stream: bits, lists and the offsets of each level") {
  // Least significant bit first: 0b10110010, 0b00000001 is 0 1 0 0 1 1 0 1 1.
  const std::string bits("\xB2\x01", 2);
  CHECK(drawn({"b", "x"}, {rows(9, {{9, {"", bits}}})}) ==
        Rows{{0}, {1}, {0}, {0}, {1}, {1}, {0}, {1}, {1}});
  CHECK(drawn({"b", "x"}, {rows(2, {{5, {"", bits}, {}, 4}}, 3)}) == Rows{{1}, {1}});
  // Rows 1 and 2 of a struct over lists that begin at their 1, over numbers that begin at their 2.
  auto values = numbers(std::vector<std::int16_t>{90, 91, 0, 1, 2, 3, 4, 5, 6, 7});
  values.offset = 2;
  values.length = 8;
  CHECK(drawn({"+w:2", "x", {{"s", "item"}}}, {rows(2, {{3, {""}, {values}, 1}}, 1)}) ==
        Rows{{4, 5}, {6, 7}});
  const Field nested{"+w:2", "x", {{"+w:2", "item", {{"b", "item"}}}}};
  CHECK(drawn(nested, {rows(2, {{2, {""}, {{4, {""}, {{8, {"", bits}}}}}}})}) ==
        Rows{{0, 1, 0, 0}, {1, 1, 0, 1}});
  // Nulls outside the slice are no one's.
  const std::string valid("\x06", 1);
  auto partly = numbers(std::vector<std::int32_t>{7, 8, 9, 10});
  partly.buffers[0] = valid;
  partly.nulls = -1;
  CHECK(drawn({"i", "x"}, {rows(2, {partly}, 1)}) == Rows{{8}, {9}});
  CHECK(live() == 0);
}

TEST_CASE("an Arrow stream: columns, batches of any size, adapters, prefetch") {
  ArrowArrayStream stream{};
  const std::vector<dataset::Column> both{std::string("y"), std::int64_t{0}};
  stream = counted({3, 0, 1, 6});
  const DataLoader once = dataset::from_arrow(&stream, both, named({"x"}));
  CHECK((stream.release == nullptr));
  CHECK_FALSE(once.len());
  CHECK_FALSE(once.num_batches());
  check_error(Errc::dtype, [&] { (void)once.is_empty(); });
  check_error(Errc::invalid_value, [&] { (void)once.shuffle(1); });
  const auto batch = once.batched(20).iter().next();
  CHECK(batch->input.shape() == Shape{10, 2});
  CHECK(batch->input.row(9).data() == std::vector<float>{-9, 9});
  CHECK(batch->target.shape() == Shape{10, 1});

  int opened = 0;
  {
    const DataLoader many = dataset::from_arrow(
        [&](ArrowArrayStream* out) {
          ++opened;
          *out = counted({4, 3, 4});
        },
        named({"x"}), named({"y"}));
    CHECK(opened == 1);
    const DataLoader twin =
        dataset::from_tensors(Tensor::from_fn(11, 1, [](auto i, auto) { return double(i); }),
                              Tensor::from_fn(11, 1, [](auto i, auto) { return -double(i); }));
    const auto same = [&](auto&& adapt) {
      for (const std::int64_t depth : {0, 2}) {
        auto got = adapt(many).batched(4).prefetch(depth).iter();
        auto want = adapt(twin).batched(4).iter();
        while (const auto expected = want.next()) {
          const auto one = got.next();
          REQUIRE(one);
          CHECK(one->input.data() == expected->input.data());
          CHECK(one->target.data() == expected->target.data());
        }
        CHECK_FALSE(got.next());
      }
    };
    same([](const DataLoader& l) { return l; });
    same([](const DataLoader& l) { return l.shuffle(7, 3); });
    same([](const DataLoader& l) { return l.skip(2).shard(1, 3); });
    same([](const DataLoader& l) { return l.take(5); });
    CHECK(opened == 8);
    auto left = many.prefetch(1).iter();
    REQUIRE(left.next());
  }
  CHECK(live() == 0);
}

TEST_CASE("an Arrow stream: one-shot sources give one epoch") {
  ArrowArrayStream stream = counted({3});
  const DataLoader loader = dataset::from_arrow(&stream, named({"x"}), named({"y"}));
  CHECK(loader.iter().next());
  check_error(Errc::invalid_value, [&] { (void)loader.iter().next(); });
  check_error(Errc::invalid_value, [&] { (void)loader.prefetch(2).iter().next(); });
  // Moved from: no stream is left in it.
  check_error(Errc::invalid_value,
              [&] { (void)dataset::from_arrow(&stream, named({"x"}), named({"y"})); });
  check_error(Errc::invalid_value, [] {
    (void)dataset::from_arrow([](ArrowArrayStream*) {}, named({"x"}), named({"y"}));
  });
  // One that pretends to give further streams, all empty.
  int opened = 0;
  const DataLoader drained = dataset::from_arrow(
      [&](ArrowArrayStream* out) { *out = opened++ == 0 ? counted({2}) : counted({}); },
      named({"x"}), named({"y"}));
  auto first = drained.batched(2).iter();
  CHECK(first.next());
  CHECK_FALSE(first.next());
  check_error(Errc::invalid_value, [&] { (void)drained.iter().next(); });
  stream = counted({});
  CHECK_FALSE(dataset::from_arrow(&stream, named({"x"}), named({"y"})).iter().next());
  CHECK(live() == 0);
}

TEST_CASE("an Arrow stream: errors keep their place") {
  for (const std::int64_t depth : {0, 1, 4}) {
    ArrowArrayStream stream = counted({2, 2}, 1);
    auto torn = dataset::from_arrow(&stream, named({"x"}), named({"y"})).prefetch(depth).iter();
    CHECK(torn.next());
    CHECK(torn.next());
    CHECK_THROWS_WITH_AS((void)torn.next(),
                         "[from_arrow] stream: got 'the tape is torn', expected a batch", Error);
    CHECK_FALSE(torn.next());
  }
  auto column = numbers(std::vector<std::int32_t>{7, 8, 9});
  column.buffers[0] = std::string(1, '\x05');
  column.nulls = 1;
  ArrowArrayStream stream = arrow_stream::stream(
      table({{"i", "x"}}),
      {rows(2, {numbers(std::vector<std::int32_t>{1, 2})}), rows(3, {column})});
  {
    auto batches = dataset::from_arrow(&stream, named({"x"}), named({"x"})).iter();
    for (int i = 0; i < 3; ++i) CHECK(batches.next());
    check_format("column 0 'x': row 3: got null", [&] { (void)batches.next(); });
    CHECK_FALSE(batches.next());
  }
  arrow_stream::Column half_null = rows(2, {numbers(std::vector<std::int32_t>{1, 2})});
  half_null.buffers[0] = std::string(1, '\x02');
  half_null.nulls = 1;
  check_format("row 0: got null", [&] { (void)drawn({"i", "x"}, {half_null}); });
  auto items = numbers(std::vector<std::int32_t>{1, 2});
  items.buffers[0] = std::string(1, '\x01');
  items.nulls = -1;
  check_format("row 0: got null", [&] {
    (void)drawn({"+w:2", "x", {{"i", "item"}}}, {rows(1, {{1, {""}, {items}}})});
  });
  CHECK(live() == 0);
}

TEST_CASE("an Arrow stream: types and columns that are none, malformed arrays") {
  const auto x = numbers(std::vector<std::int32_t>{1, 2});
  check_format("got a dictionary", [&] { (void)drawn({"i", "x", {}, true}, {rows(2, {x})}); });
  for (const char* type : {"u", "n", "+l", "+w:0", "+w:2x", "d:9,2", "tdD", "+r", ""}) {
    CAPTURE(std::string(type));
    check_format("got type", [&] { (void)drawn({type, "x"}, {}); });
  }
  ArrowArrayStream stream = counted({1});
  check_error(Errc::out_of_range,
              [&] { (void)dataset::from_arrow(&stream, named({"z"}), named({"y"})); });
  const std::vector<dataset::Column> third{std::int64_t{2}};
  check_error(Errc::out_of_range, [&] { (void)dataset::from_arrow(&stream, third, third); });
  check_error(Errc::empty_input, [&] { (void)dataset::from_arrow(&stream, {}, third); });
  CHECK((stream.release != nullptr));  // still the caller's
  CHECK(dataset::from_arrow(&stream, named({"x"}), named({"y"})).iter().next());

  stream = arrow_stream::stream({"i", "x"}, {});
  check_format("got one of type 'i'",
               [&] { (void)dataset::from_arrow(&stream, named({"x"}), named({"x"})); });
  stream.release(&stream);
  check_format("expected 3 or more", [&] { (void)drawn({"i", "x"}, {rows(3, {x})}); });
  check_format("expected 3 or more", [&] { (void)drawn({"i", "x"}, {rows(2, {x}, 1)}); });
  check_format("3 buffers", [&] { (void)drawn({"i", "x"}, {rows(1, {{1, {"", "1234", "5"}}})}); });
  check_format("got no values", [&] { (void)drawn({"i", "x"}, {rows(1, {{1, {"", ""}}})}); });
  check_format("got 0 columns", [&] { (void)drawn({"i", "x"}, {rows(1, {})}); });
  check_format("got -1 rows", [&] { (void)drawn({"i", "x"}, {rows(-1, {x})}); });
  check_format("expected 6 or more", [&] {
    (void)drawn({"+w:3", "x", {{"i", "item"}}}, {rows(2, {{2, {""}, {x}}})});
  });
  CHECK(live() == 0);
}
