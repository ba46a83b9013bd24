#include <array>

#include "conformance.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "temporary.hpp"

using namespace conformance;
using spiraltorch::ElementType;
using spiraltorch::OpId;

namespace {

In wide_ints(const std::vector<std::int64_t>& values, std::int64_t rows = 1) {
  const auto n = static_cast<std::int64_t>(values.size()) / rows;
  In out{rows, n, {}, n, 1, ElementType::i64};
  for (const std::int64_t v : values) {
    out.words.push_back(static_cast<std::uint32_t>(v));
    out.words.push_back(static_cast<std::uint32_t>(v >> 32));
  }
  return out;
}

In ints(const std::vector<std::int32_t>& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  In out{1, n, {}, n, 1, ElementType::i32};
  for (const std::int32_t v : values) out.words.push_back(static_cast<std::uint32_t>(v));
  return out;
}

In doubles(const std::vector<double>& values) {
  std::vector<std::int64_t> bits;
  for (const double v : values) bits.push_back(std::bit_cast<std::int64_t>(v));
  In out = wide_ints(bits);
  out.type = ElementType::f64;
  return out;
}

struct Links {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> linked;
};

// Ancestors in a random tree; node `full` is linked to all nodes but one.
Links tree(std::int32_t nodes, unsigned seed, std::int32_t full = -1) {
  std::mt19937 engine(seed);
  std::vector<std::vector<std::int32_t>> above(static_cast<std::size_t>(nodes));
  Links out;
  for (std::int32_t i = 0; i < nodes; ++i) {
    auto& mine = above[static_cast<std::size_t>(i)];
    if (i > 0) {
      const auto parent = static_cast<std::int32_t>(engine() % static_cast<unsigned>(i));
      mine = above[static_cast<std::size_t>(parent)];
      mine.push_back(parent);
    }
    std::vector<std::int32_t> linked = mine;
    if (i == full) {
      linked.clear();
      for (std::int32_t v = 0; v + 1 < nodes; ++v) {
        if (v != i) linked.push_back(v);
      }
    }
    out.linked.insert(out.linked.end(), linked.begin(), linked.end());
    out.offsets.push_back(std::ssize(out.linked));
  }
  return out;
}

// Points of norms up to `radius`, most of them near the edge.
In points(std::int64_t nodes, std::int64_t dim, unsigned seed, double radius = 0.95) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> draw;
  std::uniform_real_distribution<double> size(0.0, 1.0);
  std::vector<float> values;
  for (std::int64_t i = 0; i < nodes; ++i) {
    std::vector<double> x(static_cast<std::size_t>(dim));
    double squares = 0.0;
    for (double& v : x) {
      v = draw(engine);
      squares += v * v;
    }
    const double norm = radius * std::sqrt(size(engine));
    for (const double v : x) values.push_back(static_cast<float>(v * norm / std::sqrt(squares)));
  }
  return floats(nodes, dim, values);
}

struct Case {
  std::int32_t nodes = 60;
  std::int64_t dim = 5;
  std::int64_t batch = 8;
  std::int64_t items = 8;
  std::int64_t negatives = 20;
  bool grouped = true;
  bool weighted = false;
  double scale = 1.0;
  std::int32_t full = -1;
  double radius = 0.95;
  double rate = 0.05;
  std::int64_t seed = 0x123456789ABCDEF;
};

struct Trained {
  std::vector<float> table;
  double loss = 0.0;
};

std::vector<std::int32_t> items_of(const Case& c, const Links& links) {
  std::vector<std::int32_t> all;
  for (std::int32_t i = 0; i < (c.grouped ? c.nodes : std::ssize(links.linked)); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!c.grouped || links.offsets[at] < links.offsets[at + 1]) all.push_back(i);
  }
  std::shuffle(all.begin(), all.end(), std::mt19937(5));
  all.resize(std::min(all.size(), static_cast<std::size_t>(c.items)));
  if (c.full >= 0 && c.grouped) all[0] = c.full;
  return all;
}

Trained train(spiraltorch::DeviceId device, const Case& c) {
  const Links links = tree(c.nodes, 1, c.full);
  std::vector<double> cumulative{0.0, 0.0, 0.0};  // nodes that are never drawn
  std::mt19937 engine(2);
  while (std::ssize(cumulative) < c.nodes) {
    cumulative.push_back(cumulative.back() + std::pow(static_cast<double>(1 + engine() % 9), 0.75));
  }
  cumulative.resize(static_cast<std::size_t>(c.nodes));
  const In start = points(c.nodes, c.dim, 3, c.radius);
  const std::vector<In> in{wide_ints(links.offsets), ints(links.linked), ints(items_of(c, links)),
                           doubles(cumulative)};
  const std::vector<Out> out{{{c.nodes, c.dim}, ElementType::f32, start.words},
                             {{1, 1}, ElementType::f64}};
  const auto result = run(device, OpId::embed_train, in, out, {c.rate / c.scale, c.scale},
                          {c.seed, 3, c.batch, c.negatives, c.grouped ? 1 : 0, c.weighted ? 1 : 0});
  return {as_floats(result[0]), as_doubles(result[1])[0]};
}

void check_training(const Case& c, double tolerance = 2e-7) {
  CAPTURE(c.nodes);
  CAPTURE(c.dim);
  CAPTURE(c.items);
  CAPTURE(c.negatives);
  CAPTURE(c.grouped);
  CAPTURE(c.weighted);
  CAPTURE(c.scale);
  const Trained expected = train(kCpu, c);
  const Trained got = train(kWgpu, c);
  CHECK(distance(got.loss, expected.loss, 1e-11, 1e-30) <= 1.0);
  check_close(got.table, expected.table, 0.0, tolerance);
  CHECK(train(kWgpu, c).table == got.table);
}

}  // namespace

TEST_CASE("embed_train: one batch, each kind of draw") {
  if (!adapter_here()) return;
  for (const bool grouped : {true, false}) {
    for (const bool weighted : {false, true}) {
      for (const double scale : {1.0, 3.0}) {
        check_training({.grouped = grouped, .weighted = weighted, .scale = scale});
      }
    }
  }
}

TEST_CASE("embed_train: dimensions") {
  if (!adapter_here()) return;
  for (const std::int64_t dim : {1, 2, 10, 64, 150}) check_training({.dim = dim});
}

TEST_CASE("embed_train: many negatives, few nodes, wide scales, near the edge") {
  if (!adapter_here()) return;
  check_training({.negatives = 700});
  check_training({.nodes = 4, .items = 3, .negatives = 5});
  check_training({.batch = 1, .items = 1, .negatives = 1});
  check_training({.items = 0});
  check_training({.scale = 2000.0});
  check_training({.scale = 1e-3});
  check_training({.radius = 0.99999});
  check_training({.radius = 0.0});  // coincident: no gradients
  for (const double rate : {1e-300, 1e-3, 10.0, 1e30, 1e300}) check_training({.rate = rate});
  check_training({.seed = -1});
}

TEST_CASE("embed_train: a node linked to nearly all others") {
  if (!adapter_here()) return;
  for (const double scale : {1.0, 3.0}) {
    check_training({.nodes = 300, .batch = 4, .items = 4, .scale = scale, .full = 299});
    check_training({.nodes = 300, .items = 4, .negatives = 3, .scale = scale, .full = 150});
  }
}

TEST_CASE("embed_train: several batches, the last one short") {
  if (!adapter_here()) return;
  check_training({.nodes = 200, .batch = 32, .items = 150, .negatives = 50}, 2e-6);
  check_training({.nodes = 200, .batch = 64, .items = 500, .negatives = 10, .grouped = false},
                 2e-6);
}

TEST_CASE("embed_ranks") {
  if (!adapter_here()) return;
  const auto check = [](std::int32_t nodes, std::int64_t dim, std::int32_t full, double radius) {
    CAPTURE(nodes);
    CAPTURE(dim);
    const Links links = tree(nodes, 4, full);
    const std::vector<In> in{points(nodes, dim, 5, radius), wide_ints(links.offsets),
                             ints(links.linked)};
    const std::vector<Out> out{{{1, nodes}, ElementType::i64}, {{1, nodes}, ElementType::f64}};
    const auto expected = run(kCpu, OpId::embed_ranks, in, out);
    const auto got = run(kWgpu, OpId::embed_ranks, in, out);
    CHECK(as_u64(got[0]) == as_u64(expected[0]));
    check_close(as_doubles(got[1]), as_doubles(expected[1]), 1e-12, 0.0);
  };
  check(2, 1, -1, 0.9);
  check(60, 2, -1, 0.95);
  check(300, 5, 150, 0.95);
  check(1200, 3, 600, 0.95);
  check(257, 64, -1, 0.99999);
}

TEST_CASE("embed_ranks: nodes left out") {
  if (!adapter_here()) return;
  constexpr std::int32_t kNodes = 300;
  Links links = tree(kNodes, 4, 150);
  for (std::int32_t u = 0; u < kNodes; ++u) {  // what follows a node, where it is not linked
    links.offsets.push_back(std::ssize(links.linked));
    const auto first = links.linked.begin() + links.offsets[static_cast<std::size_t>(u)];
    const auto last = links.linked.begin() + links.offsets[static_cast<std::size_t>(u) + 1];
    const std::vector<std::int32_t> mine(first, last);
    for (std::int32_t v = u + 1; v < std::min(u + 6, kNodes); ++v) {
      if (!std::binary_search(mine.begin(), mine.end(), v)) links.linked.push_back(v);
    }
  }
  links.offsets.push_back(std::ssize(links.linked));
  const std::vector<In> in{points(kNodes, 5, 5, 0.95), wide_ints(links.offsets, 2),
                           ints(links.linked)};
  const std::vector<Out> out{{{1, kNodes}, ElementType::i64}, {{1, kNodes}, ElementType::f64}};
  const auto expected = run(kCpu, OpId::embed_ranks, in, out);
  const auto got = run(kWgpu, OpId::embed_ranks, in, out);
  CHECK(as_u64(got[0]) == as_u64(expected[0]));
  check_close(as_doubles(got[1]), as_doubles(expected[1]), 1e-12, 0.0);
  const std::vector<In> all{in[0], wide_ints({links.offsets.begin(), links.offsets.begin() + 301}),
                            in[2]};
  CHECK(as_u64(run(kCpu, OpId::embed_ranks, all, out)[0]) != as_u64(expected[0]));
}

TEST_CASE("embed_ranks: coincident nodes tie") {
  if (!adapter_here()) return;
  // Four places, each held by many nodes: a node linked to more than a chunk of hits.
  constexpr std::int64_t kNodes = 1500;
  std::vector<float> values;
  for (std::int64_t i = 0; i < kNodes; ++i) {
    values.push_back(0.2F * static_cast<float>(i % 4));
    values.push_back(0.1F);
  }
  Links links;
  for (std::int32_t v = 1; v < 1400; ++v) {
    if (v % 5 != 0) links.linked.push_back(v);
  }
  for (std::int64_t i = 0; i < kNodes; ++i) links.offsets.push_back(std::ssize(links.linked));
  const std::vector<In> in{floats(kNodes, 2, values), wide_ints(links.offsets), ints(links.linked)};
  const std::vector<Out> out{{{1, kNodes}, ElementType::i64}, {{1, kNodes}, ElementType::f64}};
  const auto expected = run(kCpu, OpId::embed_ranks, in, out);
  const auto got = run(kWgpu, OpId::embed_ranks, in, out);
  CHECK(as_u64(got[0]) == as_u64(expected[0]));
  check_close(as_doubles(got[1]), as_doubles(expected[1]), 1e-12, 0.0);
}

namespace {

// Questions to an embedding on the device, answered as by its copy on the host.
void check_use(const spiraltorch::HierarchyEmbedding& there) {
  using namespace spiraltorch;
  const TemporaryFolder folder;
  there.save(folder.file("e"));
  const HierarchyEmbedding here = HierarchyEmbedding::load(folder.file("e"));
  REQUIRE(here.to_poincare().device().is_cpu());
  CHECK(there.to_lorentz().device() == kWgpu);
  CHECK(there.to_lorentz().data() == here.to_lorentz().data());
  CHECK(there.to_poincare().data() == here.to_poincare().data());
  CHECK(there.to_module()->weight().device() == kWgpu);
  const std::vector<std::string> some(here.names().begin(), here.names().begin() + 5);
  const auto got = there.nearest_many(some, 4);
  const auto want = here.nearest_many(some, 4);
  CHECK(got.indices.device() == kWgpu);
  CHECK(got.indices.data() == want.indices.data());
  const auto distances = got.distances.data();
  for (std::size_t i = 0; i < distances.size(); ++i) {
    CHECK(distances[i] == doctest::Approx(want.distances.data()[i]).epsilon(1e-6));
  }
  const auto guesses = there.ancestors_guess(some[3], 3);
  CHECK(guesses[0].first == here.ancestors_guess(some[3], 3)[0].first);
  CHECK(there.score(some[1], some[2]) ==
        doctest::Approx(here.score(some[1], some[2])).epsilon(1e-6));
  const Hierarchy train = Hierarchy::from_edges({{some[0], some[1]}, {some[2], some[1]}});
  const Hierarchy test = Hierarchy::from_edges({{some[0], some[3]}, {some[4], some[1]}});
  CHECK(there.evaluate_links(train, test).mean_rank == here.evaluate_links(train, test).mean_rank);
}

}  // namespace

TEST_CASE("HierarchyEmbedding trains on WebGPU as on the CPU") {
  if (!adapter_here()) return;
  using namespace spiraltorch;
  const auto mammals =
      Hierarchy::from_csv(std::string(SPIRALTORCH_SOURCE_DIR) + "/data/wordnet_mammals.tsv");
  for (const bool grouped : {true, false}) {
    EmbeddingOptions options{
        .dim = 5, .curvature = -0.5, .epochs = 2, .burn_in = 1, .sampling_power = 0.75};
    options.mode = "batch";  // the CPU's own way is another
    options.grouped = grouped;
    if (!grouped) options.negatives = 10;
    std::vector<double> losses[2];
    std::vector<HierarchyEmbedding> trained;
    for (const char* device : {"cpu", "wgpu"}) {
      options.device = device;
      auto& mine = losses[trained.size()];
      HierarchyEmbedding& embedding = trained.emplace_back(options);
      embedding.fit(mammals, [&](const EmbeddingProgress& progress) {
        mine.push_back(progress.loss);
        return true;
      });
    }
    CHECK(trained[1].vectors().device() == kWgpu);
    CHECK(losses[1].back() < losses[1].front());
    check_close(losses[1], losses[0], 1e-4, 0.0);
    const auto expected = trained[0].evaluate(mammals);
    const auto got = trained[1].evaluate(mammals);
    CHECK(std::abs(got.map - expected.map) <= 0.01);
    CHECK(std::abs(got.mean_rank / expected.mean_rank - 1.0) <= 0.01);
    const auto& name = trained[0].names()[7];
    CHECK(trained[1].nearest(name, 1)[0].first == trained[0].nearest(name, 1)[0].first);
    check_use(trained[1]);
  }
}
