#pragma once

#include <array>

#include "conformance.hpp"

/// Rows of the ball for conformance tests, and how far results are apart.
namespace ball_test {

using namespace conformance;

/// Random rows of scaled norms taken from a list in turn.
inline In rows_of_norms(std::int64_t rows, std::int64_t cols, double kappa,
                        const std::vector<double>& norms, unsigned seed) {
  In out = normal(rows, cols, seed);
  std::vector<float> values = as_floats(out.words);
  for (std::int64_t i = 0; i < rows; ++i) {
    float* row = values.data() + i * cols;
    double squares = 0.0;
    for (std::int64_t j = 0; j < cols; ++j) squares += static_cast<double>(row[j]) * row[j];
    const double norm = norms[static_cast<std::size_t>(i) % norms.size()];
    const double scale = norm / std::sqrt(squares * kappa);
    for (std::int64_t j = 0; j < cols; ++j) row[j] = static_cast<float>(row[j] * scale);
  }
  return floats(rows, cols, values);
}

/// Scaled norms of points: inside, near and at the rim, at the origin, outside.
inline const std::vector<double> kPointNorms{0.3,  0.999,    0.9,   0.0, 1e-4, 0.99, 0.7,
                                             0.95, 1 - 1e-5, 1.005, 0.5, 3e-9, 40.0};

/// Those for which the specification bounds errors.
inline const std::vector<double> kInnerNorms{0.3,  0.999, 0.9, 0.0,  1e-4, 0.99,
                                             0.95, 0.7,   0.5, 3e-9, 0.998};

inline In points(std::int64_t rows, std::int64_t cols, double kappa, unsigned seed,
                 std::vector<double> norms = kPointNorms) {
  std::rotate(norms.begin(), norms.begin() + seed % 5, norms.end());
  return rows_of_norms(rows, cols, kappa, norms, seed);
}

inline const std::vector<double> kVectorNorms{1.0, 0.1, 0.0, 1e-3, 30.0, 1e10, 1e-8, 1e20};
inline const std::vector<double> kShortNorms{1.0, 0.1, 0.0, 1e-3, 3.0, 0.5, 1e-8, 0.7};

/// Some rows of y: those of x, close to them, or opposite.
inline void meet(const In& x, In& y) {
  const auto copy = [&](std::int64_t first, std::int64_t step, float factor) {
    for (std::int64_t i = first; i < x.rows; i += step) {
      for (std::int64_t j = i * x.cols; j < (i + 1) * x.cols; ++j) {
        const auto at = static_cast<std::size_t>(j);
        y.words[at] = std::bit_cast<std::uint32_t>(std::bit_cast<float>(x.words[at]) * factor);
      }
    }
  };
  copy(2, 7, 1.0F);
  copy(4, 11, 0.9999F);
  copy(6, 13, -1.0F);
}

/// Rows must lie within `tolerance` of the expected row's size, plus `absolute`; rows of
/// not-a-number must agree. Returns the largest distance seen, in sizes of its row.
template <class T>
double check_rows(const std::vector<T>& got, const std::vector<T>& expected, std::int64_t cols,
                  double tolerance, double absolute = 1e-30) {
  REQUIRE(got.size() == expected.size());
  double worst = 0.0;
  const auto width = static_cast<std::size_t>(cols);
  for (std::size_t first = 0; first < got.size(); first += width) {
    double size = 0.0;
    double apart = 0.0;
    for (std::size_t j = first; j < first + width; ++j) {
      if (std::isnan(got[j]) && std::isnan(expected[j])) continue;
      if (got[j] == expected[j]) {
        size = std::hypot(size, static_cast<double>(expected[j]));
        continue;
      }
      size = std::hypot(size, static_cast<double>(expected[j]));
      apart = std::hypot(apart, static_cast<double>(got[j]) - static_cast<double>(expected[j]));
    }
    if (apart == 0.0) continue;
    const double error = apart / (size + absolute / tolerance);
    worst = std::max(worst, error);
    if (error <= tolerance) continue;
    CAPTURE(first / width);
    CAPTURE(got[first]);
    CAPTURE(expected[first]);
    CHECK(error <= tolerance);
    return worst;
  }
  return worst;
}

inline constexpr std::array<double, 3> kKappas{0.25, 1.0, 4.0};

struct Case {
  spiraltorch::OpId op;
  const char* roles;    // p point, v vector, t number, in order of the operands
  std::int64_t result;  // 0: a row, 1: a number, 2: a row and a number
};

inline const std::vector<Case> kCases{
    {spiraltorch::OpId::ball_project, "p", 0},
    {spiraltorch::OpId::ball_import, "p", 0},
    {spiraltorch::OpId::ball_expmap0, "v", 0},
    {spiraltorch::OpId::ball_logmap0, "p", 0},
    {spiraltorch::OpId::ball_mobius_add, "pp", 0},
    {spiraltorch::OpId::ball_mobius_scalar, "tp", 0},
    {spiraltorch::OpId::ball_expmap, "pv", 0},
    {spiraltorch::OpId::ball_logmap, "pp", 0},
    {spiraltorch::OpId::ball_gyration, "ppv", 0},
    {spiraltorch::OpId::ball_parallel_transport, "ppv", 0},
    {spiraltorch::OpId::ball_dist, "pp", 1},
    {spiraltorch::OpId::ball_conformal_factor, "p", 1},
    {spiraltorch::OpId::ball_egrad2rgrad, "pv", 0},
    {spiraltorch::OpId::ball_geodesic, "ppt", 0},
    {spiraltorch::OpId::ball_to_lorentz, "p", 2},
    {spiraltorch::OpId::ball_sgd_step, "pv", 0},
};

inline In numbers(std::int64_t rows) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    values.push_back(
        std::array{0.5F, 1.0F, 0.0F, -0.3F, 2.0F, 1.7F}[static_cast<std::size_t>(i % 6)]);
  }
  return floats(rows, 1, values);
}

inline std::vector<In> operands(const Case& c, std::int64_t rows, std::int64_t cols, double kappa,
                                const std::vector<double>& norms = kPointNorms,
                                const std::vector<double>& vectors = kVectorNorms) {
  std::vector<In> in;
  const In* first = nullptr;
  for (const char* role = c.roles; *role != 0; ++role) {
    const auto seed = static_cast<unsigned>(role - c.roles) + static_cast<unsigned>(cols);
    if (*role == 't') in.push_back(numbers(rows));
    if (*role == 'v') in.push_back(rows_of_norms(rows, cols, 1.0, vectors, seed));
    if (*role != 'p') continue;
    in.push_back(points(rows, cols, kappa, seed, norms));
    if (first != nullptr) meet(in.front(), in.back());
    first = &in.front();
  }
  return in;
}

inline std::int64_t width(const Case& c, std::int64_t cols) {
  return c.result == 1 ? 1 : cols + c.result / 2;
}

}  // namespace ball_test
