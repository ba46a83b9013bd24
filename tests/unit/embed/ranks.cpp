#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/runtime/buffer.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"

using namespace spiraltorch;

// The kernel of exact ranks against plain loops in double.
namespace {

using Generator = std::mt19937_64;
using Lists = std::vector<std::vector<std::int32_t>>;

template <class T>
struct Table {
  std::int64_t nodes, dim;
  std::vector<T> values;
};

template <class T>
std::shared_ptr<Buffer> buffer_of(const std::vector<T>& values) {
  auto buffer = Buffer::allocate({}, std::max<std::size_t>(1, values.size()) * sizeof(T));
  if (!values.empty()) upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

struct Ranks {
  std::vector<std::int64_t> sums;
  std::vector<double> precisions;
  friend bool operator==(const Ranks&, const Ranks&) = default;
};

template <class T>
Ranks run(const Table<T>& x, const Lists& linked, const Lists& known) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> nodes;
  for (const Lists* lists : {&linked, &known}) {
    if (lists->empty()) continue;
    offsets.push_back(std::ssize(nodes));
    for (const auto& list : *lists) {
      nodes.insert(nodes.end(), list.begin(), list.end());
      offsets.push_back(std::ssize(nodes));
    }
  }
  const std::size_t n = static_cast<std::size_t>(x.nodes);
  const auto table = buffer_of(x.values), offset = buffer_of(offsets), node = buffer_of(nodes);
  const auto sums = buffer_of(std::vector<std::int64_t>(n, -7));
  const auto precisions = buffer_of(std::vector<double>(n, -7.0));
  const auto type = sizeof(T) == 8 ? ElementType::f64 : ElementType::f32;
  const std::array in{operand(*table, {x.nodes, x.dim}, type),
                      operand(*offset, {known.empty() ? 1 : 2, x.nodes + 1}, ElementType::i64),
                      operand(*node, {1, std::ssize(nodes)}, ElementType::i32)};
  const std::array out{operand(*sums, {1, x.nodes}, ElementType::i64),
                       operand(*precisions, {1, x.nodes}, ElementType::f64)};
  launch(OpId::embed_ranks, {.in = in, .out = out, .scalars = {}, .ints = {}});
  Ranks got{std::vector<std::int64_t>(n), std::vector<double>(n)};
  download(*sums, 0, got.sums.data(), n * sizeof(std::int64_t));
  download(*precisions, 0, got.precisions.data(), n * sizeof(double));
  return got;
}

template <class T>
double order(const Table<T>& x, std::int64_t u, std::int64_t v) {
  double squares = 0, own = 0;
  for (std::int64_t j = 0; j < x.dim; ++j) {
    const double a = x.values[static_cast<std::size_t>(u * x.dim + j)];
    const double b = x.values[static_cast<std::size_t>(v * x.dim + j)];
    squares += (a - b) * (a - b);
    own += b * b;
  }
  return squares / (1.0 - own);
}

template <class T>
Ranks plain(const Table<T>& x, const Lists& linked, const Lists& known) {
  Ranks out;
  for (std::int64_t u = 0; u < x.nodes; ++u) {
    const auto& mine = linked[static_cast<std::size_t>(u)];
    std::vector<char> skipped(static_cast<std::size_t>(x.nodes), 0);
    skipped[static_cast<std::size_t>(u)] = 1;
    for (const auto v : mine) skipped[static_cast<std::size_t>(v)] = 1;
    if (!known.empty()) {
      for (const auto v : known[static_cast<std::size_t>(u)])
        skipped[static_cast<std::size_t>(v)] = 1;
    }
    std::vector<double> hits, others;
    for (const auto v : mine) hits.push_back(order(x, u, v));
    for (std::int64_t v = 0; v < x.nodes && !mine.empty(); ++v) {
      if (skipped[static_cast<std::size_t>(v)] == 0) others.push_back(order(x, u, v));
    }
    std::sort(hits.begin(), hits.end());
    std::int64_t sum = 0;
    double precision = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const auto closer =
          std::count_if(others.begin(), others.end(), [&](double o) { return o < hits[i]; });
      sum += closer + 1;
      precision += double(i + 1) / double(closer + std::ptrdiff_t(i) + 1);
    }
    out.sums.push_back(sum);
    out.precisions.push_back(hits.empty() ? 0.0 : precision / double(hits.size()));
  }
  return out;
}

// A point of the given norm, or less, in a random direction.
template <class T>
void put(Table<T>& x, Generator& random, double norm) {
  std::normal_distribution<double> normal;
  std::vector<double> point(static_cast<std::size_t>(x.dim));
  double square = 0;
  for (double& v : point) {
    v = normal(random);
    square += v * v;
  }
  for (const double v : point) x.values.push_back(static_cast<T>(v / std::sqrt(square) * norm));
}

enum class Kind { spread, tiny, edge, clusters, places, permuted, origin };
constexpr std::array kKinds{Kind::spread, Kind::tiny,     Kind::edge,  Kind::clusters,
                            Kind::places, Kind::permuted, Kind::origin};

template <class T>
Table<T> points(Kind kind, std::int64_t nodes, std::int64_t dim, Generator& random) {
  Table<T> x{nodes, dim, {}};
  std::uniform_real_distribution<double> uniform;
  const auto repeat = [&](std::int64_t of, double noise) {
    const auto from = static_cast<std::ptrdiff_t>(random() % static_cast<std::uint64_t>(of)) * dim;
    for (std::int64_t j = 0; j < dim; ++j) {
      const double v = x.values[static_cast<std::size_t>(from + j)];
      x.values.push_back(static_cast<T>(v * (1 - noise * uniform(random))));
    }
  };
  for (std::int64_t i = 0; i < nodes; ++i) {
    switch (kind) {
      case Kind::spread:
        put(x, random, 0.95 * std::sqrt(uniform(random)));
        break;
      case Kind::tiny:
        put(x, random, 1e-3 * uniform(random));
        break;
      case Kind::edge:
        put(x, random, 1.0 - 1e-5 * (1.0 + 10.0 * uniform(random)));
        break;
      case Kind::clusters:
        if (i < 9)
          put(x, random, 0.9999 * uniform(random));
        else
          repeat(9, 1e-4);
        break;
      case Kind::places:
        if (i < 5)
          put(x, random, uniform(random));
        else
          repeat(5, 0.0);
        break;
      case Kind::permuted: {  // sums that differ by their rounding only
        std::vector<T> point;
        for (std::int64_t j = 0; j < dim; ++j) {
          point.push_back(
              static_cast<T>(0.9 / std::sqrt(double(dim)) * (1.0 - 0.3 / double(j + 1))));
        }
        std::shuffle(point.begin(), point.end(), random);
        if (i % 50 == 0)
          std::fill(point.begin(), point.end(), T(0.25) / static_cast<T>(i / 50 + 1));
        x.values.insert(x.values.end(), point.begin(), point.end());
        break;
      }
      case Kind::origin:
        put(x, random, i % 3 == 0 ? 0.0 : 1e-25);
        break;  // squares underflow
    }
  }
  return x;
}

// `most` distinct nodes at most for every `each`-th node, none of them in `but`.
Lists lists(std::int64_t nodes, std::int64_t most, std::int64_t each, const Lists& but,
            Generator& random) {
  Lists out(static_cast<std::size_t>(nodes));
  for (std::int64_t u = 0; u < nodes; u += each) {
    auto& mine = out[static_cast<std::size_t>(u)];
    const auto count = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most + 1));
    for (std::int64_t k = 0; k < count; ++k) {
      const auto v = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(nodes));
      const auto in = [&](const std::vector<std::int32_t>& list) {
        return std::find(list.begin(), list.end(), v) != list.end();
      };
      if (v == u || in(mine) || (!but.empty() && in(but[static_cast<std::size_t>(u)]))) continue;
      mine.push_back(v);
    }
    std::sort(mine.begin(), mine.end());
  }
  return out;
}

template <class T>
void check(Kind kind, std::int64_t nodes, std::int64_t dim, std::int64_t most, std::int64_t each) {
  CAPTURE(int(kind));
  CAPTURE(nodes);
  CAPTURE(dim);
  CAPTURE(sizeof(T));
  Generator random(static_cast<std::uint64_t>(nodes * 31 + dim));
  const Table<T> x = points<T>(kind, nodes, dim, random);
  const Lists linked = lists(nodes, most, each, {}, random);
  const Lists known = lists(nodes, most, each, linked, random);
  CHECK(run(x, linked, {}) == plain(x, linked, {}));
  CHECK(run(x, linked, known) == plain(x, linked, known));
}

void each_level(const std::function<void()>& body) {
  const cpu::SimdLevel best = cpu::simd_level();
  for (const auto level : {cpu::SimdLevel::baseline, cpu::SimdLevel::sse4, cpu::SimdLevel::neon,
                           cpu::SimdLevel::avx2, cpu::SimdLevel::avx512}) {
    if (level > best) break;
    CAPTURE(int(level));
    cpu::set_simd_level(level);
    body();
  }
  cpu::set_simd_level(best);
}

}  // namespace

TEST_CASE("ranks are those of plain loops in double, for every kind of table") {
  each_level([] {
    for (const Kind kind : kKinds) {
      check<float>(kind, 300, 5, 12, 2);
      check<double>(kind, 300, 5, 12, 2);
    }
  });
}

TEST_CASE("ranks: sizes around tiles and vectors, dimensions, many linked nodes") {
  each_level([] {
    for (const std::int64_t nodes : {2, 3, 63, 64, 65}) check<float>(Kind::spread, nodes, 3, 4, 1);
    for (const std::int64_t dim : {1, 2, 17, 100}) check<float>(Kind::edge, 130, dim, 6, 1);
    for (const Kind kind : {Kind::spread, Kind::tiny, Kind::places, Kind::permuted}) {
      check<float>(kind, 400, 4, 250, 5);
      check<double>(kind, 400, 4, 250, 5);
    }
  });
}

TEST_CASE("ranks: several tiles") {
  for (const Kind kind : kKinds) {
    check<float>(kind, 5000, 10, 10, 41);
    check<double>(kind, 5000, 10, 10, 101);
  }
}

TEST_CASE("ranks: a node linked to all, one linked to none, any number of threads") {
  Generator random(1);
  const Table<float> x = points<float>(Kind::spread, 200, 3, random);
  Lists linked = lists(200, 5, 1, {}, random);
  linked[7].clear();
  for (std::int32_t v = 1; v < 200; ++v) linked[0].push_back(v);
  std::sort(linked[0].begin(), linked[0].end());
  linked[0].erase(std::unique(linked[0].begin(), linked[0].end()), linked[0].end());
  const int before = thread_count();
  for (const int threads : {1, 2, 7}) {
    set_thread_count(threads);
    const Ranks got = run(x, linked, {});
    CHECK(got == plain(x, linked, {}));
    CHECK(got.sums[0] == 199);  // nobody else: every rank is 1
    CHECK(got.precisions[0] == 1.0);
    CHECK(got.sums[7] == 0);
  }
  set_thread_count(before);
}
