#include "spiraltorch/embed/embedding.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "check_error.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "temporary.hpp"
#include "trees.hpp"

using namespace spiraltorch;

namespace {

const Hierarchy& mammals() {
  static const Hierarchy h =
      Hierarchy::from_csv(std::string(SPIRALTORCH_SOURCE_DIR) + "/data/wordnet_mammals.tsv");
  return h;
}

EmbeddingOptions quick(std::uint64_t seed = 0) {
  EmbeddingOptions o;
  o.dim = 4;
  o.epochs = 8;
  o.burn_in = 2;
  o.seed = seed;
  return o;
}

std::vector<float> trained(const Hierarchy& h, EmbeddingOptions o, int threads) {
  o.threads = threads;
  HierarchyEmbedding e(o);
  CHECK(e.fit(h));
  return e.vectors().data();
}

}  // namespace

TEST_CASE("equal bits for 1, 2 and 5 threads, other bits for another seed") {
  for (const bool grouped : {true, false}) {
    EmbeddingOptions o = quick();
    o.grouped = grouped;
    const Hierarchy tree = binary_tree(300);
    const auto one = trained(tree, o, 1);
    CHECK(trained(tree, o, 2) == one);
    CHECK(trained(tree, o, 5) == one);
    o.seed = 1;
    CHECK(trained(tree, o, 2) != one);
  }
}

TEST_CASE("mammals in the plane: MAP >= 0.94, mean rank <= 1.25, for both objectives") {
  for (const char* objective : {"papers", "focused"}) {
    HierarchyEmbedding e({.dim = 2, .objective = objective});
    CHECK(e.fit(mammals()));
    const auto result = e.evaluate(mammals());
    CHECK(result.map >= 0.94);
    CHECK(result.mean_rank <= 1.25);
  }
}

TEST_CASE(
    "mammals in 5 dimensions: MAP >= 0.95, mean rank <= 1.3, equal bits for 1 and 2 threads") {
  EmbeddingOptions o;
  o.dim = 5;
  o.threads = 2;
  HierarchyEmbedding e(o);
  CHECK(e.fit(mammals()));
  const auto result = e.evaluate(mammals());
  CHECK(result.map >= 0.95);
  CHECK(result.mean_rank <= 1.3);
  CHECK(result.pairs == 6542);
  CHECK(result.nodes == 1181);
  CHECK(trained(mammals(), o, 1) == e.vectors().data());
}

TEST_CASE("evaluation equals brute force") {
  HierarchyEmbedding e(quick());
  const Hierarchy tree = binary_tree(40);
  e.fit(tree);
  const Hierarchy closure = tree.closure();
  const auto d = PoincareBall(-1.0).dist_matrix(e.vectors()).tolist();
  std::map<std::int32_t, std::vector<std::int32_t>> linked;
  for (const Edge& edge : closure.edges()) linked[edge.child].push_back(edge.parent);
  double ranks = 0, precisions = 0;
  for (const auto& [u, above] : linked) {
    // Research code's way: all other nodes sorted by distance, precision at each hit.
    std::vector<std::pair<double, bool>> order;
    for (std::int32_t v = 0; v < 40; ++v) {
      const bool hit = std::find(above.begin(), above.end(), v) != above.end();
      if (v != u) order.emplace_back(d[std::size_t(u)][std::size_t(v)], hit);
    }
    std::sort(order.begin(), order.end());
    double hits = 0, precision = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (!order[i].second) continue;
      ++hits;
      precision += hits / double(i + 1);
      ranks += double(i + 1) - hits + 1;
    }
    precisions += precision / hits;
  }
  const auto result = e.evaluate(tree);
  CHECK(result.map == doctest::Approx(precisions / double(linked.size())).epsilon(1e-9));
  CHECK(result.mean_rank == doctest::Approx(ranks / double(closure.edges().size())).epsilon(1e-9));
  double weighted = 0;
  for (const auto& [depth, level] : result.per_depth) weighted += level.map * double(level.nodes);
  CHECK(weighted / double(result.nodes) == doctest::Approx(result.map));
}

TEST_CASE("training lowers the loss and reports its progress") {
  std::vector<double> losses;
  HierarchyEmbedding e(quick());
  e.fit(binary_tree(100), [&](const EmbeddingProgress& p) {
    losses.push_back(p.loss);
    CHECK(p.epochs == 10);
    CHECK(p.epoch == std::ssize(losses));
    CHECK(p.pairs_per_second > 0);
    return true;
  });
  REQUIRE(losses.size() == 10);
  CHECK(losses.back() < losses.front());
  CHECK(e.epochs_done() == 10);
}

TEST_CASE("a stopped, saved, loaded and resumed training gives the bits of one run") {
  const TemporaryFolder folder;
  const Hierarchy tree = binary_tree(120);
  for (const double curvature : {-1.0, -0.5}) {
    EmbeddingOptions o = quick(5);
    o.curvature = curvature;
    HierarchyEmbedding whole(o);
    whole.fit(tree);
    HierarchyEmbedding part(o);
    CHECK(!part.fit(tree, [](const EmbeddingProgress& p) { return p.epoch < 4; }));
    CHECK(part.epochs_done() == 4);
    part.save(folder.file("part.safetensors"));
    HierarchyEmbedding back = HierarchyEmbedding::load(folder.file("part.safetensors"));
    CHECK(back.vectors().data() == part.vectors().data());
    CHECK(back.names() == part.names());
    CHECK(back.resume(tree));
    CHECK(back.vectors().data() == whole.vectors().data());
  }
  HierarchyEmbedding other(quick());
  check_error(Errc::empty_input, [&] { (void)other.resume(tree); });
  other.fit(tree);
  check_error(Errc::invalid_value, [&] { (void)other.resume(binary_tree(121)); });
}

TEST_CASE("curvature scales vectors and distances") {
  EmbeddingOptions o = quick();
  o.curvature = -4.0;
  HierarchyEmbedding e(o);
  e.fit(binary_tree(30));
  CHECK(e.vectors().norm(Axis::cols).max().item() < 0.5);
  const double d = e.vectors().row(3).hyperbolic_distance(e.vectors().row(9), -4.0);
  CHECK(e.distance("3", "9") == doctest::Approx(d).epsilon(1e-5));
}

TEST_CASE("neighbours are sorted and leave the node itself out") {
  HierarchyEmbedding e(quick());
  e.fit(binary_tree(50));
  const auto near = e.nearest("7", 49);
  REQUIRE(near.size() == 49);
  for (std::size_t i = 0; i < near.size(); ++i) {
    CHECK(near[i].first != "7");
    CHECK(near[i].second == doctest::Approx(e.distance("7", near[i].first)).epsilon(1e-5));
    if (i > 0) CHECK(near[i - 1].second <= near[i].second);
  }
  check_error(Errc::invalid_value, [&] { (void)e.nearest("7", 0); });
  check_error(Errc::invalid_value, [&] { (void)e.nearest("7", 50); });
  check_error(Errc::out_of_range, [&] { (void)e.nearest("x", 1); });
  check_error(Errc::out_of_range, [&] { (void)e.distance("7", "x"); });
  check_error(Errc::out_of_range, [&] { (void)e.evaluate(Hierarchy::from_edges({{"x", "y"}})); });
}

TEST_CASE("files that are absent, cut, foreign or not writable") {
  const TemporaryFolder folder;
  HierarchyEmbedding e(quick());
  check_error(Errc::empty_input, [&] { e.save(folder.file("x")); });
  check_error(Errc::empty_input, [&] { (void)e.vectors(); });
  e.fit(binary_tree(20));
  const std::string path = folder.file("e.safetensors");
  e.save(path);
  const std::string bytes = read_text(path);
  const auto load = [&](const std::string& content) {
    folder.write("bad", content);
    return [&] { (void)HierarchyEmbedding::load(folder.file("bad")); };
  };
  check_error(Errc::io, [&] { (void)HierarchyEmbedding::load(folder.file("absent")); });
  check_error(Errc::io, load(""));
  check_error(Errc::io, load(bytes.substr(0, 40)));
  check_error(Errc::io, load(bytes.substr(0, bytes.size() - 4)));
  check_error(Errc::io, load(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 8) + bytes));
  check_error(Errc::io, load(std::string("\x02\0\0\0\0\0\0\0{}", 10)));
  check_error(Errc::io, load(std::string("\x02\0\0\0\0\0\0\0[}", 10)));
  std::string foreign = bytes;
  foreign.replace(foreign.find("spiraltorch.embedding/2"), 23, "spiraltorch.embedding/9");
  check_error(Errc::io, load(foreign));
  std::string unfit = bytes;
  unfit.replace(unfit.find(R"(\"dim\":4)"), 9, R"(\"dim\":0)");
  check_error(Errc::io, load(unfit));
  std::string outside = bytes;
  outside.replace(outside.size() - 4, 4, std::string("\x00\x00\x80\x3F", 4));  // 1.0
  check_error(Errc::io, load(outside));
  check_error(Errc::io, [&] { e.save("/nonexistent/folder/e.safetensors"); });
  check_error(Errc::io, [&] { e.export_csv("/nonexistent/folder/e.csv"); });
  CHECK(read_text(path) == bytes);
  e.export_csv(folder.file("e.csv"));
  const std::string csv = read_text(folder.file("e.csv"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 20);
  CHECK(csv.substr(0, 2) == "0,");
}

TEST_CASE("coordinates that stop being finite end the training, the last good table kept") {
  const TemporaryFolder folder;
  HierarchyEmbedding e(quick());
  const Hierarchy tree = binary_tree(20);
  e.fit(tree, [](const EmbeddingProgress& p) { return p.epoch < 3; });
  e.save(folder.file("e"));
  std::string bytes = read_text(folder.file("e"));
  const std::size_t row = 6;  // the table is the file's end; its floats of node row 6 become NaN
  const std::size_t at = bytes.size() - (20 - row) * 4 * sizeof(float);
  bytes.replace(at, 4, std::string("\x00\x00\xC0\x7F", 4));
  folder.write("nan", bytes);
  HierarchyEmbedding broken = HierarchyEmbedding::load(folder.file("nan"));
  const auto before = broken.vectors().data();
  try {
    (void)broken.resume(tree);
    FAIL("went on");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::non_finite);
    CHECK(std::string(error.what()).find("in epoch 4") != std::string::npos);
    CHECK(std::string(error.what()).find("of '") != std::string::npos);
  }
  CHECK(broken.epochs_done() == 3);
  check_error(Errc::non_finite, [&] { (void)broken.evaluate(tree); });
  check_error(Errc::non_finite, [&] { (void)broken.nearest("0", 3); });
  check_error(Errc::non_finite, [&] { (void)broken.distance("0", "1"); });
  CHECK(std::equal(before.begin(), before.begin() + 24, broken.vectors().data().begin()));
}

TEST_CASE("small and large curvatures train to finite figures") {
  const Hierarchy tree = binary_tree(60);
  for (const double curvature : {-1e-12, -1e-4, -1e12}) {
    EmbeddingOptions o = quick();
    o.curvature = curvature;
    double loss = NAN;
    HierarchyEmbedding e(o);
    CHECK(e.fit(tree, [&](const EmbeddingProgress& p) {
      loss = p.loss;
      return true;
    }));
    CAPTURE(curvature);
    CHECK(std::isfinite(loss));
    CHECK(std::isfinite(e.evaluate(tree).map));
  }
}

TEST_CASE("a fit that cannot start leaves the embedding as it was") {
  EmbeddingOptions o = quick();
  o.device = "cuda:7";
  HierarchyEmbedding e(o);
  set_strict(true);
  check_error(Errc::device, [&] { (void)e.fit(binary_tree(20)); });
  set_strict(false);
  CHECK(!e.is_fitted());
  CHECK(e.names().empty());
}

TEST_CASE("uniform start and weighted burn-in train as well") {
  EmbeddingOptions o = quick();
  o.init = "uniform";
  o.epochs = 60;
  o.sampling_power = 0.75;
  HierarchyEmbedding e(o);
  e.fit(binary_tree(60));
  CHECK(e.evaluate(binary_tree(60)).map > 0.6);
}

TEST_CASE("options are checked") {
  const auto with = [](auto change) {
    return [change] {
      EmbeddingOptions o;
      change(o);
      (void)HierarchyEmbedding(o);
    };
  };
  check_error(Errc::invalid_value, with([](auto& o) { o.dim = 0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.epochs = 0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.batch = 0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.negatives = 0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.burn_in = -1; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.lr = 0.0; }));
  check_error(Errc::non_finite, with([](auto& o) { o.lr = NAN; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.init_radius = 1.0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.sampling_power = -1; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.init = "random"; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.manifold = "sphere"; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.dtype = "int8"; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.threads = 0; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.threads = 1025; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.mode = "fast"; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.objective = "best"; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.loss_power = 0.5; }));
  check_error(Errc::non_finite, with([](auto& o) { o.loss_power = NAN; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.local_negatives = -1; }));
  check_error(Errc::invalid_value, with([](auto& o) { o.local_from = 1.5; }));
  for (const char* device : {"cpu", "wgpu"}) {  // batches have the papers' objective in float32
    const auto batch = [&](auto change) {
      return with([=](auto& o) {
        o.device = device;
        o.mode = "batch";
        change(o);
      });
    };
    check_error(Errc::unsupported, batch([](auto& o) { o.dtype = "float64"; }));
    check_error(Errc::unsupported, batch([](auto& o) { o.manifold = "euclidean"; }));
    check_error(Errc::unsupported, batch([](auto& o) { o.objective = "focused"; }));
    check_error(Errc::unsupported, batch([](auto& o) { o.loss_power = 2.0; }));
    check_error(Errc::unsupported, batch([](auto& o) { o.local_negatives = 5; }));
  }
  check_error(Errc::unsupported, with([](auto& o) {
                o.device = "wgpu";
                o.mode = "pools";
              }));
  check_error(Errc::invalid_value, with([](auto& o) {
                o.manifold = "euclidean";
                o.curvature = -2.0;
              }));
  check_error(Errc::curvature, with([](auto& o) { o.curvature = 1.0; }));
  CHECK(HierarchyEmbedding(quick()).repr() ==
        "HierarchyEmbedding(dim=4, manifold='poincare', curvature=-1, nodes=0)");
}
