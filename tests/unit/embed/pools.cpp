#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "backend/cpu/embed_pools.hpp"
#include "embed/schedule.hpp"
#include "small_fits.hpp"
#include "spiraltorch/runtime/buffer.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"

using namespace spiraltorch;

// An epoch of the pools engine: its layout, its bits, what it learns.
namespace {

// How an epoch of embed_pools runs.
struct Epoch {
  double rate = 0.1, scale = 1, power = 1;
  std::int64_t seed = 3, epoch = 1, negatives = 20, local = 3, pools = 4, rounds = 3;
  bool grouped = true, weighted = false, racing = false;
};

cpu::PoolEpoch epoch_of(const TrainingLinks& links, std::int64_t pools, std::uint64_t seed) {
  cpu::PoolEpoch e;
  e.offsets = links.links.offsets;
  e.linked = links.links.ids;
  e.preorder = links.forest.preorder;
  e.sizes = links.forest.sizes;
  e.nodes = links.nodes();
  e.dim = 2;
  e.seed = seed;
  e.pools = pools;
  return e;
}

template <class T>
std::shared_ptr<Buffer> buffer_of(const std::vector<T>& values) {
  auto buffer = Buffer::allocate({}, std::max<std::size_t>(1, values.size()) * sizeof(T));
  if (!values.empty()) upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

template <class T>
struct Run {
  std::vector<T> table;
  double loss = 0;
  friend bool operator==(const Run& a, const Run& b) {
    return a.table.size() == b.table.size() &&
           std::memcmp(a.table.data(), b.table.data(), a.table.size() * sizeof(T)) == 0;
  }
};

template <class T>
std::vector<T> start_of(std::int64_t nodes, std::int64_t dim) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> uniform(-0.2, 0.2);
  std::vector<T> out;
  for (std::int64_t i = 0; i < nodes * dim; ++i) out.push_back(static_cast<T>(uniform(random)));
  return out;
}

template <class T>
Run<T> run(const Hierarchy& h, const Epoch& e, std::int64_t dim = 5) {
  const TrainingLinks links("fit", h, true);
  const std::int64_t nodes = links.nodes();
  const auto type = sizeof(T) == 8 ? ElementType::f64 : ElementType::f32;
  Run<T> out{start_of<T>(nodes, dim)};
  const std::vector<double> weights(e.weighted ? static_cast<std::size_t>(nodes) : 0, 1.5);
  const auto offsets = buffer_of(links.links.offsets), loss = buffer_of(std::vector<double>{0});
  const auto ids = buffer_of(links.links.ids), preorder = buffer_of(links.forest.preorder);
  const auto sizes = buffer_of(links.forest.sizes), weight = buffer_of(weights);
  const auto table = buffer_of(out.table);
  const std::array in{operand(*offsets, {1, nodes + 1}, ElementType::i64),
                      operand(*ids, {1, std::ssize(links.links.ids)}, ElementType::i32),
                      operand(*preorder, {1, nodes}, ElementType::i32),
                      operand(*sizes, {1, nodes}, ElementType::i32),
                      operand(*weight, {1, std::ssize(weights)}, ElementType::f64)};
  const std::array outs{operand(*table, {nodes, dim}, type),
                        operand(*loss, {1, 1}, ElementType::f64)};
  const std::array scalars{e.rate, e.scale, e.power, 1.0};
  const std::array<std::int64_t, 10> ints{
      e.seed,   e.epoch,           e.negatives,        e.local,          e.pools,
      e.rounds, e.grouped ? 1 : 0, e.weighted ? 1 : 0, e.racing ? 1 : 0, 0};
  launch(OpId::embed_pools, {.in = in, .out = outs, .scalars = scalars, .ints = ints});
  download(*table, 0, out.table.data(), out.table.size() * sizeof(T));
  download(*loss, 0, &out.loss, sizeof out.loss);
  return out;
}

template <class T>
bool good(const Run<T>& r, std::int64_t dim = 5) {
  if (!std::isfinite(r.loss) || r.loss < 0) return false;
  for (std::size_t i = 0; i < r.table.size(); i += static_cast<std::size_t>(dim)) {
    double square = 0;
    for (std::size_t j = i; j < i + static_cast<std::size_t>(dim); ++j) {
      square += static_cast<double>(r.table[j]) * static_cast<double>(r.table[j]);
    }
    if (!(square < 1)) return false;
  }
  return true;
}

template <class T>
void check_threads(const Epoch& e) {
  CAPTURE(sizeof(T));
  CAPTURE(e.grouped);
  CAPTURE(e.weighted);
  const Hierarchy h = tree(400);
  const int before = thread_count();
  set_thread_count(1);
  const Run<T> one = run<T>(h, e);
  CHECK(good(one));
  CHECK(one.table != start_of<T>(400, 5));
  for (const int threads : {2, 3, 5}) {
    set_thread_count(threads);
    const Run<T> other = run<T>(h, e);
    CHECK(other == one);
    CHECK(other.loss == one.loss);
  }
  set_thread_count(before);
  Epoch seeded = e;
  seeded.seed = 4;
  CHECK(!(run<T>(h, seeded) == one));
  Epoch later = e;
  later.epoch = 2;
  CHECK(!(run<T>(h, later) == one));
}

}  // namespace

TEST_CASE("pools: equal bits for 1, 2, 3 and 5 threads, others for another seed or epoch") {
  for (const bool grouped : {true, false}) {
    for (const bool weighted : {false, true}) {
      check_threads<float>({.grouped = grouped, .weighted = weighted});
      check_threads<double>({.grouped = grouped, .weighted = weighted});
    }
  }
}

TEST_CASE("pools: hogwild with one thread and one pool is the pools mode") {
  const int before = thread_count();
  set_thread_count(1);
  for (const bool grouped : {true, false}) {
    const Epoch e{.pools = 1, .grouped = grouped};
    Epoch racing = e;
    racing.racing = true;
    CHECK(run<float>(tree(300), racing) == run<float>(tree(300), e));
    racing.pools = 4;
    CHECK(good(run<float>(tree(300), racing)));
  }
  set_thread_count(before);
}

TEST_CASE("pools: hierarchies smaller than the negatives, one node, pools of one node") {
  for (const bool grouped : {true, false}) {
    for (const bool racing : {false, true}) {
      for (const std::int64_t pools : {1, 2, 7, 1000}) {
        for (const std::int64_t local : {0, 3, 500}) {
          const Epoch e{.negatives = 200,
                        .local = local,
                        .pools = pools,
                        .grouped = grouped,
                        .racing = racing};
          CAPTURE(pools);
          CAPTURE(local);
          CAPTURE(racing);
          CAPTURE(grouped);
          CHECK(good(run<float>(star(2), e)));
          CHECK(good(run<float>(tree(3), e)));
          CHECK(good(run<float>(star(40), e)));
          CHECK(good(run<double>(tree(30, 2), e)));
        }
        const Run<float> r =
            run<float>(chain(300), {.negatives = 200, .pools = pools, .grouped = grouped});
        CHECK(good(r));
      }
    }
  }
  // Two nodes, one above the other: no negatives, nothing moves.
  const Run<float> two = run<float>(star(2), {.pools = 1});
  CHECK(two.table == start_of<float>(2, 5));
  CHECK(two.loss == 0);
}

TEST_CASE("pools: a node without links is nobody's positive and may be a negative") {
  std::vector<std::int64_t> parents(50, -1);
  for (std::size_t i = 1; i < 25; ++i) parents[i] = 0;
  const Hierarchy h = Hierarchy::from_parents(parents);
  for (const std::int64_t pools : {1, 4}) {
    const Run<float> r = run<float>(h, {.negatives = 60, .pools = pools});
    CHECK(good(r));
    const auto start = start_of<float>(50, 5);
    // All of the pool are drawn, so a lone node moves where a linked one is in its pool.
    CHECK(!std::equal(r.table.end() - 5, r.table.end(), start.end() - 5));
  }
}

TEST_CASE("pool layout: one place a node, subtrees are descendants in the forest") {
  // A graph whose nodes may have two parents: descendants are those of the spanning forest.
  std::vector<std::pair<std::string, std::string>> edges;
  std::mt19937 random(2);
  for (unsigned i = 1; i < 120; ++i) {
    edges.emplace_back(std::to_string(i), std::to_string(random() % i));
    if (i % 5 == 0) edges.emplace_back(std::to_string(i), std::to_string(random() % i));
  }
  std::vector<NamedEdge> rows;
  for (const auto& [child, parent] : edges) rows.push_back({child, parent});
  const TrainingLinks links("fit", Hierarchy::from_edges(rows), true);
  for (const std::int64_t pools : {1, 2, 5, 120}) {
    CAPTURE(pools);
    const cpu::PoolEpoch e = epoch_of(links, pools, 9);
    const cpu::PoolLayout layout(e);
    CHECK(layout.begin(0) == 0);
    CHECK(layout.end(pools - 1) == 120);
    std::vector<int> seen(120, 0);
    for (std::int32_t p = 0; p < 120; ++p) {
      ++seen[static_cast<std::size_t>(layout.node(p))];
      CHECK(layout.place(layout.node(p)) == p);
    }
    CHECK(seen == std::vector<int>(120, 1));
    std::set<std::int32_t> inner(links.links.ids.begin(), links.links.ids.end());
    CHECK(layout.inner_nodes().size() == inner.size());
    for (std::int32_t node = 0; node < 120; ++node) {
      const std::int32_t number = layout.inner(node);
      CHECK((number >= 0) == (inner.count(node) == 1));
      if (number >= 0) CHECK(layout.inner_nodes()[static_cast<std::size_t>(number)] == node);
    }
    for (std::int64_t pool = 0; pool < pools; ++pool) {
      const auto subtrees = layout.subtrees(pool);
      REQUIRE(subtrees.size() == inner.size());
      for (const std::int32_t root : inner) {
        const auto [first, end] = subtrees[static_cast<std::size_t>(layout.inner(root))];
        for (std::int32_t p = layout.begin(pool); p < layout.end(pool); ++p) {
          std::int32_t above = layout.node(p);
          while (above >= 0 && above != root) above = links.forest.parent[std::size_t(above)];
          const std::int32_t place = p - layout.begin(pool);
          CHECK((place >= first && place < end) == (above == root));
        }
      }
    }
  }
}

namespace {

// MAP of the reconstruction of a tree after some epochs.
double map_of(const Hierarchy& h, std::int64_t pools) {
  const TrainingLinks links("fit", h, true);
  const std::int64_t nodes = links.nodes(), dim = 5;
  EmbeddingOptions o;
  o.dim = dim;
  const Schedule schedule(o, nodes);
  const std::vector<double> points = initial_points(links, o, schedule);
  std::vector<float> values(points.begin(), points.end());
  const auto offsets = buffer_of(links.links.offsets), loss = buffer_of(std::vector<double>{0});
  const auto ids = buffer_of(links.links.ids), preorder = buffer_of(links.forest.preorder);
  const auto sizes = buffer_of(links.forest.sizes), weight = buffer_of(std::vector<double>{});
  const auto table = buffer_of(values);
  const auto count = std::ssize(links.links.ids);
  const std::array in{
      operand(*offsets, {1, nodes + 1}, ElementType::i64),
      operand(*ids, {1, count}, ElementType::i32), operand(*preorder, {1, nodes}, ElementType::i32),
      operand(*sizes, {1, nodes}, ElementType::i32), operand(*weight, {1, 0}, ElementType::f64)};
  const std::array out{operand(*table, {nodes, dim}, ElementType::f32),
                       operand(*loss, {1, 1}, ElementType::f64)};
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    const std::array scalars{epoch < 5 ? 0.01 : 0.1, 1.0, 1.0, 1.0};
    const std::array<std::int64_t, 10> ints{7, epoch, 50, 0, pools, 2, 1, 0, 0, 0};
    launch(OpId::embed_pools, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  }
  const auto sums = buffer_of(std::vector<std::int64_t>(static_cast<std::size_t>(nodes)));
  const auto precisions = buffer_of(std::vector<double>(static_cast<std::size_t>(nodes)));
  const std::array ranked{operand(*table, {nodes, dim}, ElementType::f32), in[0], in[1]};
  const std::array figures{operand(*sums, {1, nodes}, ElementType::i64),
                           operand(*precisions, {1, nodes}, ElementType::f64)};
  launch(OpId::embed_ranks, {.in = ranked, .out = figures, .scalars = {}, .ints = {}});
  std::vector<double> all(static_cast<std::size_t>(nodes));
  download(*precisions, 0, all.data(), all.size() * sizeof(double));
  double sum = 0;
  for (const double p : all) sum += p;
  return sum / double(nodes - 1);  // the root has no ancestor
}

}  // namespace

TEST_CASE("pools: four pools learn what one learns") {
  const Hierarchy h = tree(2000);
  const double one = map_of(h, 1), four = map_of(h, 4);
  CAPTURE(one);
  CAPTURE(four);
  CHECK(one > 0.8);
  // Over eight seeds one pool gave 0.873 to 0.881 and four 0.868 to 0.873, the largest difference
  // 0.012; twice that leaves room for other machines' rounding.
  CHECK(std::abs(one - four) < 0.025);
}
