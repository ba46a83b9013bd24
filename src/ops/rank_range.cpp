#include <array>
#include <cmath>
#include <numeric>

#include "ops/launch.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/buffer.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kPiece = 65536;  // columns counted at a time

// Where each piece's kept elements begin, and their total behind it.
std::vector<std::int64_t> offsets_of(const Tensor& x, std::int64_t pieces, float low, float high) {
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(x.rows() * pieces + 1), 0);
  const std::size_t bytes = (offsets.size() - 1) * sizeof(std::int64_t);
  const auto counts = Buffer::allocate(x.device(), bytes);
  ops::run(OpId::range_count, {detail::operand_of(x)},
           operand(*counts, {x.rows(), pieces}, ElementType::i64),
           {static_cast<double>(low), static_cast<double>(high)}, {kPiece});
  download(*counts, 0, offsets.data() + 1, bytes);
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  return offsets;
}

}  // namespace

CompactResult compact_range(const Tensor& x, double low, double high) {
  for (const double bound : {low, high}) {
    require(!std::isnan(bound), Errc::invalid_value, "compact_range",
            "bound: got NaN, expected numbers");
  }
  const auto lo = static_cast<float>(low);
  const auto hi = static_cast<float>(high);
  const std::int64_t pieces = (x.cols() + kPiece - 1) / kPiece;
  const auto offsets = offsets_of(x, pieces, lo, hi);
  const std::int64_t total = offsets.back();
  const ElementType type = x.cols() < (std::int64_t{1} << 31) ? ElementType::i32 : ElementType::i64;
  std::vector<std::int64_t> counts;
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    counts.push_back(offsets[static_cast<std::size_t>((r + 1) * pieces)] -
                     offsets[static_cast<std::size_t>(r * pieces)]);
  }
  CompactResult out{detail::empty_result({1, total}, x.device()),
                    IndexTensor::empty(1, total, type, x.device()),
                    IndexTensor::from_values(x.rows(), 1, counts, type, x.device())};
  if (total == 0) return out;
  const auto places = Buffer::allocate(x.device(), offsets.size() * sizeof(std::int64_t));
  upload(*places, 0, offsets.data(), offsets.size() * sizeof(std::int64_t));
  const std::array in{detail::operand_of(x),
                      operand(*places, {1, std::ssize(offsets)}, ElementType::i64)};
  const std::array results{detail::operand_of(out.values), out.indices.operand()};
  const std::array scalars{static_cast<double>(lo), static_cast<double>(hi)};
  const std::array ints{kPiece};
  launch(OpId::range_emit, {.in = in, .out = results, .scalars = scalars, .ints = ints});
  return out;
}

BandMap band_map(const Tensor& gradient, std::int64_t above, std::int64_t beneath,
                 double tolerance) {
  const auto check = [](std::string_view what, std::int64_t count) {
    if (count >= 0) return;
    fail(Errc::invalid_value, "band_split", text(what, ": got ", count, ", expected >= 0"));
  };
  check("above", above);
  check("beneath", beneath);
  require(!std::isnan(tolerance), Errc::invalid_value, "band_split",
          "tolerance: got NaN, expected a number");
  if (const std::int64_t at = ops::first_non_finite(gradient); at >= 0) {
    const std::int64_t row = at / gradient.cols();
    const std::int64_t col = at % gradient.cols();
    fail(Errc::non_finite, "band_split",
         text("element (", row, ", ", col, "): got ", gradient.at(row, col),
              ", expected finite numbers"));
  }
  BandMap map{IndexTensor::empty(1, gradient.size(), ElementType::i32, gradient.device())};
  const auto sums = Buffer::allocate(gradient.device(), 3 * sizeof(double));
  const std::array in{detail::operand_of(gradient)};
  const std::array out{map.bands.operand(), operand(*sums, {1, 3}, ElementType::f64)};
  const std::array scalars{tolerance};
  const std::array ints{above, beneath};
  launch(OpId::band_split, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  download(*sums, 0, map.sums.data(), 3 * sizeof(double));
  return map;
}

Tensor band_scale(const Tensor& gradient, const BandMap& map,
                  const std::array<double, 3>& weights) {
  Tensor out = Tensor::empty(gradient.rows(), gradient.cols(), gradient.device());
  ops::run(OpId::band_scale, {detail::operand_of(gradient), map.bands.operand()},
           detail::operand_of(out), {weights[0], weights[1], weights[2]});
  return out;
}

BandSplit band_split(const Tensor& gradient, std::int64_t above, std::int64_t beneath,
                     double tolerance) {
  const BandMap map = band_map(gradient, above, beneath, tolerance);
  BandSplit split{{}, map.sums};
  split.bands.reserve(static_cast<std::size_t>(gradient.size()));
  for (const std::int64_t label : map.bands.data()) split.bands.push_back(static_cast<Band>(label));
  return split;
}

}  // namespace spiraltorch
