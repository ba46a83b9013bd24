#include <cmath>
#include <cstring>

#include "check_error.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/geometry/lorentz.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "temporary.hpp"
#include "trees.hpp"

using namespace spiraltorch;

namespace {

HierarchyEmbedding trained(const Hierarchy& h, std::int64_t dim, double curvature = -1.0) {
  EmbeddingOptions o;
  o.dim = dim;
  o.curvature = curvature;
  o.epochs = 1;
  o.burn_in = 0;
  HierarchyEmbedding e(o);
  e.fit(h);
  return e;
}

// An embedding with these points of the unit ball, through a file: they are its end, or come before
// the scaled ones.
HierarchyEmbedding placed(const std::vector<float>& points, double curvature = -1.0) {
  const TemporaryFolder folder;
  std::vector<std::int64_t> parents(points.size() / 2, 0);
  parents[0] = -1;
  trained(Hierarchy::from_parents(parents), 2, curvature).save(folder.file("e"));
  std::string bytes = read_text(folder.file("e"));
  const std::size_t size = 4 * points.size();
  const std::size_t at = bytes.size() - (curvature == -1.0 ? 1 : 2) * size;
  std::memcpy(bytes.data() + at, points.data(), size);
  folder.write("p", bytes);
  return HierarchyEmbedding::load(folder.file("p"));
}

// On an axis a point x lies 2·artanh(x) from the origin: 0, ln 3, −ln(5/3), ln 9; and one across.
const std::vector<float> kPoints{0, 0, 0.5, 0, -0.25, 0, 0.8F, 0, 0, 0.6F};
const double kLn3 = std::log(3.0);
using Found = std::vector<std::pair<std::string, double>>;

void check_found(const Found& got, const Found& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].first == want[i].first);
    CHECK(got[i].second == doctest::Approx(want[i].second).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("guessed ancestors are the nearest of smaller norm") {
  const HierarchyEmbedding e = placed(kPoints);
  check_found(e.ancestors_guess("1", 4), {{"0", kLn3}, {"2", kLn3 + std::log(5.0 / 3.0)}});
  check_found(e.ancestors_guess("1", 1), {{"0", kLn3}});
  check_found(e.ancestors_guess("3", 2), {{"1", kLn3}, {"0", 2 * kLn3}});
  CHECK(e.ancestors_guess("0", 4).empty());
  check_found(placed(kPoints, -4.0).ancestors_guess("1", 1), {{"0", kLn3 / 2}});
  check_error(Errc::invalid_value, [&] { (void)e.ancestors_guess("0", 0); });
  check_error(Errc::invalid_value, [&] { (void)e.ancestors_guess("0", 5); });
  check_error(Errc::out_of_range, [&] { (void)e.ancestors_guess("x", 1); });
}

TEST_CASE("the is-a score") {
  const HierarchyEmbedding e = placed(kPoints);
  CHECK(e.score("1", "0") == doctest::Approx(499 * kLn3).epsilon(1e-6));
  CHECK(e.score("0", "1") == doctest::Approx(-501 * kLn3).epsilon(1e-6));
  CHECK(e.score("1", "0", 0.0) == doctest::Approx(-kLn3).epsilon(1e-6));
  CHECK(e.score("1", "1") == 0.0);
  CHECK(placed(kPoints, -4.0).score("1", "0") == doctest::Approx(499 * kLn3 / 2).epsilon(1e-6));
  check_error(Errc::non_finite, [&] { (void)e.score("1", "0", NAN); });
  check_error(Errc::out_of_range, [&] { (void)e.score("1", "x"); });
}

TEST_CASE("points of both models") {
  for (const double curvature : {-1.0, -4.0}) {
    const HierarchyEmbedding e = placed(kPoints, curvature);
    const double radius = 1.0 / std::sqrt(-curvature);
    CHECK(e.to_poincare().at(1, 0) == doctest::Approx(0.5 * radius));
    const Tensor x = e.to_lorentz();
    CHECK(x.shape() == Shape{5, 3});
    CHECK(x.at(0, 0) == doctest::Approx(radius));
    CHECK(x.at(1, 0) == doctest::Approx(5.0 / 3.0 * radius));
    CHECK(x.at(1, 1) == doctest::Approx(4.0 / 3.0 * radius));
    CHECK(x.at(4, 2) == doctest::Approx(1.2 / 0.64 * radius));
    const auto same = Lorentz(curvature).from_poincare(e.to_poincare()).data();
    for (std::size_t i = 0; i < same.size(); ++i) {
      CHECK(x.data()[i] == doctest::Approx(same[i]).epsilon(1e-6));
    }
    const double d = Lorentz(curvature).dist(x.row(1), x.row(2)).item();
    CHECK(d == doctest::Approx(e.distance("1", "2")).epsilon(1e-5));
  }
}

TEST_CASE("an embedding as a module") {
  for (const double curvature : {-1.0, -4.0}) {
    const HierarchyEmbedding e = placed(kPoints, curvature);
    const auto module = e.to_module("places");
    CHECK(module->curvature() == curvature);
    CHECK(module->weight().data() == e.to_poincare().data());
    CHECK(module->named_parameters()[0].first == "places::weight");
    CHECK(module->distance(1, 2) == doctest::Approx(e.distance("1", "2")).epsilon(1e-5));
    const Tensor two = module->forward(IndexTensor::from_values(2, 1, {3, 0}));
    CHECK(two.at(0, 0) == e.to_poincare().at(3, 0));
    CHECK(module->weight().requires_grad());
  }
  check_error(Errc::empty_input, [] { (void)HierarchyEmbedding().to_module(); });
  using nn::PoincareEmbedding;
  check_error(Errc::curvature,
              [] { (void)PoincareEmbedding::from_pretrained(Tensor(1, 1, {0.F}), 1.0); });
  check_error(Errc::non_finite,
              [] { (void)PoincareEmbedding::from_pretrained(Tensor(1, 1, {NAN})); });
}

TEST_CASE("neighbours of many nodes are those of each, block by block") {
  constexpr std::int64_t kNodes = 5000;  // more distances than a block holds
  const HierarchyEmbedding e = trained(binary_tree(kNodes), 2, -0.5);
  const auto found = e.nearest_many(e.names(), 3);
  CHECK(found.indices.shape() == Shape{kNodes, 3});
  CHECK(found.distances.shape() == Shape{kNodes, 3});
  for (const std::int64_t u : {std::int64_t{0}, std::int64_t{77}, kNodes - 1}) {
    const auto near = e.nearest(e.names()[std::size_t(u)], 3);
    std::vector<std::pair<double, std::string>> all;
    for (const std::string& v : e.names()) {
      if (v != e.names()[std::size_t(u)])
        all.emplace_back(e.distance(e.names()[std::size_t(u)], v), v);
    }
    std::sort(all.begin(), all.end());
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(e.names()[std::size_t(found.indices.at(u, i))] == near[std::size_t(i)].first);
      CHECK(found.distances.at(u, i) == doctest::Approx(near[std::size_t(i)].second));
      CHECK(near[std::size_t(i)].second ==
            doctest::Approx(all[std::size_t(i)].first).epsilon(1e-5));
    }
  }
  check_error(Errc::empty_input, [&] { (void)e.nearest_many({}, 3); });
  const std::vector<std::string> unknown{"0", "x"};
  check_error(Errc::out_of_range, [&] { (void)e.nearest_many(unknown, 1); });
  check_error(Errc::invalid_value, [&] { (void)e.nearest_many(e.names(), kNodes); });
}

TEST_CASE("nodes in one place are each other's neighbours") {
  const HierarchyEmbedding e = placed({0, 0, 0.5, 0, 0.5, 0, 0.5, 0});
  check_found(e.nearest("3", 2), {{"1", 0.0}, {"2", 0.0}});
  check_found(e.nearest("1", 3), {{"2", 0.0}, {"3", 0.0}, {"0", kLn3}});
  check_found(e.nearest("3", 1), {{"1", 0.0}});
}

TEST_CASE("word2vec's text") {
  const TemporaryFolder folder;
  const std::string path = folder.file("e.txt");
  placed(kPoints).export_word2vec(path);
  CHECK(read_text(path) == "5 2\n0 0 0\n1 0.5 0\n2 -0.25 0\n3 0.8 0\n4 0 0.6\n");
  const auto named = trained(Hierarchy::from_edges({{"golden retriever", "dog"}}), 2);
  check_error(Errc::invalid_value, [&] { named.export_word2vec(path); });
  CHECK(read_text(path).substr(0, 4) == "5 2\n");  // as it was
  named.export_word2vec(path, "_");
  CHECK(read_text(path).find("\ngolden_retriever ") == 3);
  const auto twice = trained(Hierarchy::from_edges({{"a b", "a_b"}}), 2);
  check_error(Errc::invalid_value, [&] { twice.export_word2vec(path, "_"); });
  check_error(Errc::invalid_value, [&] { twice.export_word2vec(path, " "); });
  check_error(Errc::invalid_value, [&] { twice.export_word2vec(path, ""); });
  check_error(Errc::io, [&] { named.export_word2vec("/nonexistent/folder/e", "_"); });
  check_error(Errc::empty_input, [&] { HierarchyEmbedding().export_word2vec(path); });
}
