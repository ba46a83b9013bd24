#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "backend/cpu/simd/embed_pool.hpp"
#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/base/philox.hpp"

using namespace spiraltorch;
using namespace spiraltorch::cpu;

// One step of the pools engine against the objective by its definition: derivatives by differences,
// the exponential map by Möbius addition, all in extended precision.
namespace {

using Real = long double;
using Points = std::vector<std::vector<Real>>;  // u, then the candidates

struct Case {
  std::int64_t dim = 5, positives = 3, negatives = 10;
  double scale = 1, power = 1, rate = 0.01, each = 1;
  EmbedSpace space = EmbedSpace::ball;
};

Real dot(const std::vector<Real>& a, const std::vector<Real>& b) {
  Real sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

Real distance(const Case& c, const std::vector<Real>& a, const std::vector<Real>& b) {
  Real square = 0;
  for (std::size_t j = 0; j < a.size(); ++j) square += (a[j] - b[j]) * (a[j] - b[j]);
  if (c.space == EmbedSpace::euclidean) return square;
  return std::acosh(1 + 2 * square / ((1 - dot(a, a)) * (1 - dot(b, b))));
}

// Of the item, and the sum of ℓ beside it.
std::array<Real, 2> losses(const Case& c, const std::vector<Real>& e) {
  Real sum = 0;
  for (std::size_t i = static_cast<std::size_t>(c.positives); i < e.size(); ++i) sum += e[i];
  std::array<Real, 2> out{0, 0};
  for (std::size_t i = 0; std::cmp_less(i, c.positives); ++i) {
    const Real l = std::log1p(c.each * sum / e[i]);
    out[0] += std::pow(l, Real(c.power)) / Real(c.power);
    out[1] += l;
  }
  return out;
}

std::vector<Real> decays(const Case& c, const Points& x) {
  std::vector<Real> e;
  for (std::size_t i = 1; i < x.size(); ++i) {
    e.push_back(std::exp(-Real(c.scale) * distance(c, x[0], x[i])));
  }
  return e;
}

// Derivative by one coordinate: central differences of fourth order.
Real derivative(const Case& c, Points& x, std::vector<Real>& e, std::size_t i, std::size_t j) {
  constexpr Real h = 2e-4L;
  const Real at = x[i][j];
  Real sum = 0;
  for (const auto& [step, weight] :
       {std::pair(-2, 1.0L), std::pair(-1, -8.0L), std::pair(1, 8.0L), std::pair(2, -1.0L)}) {
    x[i][j] = at + step * h;
    if (i == 0) {
      sum += weight * losses(c, decays(c, x))[0];
    } else {
      const Real before = e[i - 1];
      e[i - 1] = std::exp(-Real(c.scale) * distance(c, x[0], x[i]));
      sum += weight * losses(c, e)[0];
      e[i - 1] = before;
    }
  }
  x[i][j] = at;
  return sum / (12 * h);
}

// exp_x(v) of the unit ball: x ⊕ tanh(λ|v|/2)·v/|v|, λ = 2/(1 − |x|²).
std::vector<Real> exponential(const std::vector<Real>& x, std::vector<Real> v) {
  const Real length = std::sqrt(dot(v, v)), xx = dot(x, x);
  if (length == 0) return x;
  for (Real& y : v) y *= std::tanh(length / (1 - xx)) / length;
  const Real xy = dot(x, v), yy = dot(v, v);
  std::vector<Real> out;
  for (std::size_t j = 0; j < x.size(); ++j) {
    out.push_back(((1 + 2 * xy + yy) * x[j] + (1 - xx) * v[j]) / (1 + 2 * xy + xx * yy));
  }
  return out;
}

Points reference(const Case& c, Points x) {
  Points out;
  std::vector<Real> e = decays(c, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<Real> v;
    const Real alpha = 1 - dot(x[i], x[i]);
    const Real metric = c.space == EmbedSpace::ball ? alpha * alpha / 4 : 1;
    for (std::size_t j = 0; j < x[i].size(); ++j) {
      v.push_back(-Real(c.rate) * metric * derivative(c, x, e, i, j));
    }
    if (c.space == EmbedSpace::ball) {
      out.push_back(exponential(x[i], v));
    } else {
      std::transform(v.begin(), v.end(), x[i].begin(), v.begin(), std::plus<>());
      out.push_back(v);
    }
  }
  return out;
}

template <class T>
Points some_points(const Case& c, double radius) {
  std::mt19937_64 random(static_cast<std::uint64_t>(c.dim * 7 + c.negatives));
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(0.1, 1.0);
  Points out;
  for (std::int64_t i = 0; i < 1 + c.positives + c.negatives; ++i) {
    std::vector<Real> x;
    for (std::int64_t j = 0; j < c.dim; ++j) x.push_back(normal(random));
    const Real f = radius * uniform(random) / std::sqrt(dot(x, x));
    for (Real& v : x) v = static_cast<T>(v * f);
    out.push_back(x);
  }
  return out;
}

struct Stepped {
  Points x;
  std::vector<Real> last;  // 1 − |x|² as the rows have it
  double loss;
};

// The kernel on rows whose padding holds some number: it must not matter. Each further time another
// row is u.
template <class T>
Stepped stepped(const Case& c, const Points& x, int times = 1) {
  constexpr auto kLine = static_cast<std::int64_t>(kPoolAlign / sizeof(T));
  const std::int64_t stride = (c.dim + 1 + kLine - 1) / kLine * kLine;
  std::vector<T> memory(x.size() * static_cast<std::size_t>(stride), T(7));
  PoolScratch<T> scratch(c.positives + c.negatives);
  std::vector<T*> rows(static_cast<std::size_t>(scratch.padded()), memory.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    T* row = memory.data() + static_cast<std::int64_t>(i) * stride;
    std::transform(x[i].begin(), x[i].end(), row, [](Real v) { return static_cast<T>(v); });
    row[c.dim] = c.space == EmbedSpace::ball ? static_cast<T>(1 - dot(x[i], x[i])) : T(1);
    if (i > 0) rows[i - 1] = row;
  }
  PoolItem<T> item{.u = memory.data(),
                   .rows = rows.data(),
                   .positives = c.positives,
                   .count = c.positives + c.negatives,
                   .each = static_cast<T>(c.each)};
  const PoolRule<T> rule{.dim = c.dim,
                         .rate = static_cast<T>(c.rate),
                         .scale = static_cast<T>(c.scale),
                         .power = static_cast<T>(c.power),
                         .alpha_least = sizeof(T) == 4 ? T(2e-6) : T(1e-12),
                         .space = c.space};
  Stepped out;
  for (int k = 0; k < times; ++k) {
    if (k % 40 == 39) std::swap(item.u, rows[static_cast<std::size_t>(k % item.count)]);
    if constexpr (sizeof(T) == 4) {
      out.loss = embed_pool_table().step_f32(item, rule, scratch);
    } else {
      out.loss = embed_pool_table().step_f64(item, rule, scratch);
    }
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T* row = memory.data() + static_cast<std::int64_t>(i) * stride;
    out.x.emplace_back(row, row + c.dim);
    out.last.push_back(row[c.dim]);
  }
  return out;
}

void each_level(const std::function<void()>& body) {
  const SimdLevel best = simd_level();
  for (const auto level : {SimdLevel::baseline, SimdLevel::sse4, SimdLevel::neon, SimdLevel::avx2,
                           SimdLevel::avx512}) {
    if (level > best) break;
    CAPTURE(int(level));
    set_simd_level(level);
    body();
  }
  set_simd_level(best);
}

// Rows' displacements to `relative` of each, beside `rounding` of a coordinate.
template <class T>
void check(const Case& c, Real relative, Real rounding) {
  CAPTURE(sizeof(T));
  CAPTURE(c.dim);
  CAPTURE(c.scale);
  CAPTURE(c.power);
  CAPTURE(c.positives);
  CAPTURE(c.negatives);
  const Points x = some_points<T>(c, 0.9);
  const Points expected = reference(c, x);
  const auto loss = static_cast<double>(losses(c, decays(c, x))[1]);
  each_level([&] {
    const Stepped got = stepped<T>(c, x);
    CHECK(got.loss == doctest::Approx(loss).epsilon(sizeof(T) == 4 ? 1e-5 : 1e-9));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(i);
      Real error = 0, moved = 0;
      for (std::size_t j = 0; j < x[i].size(); ++j) {
        error += std::pow(got.x[i][j] - expected[i][j], Real(2));
        moved += std::pow(expected[i][j] - x[i][j], Real(2));
      }
      CHECK(static_cast<double>(std::sqrt(error)) <=
            static_cast<double>(relative * std::sqrt(moved) + rounding));
      if (c.space == EmbedSpace::euclidean) continue;
      const Real alpha = 1 - dot(got.x[i], got.x[i]);
      CHECK(static_cast<double>(std::abs(got.last[i] - alpha)) <=
            static_cast<double>(8 * rounding));
    }
  });
}

void check_both(const Case& c) {
  check<double>(c, 1e-6L, 1e-15L);
  check<float>(c, 1e-3L, 2e-7L);
}

// Word i of the stream, mapped into part i of the range, turned; where parts are narrow, half of a
// word.
std::vector<std::int32_t> plain_draw(const PhiloxBlock& counter, std::array<std::uint32_t, 2> key,
                                     std::int64_t size, std::int64_t parts, std::int64_t turn) {
  std::vector<std::int32_t> out;
  for (std::int64_t i = 0; i < std::min(size, parts); ++i) {
    const std::int64_t count = std::min(size, parts);
    const bool halves = (size + count - 1) / count <= 1024;
    const std::int64_t which = halves ? i / 32 * 16 + i % 16 : i;
    PhiloxBlock block = counter;
    block[0] += static_cast<std::uint32_t>(which / 4);
    std::uint64_t word = philox4x32(block, key)[static_cast<std::size_t>(which % 4)];
    if (halves) word = i % 32 < 16 ? word % 65536 : word / 65536;
    const std::int64_t first = i * size / count, end = (i + 1) * size / count;
    const auto inside = static_cast<std::int64_t>(
        (word * static_cast<std::uint64_t>(end - first)) >> (halves ? 16U : 32U));
    out.push_back(static_cast<std::int32_t>((first + inside + turn) % size));
  }
  return out;
}

constexpr std::array<std::int64_t, 7> kDims{1, 2, 5, 10, 16, 17, 40};
constexpr std::int64_t kMostInAVector = 15;  // coordinates, with 1 − |x|² behind them

}  // namespace

TEST_CASE("pool step in the ball: the exponential map along the gradient of the objective") {
  for (const std::int64_t dim : kDims) {
    for (const double scale : {1.0, 2.0, 0.5}) {
      for (const double power : {1.0, 2.0, 2.5}) {
        check_both({.dim = dim, .scale = scale, .power = power});
      }
    }
  }
}

TEST_CASE("pool step: every number of coordinates that one vector holds") {
  for (std::int64_t dim = 1; dim <= kMostInAVector; ++dim) {
    check_both({.dim = dim, .positives = 4, .negatives = 40});
    check_both({.dim = dim, .positives = 4, .negatives = 40, .space = EmbedSpace::euclidean});
  }
}

TEST_CASE("pool step: few and many positives and negatives, each for several") {
  for (const auto& [positives, negatives] :
       {std::pair(1, 1), std::pair(1, 33), std::pair(20, 2), std::pair(16, 16), std::pair(7, 57)}) {
    for (const double power : {1.0, 2.5}) {
      check_both({.positives = positives, .negatives = negatives, .power = power, .each = 3.5});
    }
  }
}

TEST_CASE("pool step in flat space: down the gradient, distances squared") {
  for (const std::int64_t dim : kDims) {
    for (const double power : {1.0, 2.0, 2.5}) {
      check_both({.dim = dim, .power = power, .space = EmbedSpace::euclidean});
    }
    check_both({.dim = dim, .scale = 2.0, .space = EmbedSpace::euclidean});
  }
}

TEST_CASE("pool step: absurd rates and points at the edge stay inside and finite") {
  for (const double radius : {0.5, 0.999998, 1e-30, 0.0}) {
    for (const double rate : {1.0, 1e3, 1e12, 1e30}) {
      for (const double power : {1.0, 2.0, 4.0}) {
        for (const double scale : {1.0, 1e-6, 1e6}) {
          for (const std::int64_t dim : {1, 5, 17}) {
            const Case c{.dim = dim, .scale = scale, .power = power, .rate = rate, .each = 40};
            CAPTURE(radius);
            CAPTURE(rate);
            CAPTURE(power);
            CAPTURE(scale);
            CAPTURE(dim);
            const auto inside = [&](const Stepped& got) {
              bool good = std::isfinite(got.loss);
              for (std::size_t i = 0; i < got.x.size(); ++i) {
                const Real square = dot(got.x[i], got.x[i]);
                good = good && square < 1 && got.last[i] > 0 && got.last[i] <= 1;
              }
              return good;
            };
            each_level([&] {
              CHECK(inside(stepped<float>(c, some_points<float>(c, radius))));
              CHECK(inside(stepped<double>(c, some_points<double>(c, radius))));
            });
          }
        }
      }
    }
  }
}

TEST_CASE("pool step: many long steps leave 1 − |x|² what the coordinates say") {
  for (const double scale : {1.0, 1e3}) {
    for (const double rate : {0.3, 1e3}) {
      for (const std::int64_t dim : {3, 20}) {
        const Case c{.dim = dim, .scale = scale, .power = 2.5, .rate = rate};
        CAPTURE(scale);
        CAPTURE(rate);
        CAPTURE(dim);
        each_level([&] {
          for (const int times : {10, 100, 2000}) {
            const Stepped got = stepped<float>(c, some_points<float>(c, 0.9), times);
            for (std::size_t i = 0; i < got.x.size(); ++i) {
              const Real alpha = 1 - dot(got.x[i], got.x[i]);
              // The last radius itself is a row's to within a rounding of its coordinates.
              CHECK(static_cast<double>(got.last[i]) ==
                    doctest::Approx(static_cast<double>(alpha)).epsilon(0.2));
            }
          }
        });
      }
    }
  }
}

TEST_CASE("pool step: absurd rates in flat space move by a bounded way") {
  for (const double rate : {1.0, 1e3, 1e12, 1e30}) {
    const Case c{.power = 2.5, .rate = rate, .space = EmbedSpace::euclidean};
    const Points x = some_points<float>(c, 30.0);
    each_level([&] {
      const Stepped got = stepped<float>(c, x);
      CHECK(std::isfinite(got.loss));
      for (std::size_t i = 0; i < x.size(); ++i) {
        Real moved = 0, to_u = 0;
        for (std::size_t j = 0; j < x[i].size(); ++j) {
          moved += std::pow(got.x[i][j] - x[i][j], Real(2));
          to_u += std::pow(x[0][j] - x[i][j], Real(2));
        }
        // A quarter of the way to u at most and never more than 2; u itself 1 at most.
        const Real most = i == 0 ? 1 : std::min(std::sqrt(to_u) / 4, Real(2));
        CHECK(static_cast<double>(std::sqrt(moved)) <= static_cast<double>(most * 1.001L));
      }
    });
  }
}

TEST_CASE("pool draws: philox words in strata, turned, no place twice, at every SIMD level") {
  const PhiloxBlock counter{0xFFFFFFF0U, 17, 99, 4};  // the first word wraps
  const std::array<std::uint32_t, 2> key{0xDEADBEEFU, 0x01234567U};
  each_level([&] {
    for (const std::int64_t size : {1, 2, 3, 7, 63, 64, 65, 200, 999, 1000, 5000}) {
      for (const std::int64_t parts : {1, 2, 5, 50, 63, 64, 65, 200, 1000, 1200}) {
        CAPTURE(size);
        CAPTURE(parts);
        PoolStrata strata;
        strata.cut(size, parts);
        CHECK(strata.count == std::min(size, parts));
        CHECK(strata.first.size() % kDrawBatch == 0);
        for (const std::int64_t turn : {std::int64_t{0}, size / 2, size - 1}) {
          std::vector<std::int32_t> out(strata.first.size(), -1);
          embed_pool_table().draw(counter.data(), key.data(), strata,
                                  static_cast<std::int32_t>(turn), out.data());
          out.resize(static_cast<std::size_t>(strata.count));
          CHECK(out == plain_draw(counter, key, size, parts, turn));
          CHECK(std::set(out.begin(), out.end()).size() == out.size());
          CHECK(*std::max_element(out.begin(), out.end()) < size);
          CHECK(*std::min_element(out.begin(), out.end()) >= 0);
        }
      }
    }
  });
}

TEST_CASE("pool find: a plain loop") {
  std::mt19937 random(5);
  each_level([&] {
    for (const std::int64_t count : {64, 128, 256}) {
      for (const std::size_t forbidden_count : {0, 1, 2, 30}) {
        std::vector<std::int32_t> values, forbidden, flags(static_cast<std::size_t>(count), 9);
        for (std::int64_t i = 0; i < count; ++i) values.push_back(std::int32_t(random() % 700));
        while (forbidden.size() < forbidden_count) {
          forbidden.push_back(std::int32_t(random() % 700));
        }
        std::vector<std::int32_t> expected;
        for (const auto v : values) {
          expected.push_back(std::find(forbidden.begin(), forbidden.end(), v) != forbidden.end());
        }
        const bool any = embed_pool_table().find(values.data(), count, forbidden, flags.data());
        CHECK(flags == expected);
        CHECK(any == (std::count(expected.begin(), expected.end(), 1) > 0));
      }
    }
    // Only the last is hit.
    std::vector<std::int32_t> values(64, 1), flags(64);
    values.back() = 8;
    const std::vector<std::int32_t> forbidden{3, 8};
    CHECK(embed_pool_table().find(values.data(), 64, forbidden, flags.data()));
    CHECK(flags.back() == 1);
    CHECK(flags.front() == 0);
  });
}

TEST_CASE("pool rows: where places are") {
  std::vector<std::byte> memory(400 * 320);
  each_level([&] {
    for (const std::int32_t stride : {64, 128, 320}) {
      for (const std::int64_t count : {0, 1, 7, 8, 9, 200}) {
        std::vector<std::int32_t> places;
        for (std::int64_t i = 0; i < 256; ++i) {
          places.push_back(static_cast<std::int32_t>(i * 131 % 400));
        }
        std::vector<std::byte*> rows(256);
        embed_pool_table().locate(memory.data(), stride, places.data(), count, rows.data());
        for (std::size_t i = 0; std::cmp_less(i, count); ++i) {
          CHECK(rows[i] == memory.data() + std::int64_t{places[i]} * stride);
        }
      }
    }
  });
}
