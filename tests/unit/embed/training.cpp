#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "check_error.hpp"
#include "small_fits.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

// What the options of a training promise.
namespace {

// |x_a − x_b| by the rows of `vectors`.
double plain_distance(const std::vector<std::vector<double>>& x, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t j = 0; j < x[a].size(); ++j) sum += (x[a][j] - x[b][j]) * (x[a][j] - x[b][j]);
  return std::sqrt(sum);
}

std::vector<std::vector<double>> rows_of(const Tensor& t) {
  const auto values = t.data();
  std::vector<std::vector<double>> out;
  for (std::int64_t i = 0; i < t.rows(); ++i) {
    out.emplace_back(values.begin() + i * t.cols(), values.begin() + (i + 1) * t.cols());
  }
  return out;
}

// Mean rank and MAP of the closure's pairs by plain Euclidean distances.
std::pair<double, double> plain_figures(const Hierarchy& h,
                                        const std::vector<std::vector<double>>& x) {
  std::map<std::size_t, std::vector<std::size_t>> above;
  const Hierarchy closure = h.closure();
  for (const Edge& e : closure.edges()) {
    above[static_cast<std::size_t>(e.child)].push_back(static_cast<std::size_t>(e.parent));
  }
  double ranks = 0, precisions = 0;
  std::size_t pairs = 0;
  for (const auto& [u, linked] : above) {
    double precision = 0;
    for (const std::size_t v : linked) {
      const double d = plain_distance(x, u, v);
      double closer = 0, hits = 0;
      for (std::size_t w = 0; w < x.size(); ++w) {
        if (w == u) continue;
        const bool hit = std::find(linked.begin(), linked.end(), w) != linked.end();
        const double other = plain_distance(x, u, w);
        if (hit && other <= d) ++hits;
        if (!hit && other < d) ++closer;
      }
      ranks += closer + 1;
      precision += hits / (hits + closer);
      ++pairs;
    }
    precisions += precision / double(linked.size());
  }
  return {ranks / double(pairs), precisions / double(above.size())};
}

// Stopped, saved, loaded and resumed against one run: the files' bytes.
void check_resumed(const Hierarchy& h, const EmbeddingOptions& o, std::int64_t stop) {
  const TemporaryFolder folder;
  fitted(h, o).save(folder.file("whole"));
  HierarchyEmbedding part(o);
  CHECK(!part.fit(h, [&](const EmbeddingProgress& p) { return p.epoch < stop; }));
  part.save(folder.file("part"));
  HierarchyEmbedding back = HierarchyEmbedding::load(folder.file("part"));
  CHECK(back.epochs_done() == stop);
  back.save(folder.file("again"));
  CHECK(read_text(folder.file("again")) == read_text(folder.file("part")));
  CHECK(back.resume(h));
  back.save(folder.file("resumed"));
  CHECK(read_text(folder.file("resumed")) == read_text(folder.file("whole")));
}

}  // namespace

TEST_CASE("lorentz: the poincare training, vectors on the hyperboloid of the curvature") {
  const Hierarchy h = tree(120);
  for (const double curvature : {-1.0, -0.25, -3.0}) {
    EmbeddingOptions o = quick();
    o.curvature = curvature;
    const HierarchyEmbedding ball = fitted(h, o);
    o.manifold = "lorentz";
    const HierarchyEmbedding e = fitted(h, o);
    const Tensor vectors = e.vectors();
    CHECK(vectors.shape() == Shape{120, 5});
    for (const auto& x : rows_of(vectors)) {
      double form = -x[0] * x[0];
      for (std::size_t j = 1; j < x.size(); ++j) form += x[j] * x[j];
      // Rounded coordinates: 2⁻²⁴ of each square, a few of them.
      CHECK(std::abs(form - 1 / curvature) <= 4e-7 * x[0] * x[0]);
    }
    for (const char* a : {"0", "7", "119"}) {
      CHECK(e.distance(a, "64") == ball.distance(a, "64"));
      CHECK(e.nearest(a, 5) == ball.nearest(a, 5));
    }
    CHECK(e.evaluate(h).map == ball.evaluate(h).map);
    CHECK(e.to_poincare().data() == ball.to_poincare().data());
    check_resumed(h, o, 5);
  }
}

TEST_CASE("float64: resumes to one run's bits, keeps its table, learns what float32 learns") {
  const Hierarchy h = tree(150);
  EmbeddingOptions o = quick();
  o.epochs = 40;
  const double narrow = fitted(h, o).evaluate(h).map;
  o.dtype = "float64";
  const HierarchyEmbedding e = fitted(h, o);
  CHECK(std::abs(e.evaluate(h).map - narrow) < 0.05);
  const TemporaryFolder folder;
  e.save(folder.file("e"));
  CHECK(read_text(folder.file("e")).find("wide_vectors") != std::string::npos);
  CHECK(HierarchyEmbedding::load(folder.file("e")).evaluate(h).map == e.evaluate(h).map);
  check_resumed(h, o, 7);
  o.manifold = "euclidean";
  check_resumed(h, o, 7);
}

TEST_CASE("euclidean: distances, neighbours and figures are those of its vectors") {
  const Hierarchy h = tree(100);
  for (const char* dtype : {"float32", "float64"}) {
    CAPTURE(dtype);
    EmbeddingOptions o = quick();
    o.manifold = "euclidean";
    o.epochs = 60;
    o.dtype = dtype;
    const HierarchyEmbedding e = fitted(h, o);
    CHECK(e.vectors().shape() == Shape{100, 4});
    CHECK(all_finite(e));
    const auto x = rows_of(e.vectors());
    for (std::size_t a = 0; a < 100; a += 9) {
      const std::string name = std::to_string(a);
      std::vector<std::pair<double, std::size_t>> order;
      for (std::size_t b = 0; b < 100; ++b) {
        if (b != a) order.emplace_back(plain_distance(x, a, b), b);
        CHECK(e.distance(name, std::to_string(b)) ==
              doctest::Approx(plain_distance(x, a, b)).epsilon(1e-5));
      }
      std::sort(order.begin(), order.end());
      const auto near = e.nearest(name, 99);
      for (std::size_t k = 0; k < near.size(); ++k) {
        CHECK(near[k].second == doctest::Approx(order[k].first).epsilon(1e-5));
        const double own = plain_distance(x, a, std::stoul(near[k].first));
        CHECK(near[k].second == doctest::Approx(own).epsilon(1e-5));
      }
    }
    const auto [mean_rank, map] = plain_figures(h, x);
    const auto got = e.evaluate(h);
    CHECK(got.mean_rank == doctest::Approx(mean_rank).epsilon(1e-4));
    CHECK(got.map == doctest::Approx(map).epsilon(1e-4));
    CHECK(map > 0.5);
  }
}

TEST_CASE("euclidean: hyperbolic questions are unsupported") {
  EmbeddingOptions o = quick();
  o.manifold = "euclidean";
  const HierarchyEmbedding e = fitted(tree(20), o);
  check_error(Errc::unsupported, [&] { (void)e.score("3", "0"); });
  check_error(Errc::unsupported, [&] { (void)e.to_lorentz(); });
  check_error(Errc::unsupported, [&] { (void)e.to_poincare(); });
  check_error(Errc::unsupported, [&] { (void)e.ancestors_guess("3", 2); });
  check_error(Errc::unsupported, [&] { (void)e.to_module(); });
}

TEST_CASE("edges as given: held-out links are ranked better than before training") {
  const auto [train, test] = tree(200).split(0.2, 3);
  EmbeddingOptions o = quick();
  o.closure = false;
  o.init = "uniform";
  o.dim = 5;
  o.epochs = 1;
  o.lr = 1e-12;
  const auto before = fitted(train, o).evaluate_links(train, test);
  o.epochs = 100;
  o.lr = 0.1;
  const HierarchyEmbedding e = fitted(train, o);
  const auto after = e.evaluate_links(train, test);
  CHECK(std::isfinite(after.map));
  CHECK(after.mean_rank < before.mean_rank / 4);
  CHECK(after.map > 4 * before.map);
  o.closure = true;  // brings the held-out edges back
  CHECK(fitted(train, o).vectors().data() != e.vectors().data());
  check_resumed(train, o, 4);
}

TEST_CASE("save and load keep every option of the training") {
  EmbeddingOptions o = quick();
  o.manifold = "lorentz";
  o.curvature = -2.0;
  o.objective = "focused";
  o.loss_power = 1.75;
  o.local_negatives = 7;
  o.local_from = 0.125;
  o.negatives = 31;
  o.dtype = "float64";
  o.mode = "hogwild";
  o.closure = false;
  o.grouped = false;
  o.sampling_power = 0.5;
  const TemporaryFolder folder;
  fitted(tree(20), o).save(folder.file("e"));
  const EmbeddingOptions got = HierarchyEmbedding::load(folder.file("e")).options();
  CHECK(got.manifold == o.manifold);
  CHECK(got.curvature == o.curvature);
  CHECK(got.objective == o.objective);
  CHECK(got.loss_power == o.loss_power);
  CHECK(got.local_negatives == o.local_negatives);
  CHECK(got.local_from == o.local_from);
  CHECK(got.negatives == o.negatives);
  CHECK(got.dtype == o.dtype);
  CHECK(got.mode == o.mode);
  CHECK(got.closure == o.closure);
  CHECK(got.grouped == o.grouped);
  CHECK(got.sampling_power == o.sampling_power);
  CHECK(got.seed == o.seed);
  // "auto" is kept as what it was: the file names no device.
  fitted(tree(20), quick()).save(folder.file("auto"));
  CHECK(HierarchyEmbedding::load(folder.file("auto")).options().mode == "pools");
}

TEST_CASE("a file of format 1 has none of the newer options and goes on in batches") {
  const Hierarchy h = tree(60);
  EmbeddingOptions o = quick();
  o.mode = "batch";
  const HierarchyEmbedding whole = fitted(h, o);
  HierarchyEmbedding part(o);
  CHECK(!part.fit(h, [](const EmbeddingProgress& p) { return p.epoch < 5; }));
  const TemporaryFolder folder;
  part.save(folder.file("two"));
  std::string bytes = read_text(folder.file("two"));
  const auto swap = [&](const std::string& from, const std::string& to) {
    REQUIRE(from.size() == to.size());
    REQUIRE(bytes.find(from) != std::string::npos);
    bytes.replace(bytes.find(from), from.size(), to);
  };
  swap("spiraltorch.embedding/2", "spiraltorch.embedding/1");
  for (const std::string key :
       {"mode", "objective", "loss_power", "local_negatives", "local_from", "closure"}) {
    swap("\\\"" + key + "\\\":", "\\\"" + std::string(key.size(), '_') + "\\\":");
  }
  folder.write("one", bytes);
  HierarchyEmbedding back = HierarchyEmbedding::load(folder.file("one"));
  CHECK(back.options().mode == "batch");
  CHECK(back.options().objective == "papers");
  CHECK(back.options().closure);
  CHECK(back.epochs_done() == 5);
  CHECK(back.resume(h));
  CHECK(back.vectors().data() == whole.vectors().data());
}

TEST_CASE("stopped and resumed: focused, local negatives, one pool and two") {
  EmbeddingOptions o = quick();
  o.objective = "focused";
  o.local_negatives = 9;
  o.local_from = 0.3;
  for (const bool grouped : {true, false}) {
    o.grouped = grouped;
    for (const std::int64_t stop : {1, 5, 9}) check_resumed(tree(200), o, stop);
  }
  // Enough nodes for two pools.
  o.dim = 2;
  o.negatives = 12;
  o.local_negatives = 3;
  o.epochs = 2;
  o.burn_in = 1;
  o.local_from = 0.0;
  o.grouped = true;
  const Hierarchy large = tree(42000, 40);
  check_resumed(large, o, 2);
  o.threads = 1;
  const auto one = fitted(large, o).vectors().data();
  o.threads = 2;
  CHECK(fitted(large, o).vectors().data() == one);
}

TEST_CASE("focused gives better ranks than the papers' objective") {
  const Hierarchy h = tree(1000);
  EmbeddingOptions o;
  o.dim = 5;
  o.epochs = 150;
  const auto papers = fitted(h, o).evaluate(h);
  o.objective = "focused";
  const auto focused = fitted(h, o).evaluate(h);
  CAPTURE(papers.mean_rank);
  CAPTURE(focused.mean_rank);
  CHECK(focused.mean_rank < papers.mean_rank);
  CHECK(focused.mean_rank < 1.5);
}

TEST_CASE("hogwild learns with one thread and with several") {
  const Hierarchy h = tree(300);
  EmbeddingOptions o = quick();
  o.epochs = 80;
  o.mode = "hogwild";
  for (const int threads : {1, 3}) {
    o.threads = threads;
    const HierarchyEmbedding e = fitted(h, o);
    CHECK(all_finite(e));
    CHECK(e.evaluate(h).map > 0.8);
  }
}
