#include "spiraltorch/ops/gather.hpp"

#include "check_error.hpp"
#include "conformance.hpp"

using namespace conformance;
using spiraltorch::ElementType;
using spiraltorch::IndexTensor;
using spiraltorch::OpId;
using spiraltorch::Tensor;

namespace {

using Numbers = std::vector<std::int64_t>;

In indices(const Numbers& rows, ElementType type) {
  In out{1, std::ssize(rows), {}, std::ssize(rows), 1, type};
  for (const std::int64_t row : rows) {
    out.words.push_back(static_cast<std::uint32_t>(row));
    if (type == ElementType::i64) out.words.push_back(0);
  }
  return out;
}

Numbers random_rows(std::int64_t count, std::int64_t below, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<std::int64_t> draw(0, below - 1);
  Numbers out(static_cast<std::size_t>(count));
  for (std::int64_t& row : out) row = draw(engine);
  return out;
}

In any_bits(std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::mt19937 engine(seed);
  Words words(static_cast<std::size_t>(rows * cols));
  for (std::uint32_t& w : words) w = static_cast<std::uint32_t>(engine());
  return {rows, cols, words, cols};
}

// The largest error in units of 2^-22 times the sum of the terms' magnitudes; must be at most 1.
double worst_error(const In& x, const In& source, const Numbers& rows, const Words& got) {
  const auto start = as_floats(x.words);
  const auto terms = as_floats(source.words);
  std::vector<double> sum(start.begin(), start.end());
  std::vector<double> size(start.size());
  std::transform(sum.begin(), sum.end(), size.begin(), [](double v) { return std::abs(v); });
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto cols = static_cast<std::size_t>(x.cols);
    const auto at = static_cast<std::size_t>(rows[i / cols]) * cols + i % cols;
    sum[at] += static_cast<double>(terms[i]);
    size[at] += std::abs(static_cast<double>(terms[i]));
  }
  const auto results = as_floats(got);
  double worst = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    worst = std::max(worst, distance(results[i], sum[i], 0, 0x1p-22 * size[i]));
  }
  return worst;
}

// Against exact sums and the CPU; twice, with the same bits; a row named by none keeps its own.
double check_scatter(const In& x, const In& source, const Numbers& rows, ElementType type) {
  CAPTURE(x.rows);
  CAPTURE(x.cols);
  CAPTURE(rows.size());
  const std::vector<In> in{x, source, indices(rows, type)};
  const Out out{{x.rows, x.cols}};
  const Words got = run(kWgpu, OpId::scatter_add_rows, in, {out})[0];
  CHECK(run(kWgpu, OpId::scatter_add_rows, in, {out})[0] == got);
  const double worst = worst_error(x, source, rows, got);
  CHECK(worst <= 1);
  CHECK(worst_error(x, source, rows, run(kCpu, OpId::scatter_add_rows, in, {out})[0]) <= 1);
  return worst;
}

}  // namespace

TEST_CASE("gather_rows: bits of the CPU") {
  if (!adapter_here()) return;
  for (const std::int64_t cols : {1, 3, 4, 64, 1000}) {
    for (const std::int64_t count : {1, 2, 1025, 100000 / static_cast<int>(cols)}) {
      const In x = any_bits(777, cols, 1);
      for (const ElementType type : {ElementType::i32, ElementType::i64}) {
        CAPTURE(cols);
        CAPTURE(count);
        const std::vector<In> in{x, indices(random_rows(count, 777, 2), type)};
        const Out out{{count, cols}};
        CHECK(run(kWgpu, OpId::gather_rows, in, {out}) == run(kCpu, OpId::gather_rows, in, {out}));
      }
    }
  }
}

TEST_CASE("scatter_add_rows: sums") {
  if (!adapter_here()) return;
  double worst = 0;
  for (const std::int64_t cols : {1, 3, 4, 64}) {
    for (const std::int64_t count : {1, 2, 15, 17, 2048, 2049, 5000, 100000}) {
      if (count * cols > 500000) continue;
      const In source = normal(count, cols, 3);
      for (const std::int64_t table : {1, 7, 1000}) {  // 1: all the same target
        const ElementType type = table == 7 ? ElementType::i64 : ElementType::i32;
        const Numbers rows = random_rows(count, table, 4);
        worst = std::max(worst, check_scatter(normal(table, cols, 5), source, rows, type));
      }
    }
  }
  const Numbers one_of_many(100000, 3);
  worst = std::max(worst, check_scatter(normal(5, 64, 6), normal(100000, 64, 7, 1, 100),
                                        one_of_many, ElementType::i32));
  Numbers falling(70001);
  for (std::size_t i = 0; i < falling.size(); ++i) {
    falling[i] = static_cast<std::int64_t>(falling.size() - 1 - i);
  }
  worst = std::max(
      worst, check_scatter(normal(70001, 3, 8), normal(70001, 3, 9), falling, ElementType::i64));
  MESSAGE("worst error: " << worst << " of 2^-22");
}

TEST_CASE("scatter_add_rows: in place, extreme terms, untouched rows") {
  if (!adapter_here()) return;
  const In source = normal(3000, 5, 10);
  const Numbers rows = random_rows(3000, 40, 11);
  In x = any_bits(50, 5, 12);
  std::fill(x.words.begin(), x.words.begin() + 40 * 5, 0x3F800000U);
  const std::vector<In> in{x, source, indices(rows, ElementType::i32)};
  const Words apart = run(kWgpu, OpId::scatter_add_rows, in, {{{50, 5}}})[0];
  CHECK(Words(apart.begin() + 200, apart.end()) == Words(x.words.begin() + 200, x.words.end()));
  const auto table = put(kWgpu, x.words);
  const auto terms = put(kWgpu, source.words);
  const auto targets = put(kWgpu, in[2].words);
  using spiraltorch::operand;
  const spiraltorch::KernelOperand both = operand(*table, {50, 5});
  const std::vector operands{both, operand(*terms, {3000, 5}),
                             operand(*targets, {1, 3000}, ElementType::i32)};
  spiraltorch::launch(OpId::scatter_add_rows,
                      {.in = operands, .out = {&both, 1}, .scalars = {}, .ints = {}});
  CHECK(get(*table) == apart);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kMax = std::numeric_limits<float>::max();
  const In extreme = floats(6, 2,
                            {kMax, 1e-44F, kMax, 3e-45F, -kMax, -2e-39F,  //
                             kInf, 1e-30F, 1, 1, -kInf, kInf});
  const std::vector<In> wild{floats(3, 2, {0, 0, 0, 0, 0, 0}), extreme,
                             indices({0, 0, 0, 1, 1, 1}, ElementType::i32)};
  const Out out{{3, 2}};
  const auto got = as_floats(run(kWgpu, OpId::scatter_add_rows, wild, {out})[0]);
  CHECK(got[0] == kMax);
  CHECK(std::isnan(got[2]));
  CHECK(got[3] == kInf);
  check_close(got, as_floats(run(kCpu, OpId::scatter_add_rows, wild, {out})[0]), 0x1p-22, 1.2e-38);
}

TEST_CASE("index_select and index_add: results, gradients and errors of the CPU") {
  if (!adapter_here()) return;
  const Numbers values = random_rows(300, 20, 13);
  const auto results = [&](spiraltorch::DeviceId device) {
    const IndexTensor rows = IndexTensor::from_values(300, 1, values, ElementType::i64, device);
    Tensor x = Tensor::randn(20, 6, 1, {.requires_grad = false, .device = device});
    Tensor source = Tensor::randn(300, 6, 2, {.requires_grad = false, .device = device});
    x.requires_grad_();
    source.requires_grad_();
    const Tensor y = spiraltorch::ops::index_add(x, rows, source);
    const Tensor z = spiraltorch::ops::index_select(x, rows);
    (y.sum() + (z * z).sum()).backward();
    return std::vector{y.data(), z.data(), x.grad()->data(), source.grad()->data()};
  };
  const auto got = results(kWgpu);
  const auto expected = results(kCpu);
  for (std::size_t i = 0; i < got.size(); ++i) check_close(got[i], expected[i], 1e-5, 1e-5);

  using spiraltorch::Errc;
  const Tensor here = Tensor::ones(3, 2);
  const Tensor there = here.to(kWgpu);
  const IndexTensor rows = IndexTensor::from_values(1, 3, {0, 2, 1}, ElementType::i32, kWgpu);
  check_error(Errc::device, [&] { (void)spiraltorch::ops::index_select(here, rows); });
  check_error(Errc::device, [&] { (void)spiraltorch::ops::index_select(there, rows.to(kCpu)); });
  check_error(Errc::device, [&] { (void)spiraltorch::ops::index_add(there, rows, here); });
  const Tensor two = Tensor::ones(2, 2, {.requires_grad = false, .device = kWgpu});
  check_error(Errc::out_of_range, [&] { (void)spiraltorch::ops::index_select(two, rows); });
  const IndexTensor found = IndexTensor::empty(1, 2, ElementType::i32, kWgpu);
  const Words words{1, 0xFFFFFFFFU};
  spiraltorch::upload(*found.buffer(), 0, words.data(), 8);
  check_error(Errc::out_of_range, [&] { (void)spiraltorch::ops::index_select(two, found); });
  CHECK(IndexTensor(found).bounds() == std::pair<std::int64_t, std::int64_t>{-1, 1});
}
