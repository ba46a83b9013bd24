#include <cmath>

#include "small_fits.hpp"

using namespace spiraltorch;

// Rates, curvatures and hierarchies that nobody would choose: every figure stays finite.
namespace {

double norm_of_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (std::int64_t j = 0; j < a.cols(); ++j) {
    const double d = static_cast<double>(a.at(0, j)) - static_cast<double>(b.at(0, j));
    sum += d * d;
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("any learning rate gives finite points inside the ball") {
  const Hierarchy h = tree(300);
  for (const char* manifold : {"poincare", "euclidean"}) {
    for (const char* objective : {"papers", "focused"}) {
      for (const double lr : {0.01, 0.05, 0.3, 1.0, 5.0}) {
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
          CAPTURE(manifold);
          CAPTURE(objective);
          CAPTURE(lr);
          CAPTURE(seed);
          EmbeddingOptions o;
          o.manifold = manifold;
          o.objective = objective;
          o.dim = 3;
          o.epochs = 15;
          o.burn_in = 1;
          o.lr = lr;
          o.seed = seed;
          HierarchyEmbedding e(o);
          double loss = NAN;
          CHECK(e.fit(h, [&](const EmbeddingProgress& p) {
            loss = p.loss;
            return true;
          }));
          CHECK(std::isfinite(loss));
          CHECK(all_finite(e));
          CHECK(std::isfinite(e.evaluate(h).map));
          if (o.manifold == "poincare") {
            CHECK(e.vectors().norm(Axis::cols).max().item() < 1.0);
          }
        }
      }
    }
  }
}

TEST_CASE("absurd rates and curvatures: finite points, in the ball or in the flat space") {
  const Hierarchy h = chain(120);
  for (const double curvature : {-1.0, -1e-3, -1e-6, -1e-12}) {
    for (const double lr : {0.05, 100.0, 1e6, 1e300}) {
      CAPTURE(curvature);
      CAPTURE(lr);
      EmbeddingOptions o;
      o.dim = 3;
      o.epochs = 1;
      o.burn_in = 1;
      o.curvature = curvature;
      o.objective = "focused";
      o.grouped = false;
      o.lr = lr;
      HierarchyEmbedding e = fitted(h, o);
      CHECK(e.vectors().norm(Axis::cols).max().item() < 1.0 / std::sqrt(-curvature));
      o.dtype = "float64";
      CHECK(all_finite(fitted(h, o)));
    }
  }
  for (const double lr : {5.0, 100.0, 1e30, 1e300}) {
    for (const bool grouped : {true, false}) {
      CAPTURE(lr);
      CAPTURE(grouped);
      EmbeddingOptions o;
      o.dim = 3;
      o.epochs = 6;
      o.burn_in = 1;
      o.manifold = "euclidean";
      o.objective = "focused";
      o.grouped = grouped;
      o.lr = lr;
      const HierarchyEmbedding e = fitted(h, o);
      CHECK(all_finite(e));
      const Tensor x = e.vectors();
      CHECK(e.distance("3", "80") ==
            doctest::Approx(norm_of_difference(x.row(3), x.row(80))).epsilon(1e-4));
    }
  }
}

TEST_CASE("small hierarchies train in every way") {
  for (const Hierarchy& h : {tree(2), tree(3), tree(50, 50), chain(60)}) {
    for (const char* manifold : {"poincare", "lorentz", "euclidean"}) {
      for (const char* objective : {"papers", "focused"}) {
        for (const bool grouped : {true, false}) {
          EmbeddingOptions o = quick();
          o.manifold = manifold;
          o.objective = objective;
          o.grouped = grouped;
          o.local_negatives = 300;  // more than there are
          o.sampling_power = 1.0;
          CHECK(all_finite(fitted(h, o)));
        }
      }
    }
  }
}
