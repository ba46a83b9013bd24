#include <algorithm>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers random_rows(std::int64_t count, std::int64_t below, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<std::int64_t> draw(0, below - 1);
  Numbers out(static_cast<std::size_t>(count));
  for (std::int64_t& row : out) row = draw(engine);
  return out;
}

// Indices in a buffer, with their operand.
struct Indices {
  std::shared_ptr<Buffer> buffer;
  KernelOperand operand;
  Indices(const Numbers& rows, ElementType type)
      : buffer(Buffer::allocate({}, rows.size() * size_of(type))),
        operand(spiraltorch::operand(*buffer, {1, std::ssize(rows)}, type)) {
    const std::vector<std::int32_t> narrow(rows.begin(), rows.end());
    const void* from = type == ElementType::i64 ? static_cast<const void*>(rows.data())
                                                : static_cast<const void*>(narrow.data());
    upload(*buffer, 0, from, rows.size() * size_of(type));
  }
};

// In ascending source order, in double, rounded once.
std::vector<float> expected_sums(const Matrix& x, const Matrix& source, const Numbers& rows) {
  std::vector<double> sum(x.values.begin(), x.values.end());
  for (std::int64_t i = 0; i < source.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      sum[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)] * x.cols + j)] +=
          static_cast<double>(source.at(i, j));
    }
  }
  return {sum.begin(), sum.end()};
}

}  // namespace

TEST_CASE("rows are gathered with all their bits") {
  Matrix x = random_matrix(50, 3, 20);
  x.values[0] = std::bit_cast<float>(0xFFC12345U);
  x.values[1] = 1e-45F;
  const auto buffer = to_buffer(x);
  for (const ElementType type : {ElementType::i32, ElementType::i64}) {
    Numbers rows = random_rows(40000, 50, 21);
    rows[7] = 0;
    const Indices indices(rows, type);
    every_level(
        [&] {
          return run_guarded(OpId::gather_rows, {operand(*buffer, {50, 3}), indices.operand},
                             {40000, 3});
        },
        [&](const std::vector<float>& got) {
          for (std::size_t i = 0; i < got.size(); ++i) {
            const auto from = static_cast<std::size_t>(rows[i / 3] * 3) + i % 3;
            REQUIRE(std::bit_cast<std::uint32_t>(got[i]) ==
                    std::bit_cast<std::uint32_t>(x.values[from]));
          }
        });
  }
}

TEST_CASE("scatter-add sums in ascending order for any number of threads") {
  for (const std::int64_t cols : {1, 3, 4, 64, 200}) {
    for (const std::int64_t count : {1, 2, 700, 100000 / static_cast<int>(cols)}) {
      for (const std::int64_t table : {1, 30, 9000}) {  // 1: all the same; 9000: few for many
        const ElementType type = table == 30 ? ElementType::i64 : ElementType::i32;
        const Numbers rows = random_rows(count, table, 22);
        const Matrix x = random_matrix(table, cols, 23);
        const Matrix source = random_matrix(count, cols, 24);
        const auto x_buffer = to_buffer(x);
        const auto source_buffer = to_buffer(source);
        const Indices indices(rows, type);
        const auto expected = expected_sums(x, source, rows);
        CAPTURE(cols);
        CAPTURE(count);
        CAPTURE(table);
        every_level(
            [&] {
              return run_guarded(OpId::scatter_add_rows,
                                 {operand(*x_buffer, {table, cols}),
                                  operand(*source_buffer, {count, cols}), indices.operand},
                                 {table, cols});
            },
            [&](const std::vector<float>& got) { CHECK(got == expected); });
      }
    }
  }
}

TEST_CASE("scatter-add in place") {
  const Numbers rows{3, 0, 3, 3};
  const Matrix x = random_matrix(5, 7, 25);
  const Matrix source = random_matrix(4, 7, 26);
  const auto table = to_buffer(x);
  const auto terms = to_buffer(source);
  const Indices indices(rows, ElementType::i32);
  const KernelOperand both = operand(*table, {5, 7});
  const std::vector in{both, operand(*terms, {4, 7}), indices.operand};
  launch(OpId::scatter_add_rows, {.in = in, .out = {&both, 1}, .scalars = {}, .ints = {}});
  std::vector<float> got(35);
  download(*table, 0, got.data(), got.size() * sizeof(float));
  CHECK(got == expected_sums(x, source, rows));
}
