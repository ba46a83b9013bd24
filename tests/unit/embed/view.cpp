#include "spiraltorch/embed/view.hpp"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "check_error.hpp"
#include "embed/view/layout.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "temporary.hpp"

using namespace spiraltorch;
using detail::view_layout;

namespace {

HierarchyEmbedding trained(const Hierarchy& h, std::int64_t dim, double curvature = -1.0) {
  HierarchyEmbedding e({.dim = dim, .curvature = curvature, .epochs = 3, .burn_in = 0});
  e.fit(h);
  return e;
}

double length(const std::vector<float>& tangents, std::size_t i) {
  return std::hypot(static_cast<double>(tangents[2 * i]), static_cast<double>(tangents[2 * i + 1]));
}

}  // namespace

TEST_CASE("the disk keeps directions, with 2 artanh |x| as lengths") {
  // |x| = tanh(1/2) lies at distance 1; 1 − |x|² = 2⁻¹⁵ at log((1 + |x|)²·2¹⁵).
  const auto half = static_cast<float>(std::tanh(0.5));
  const double norm = std::sqrt(1.0 - std::ldexp(1.0, -15));
  const std::array points{
      0.0F, 0.0F, half, 0.0F, 0.6F * half, -0.8F * half, static_cast<float>(norm), 0.0F};
  const auto layout = view_layout(points, 2, 2);
  CHECK_FALSE(layout.projected);
  CHECK(layout.tangents[0] == 0.0F);
  CHECK(layout.tangents[2] == doctest::Approx(1.0));
  CHECK(layout.tangents[3] == 0.0F);
  CHECK(layout.tangents[4] == doctest::Approx(0.6));
  CHECK(layout.tangents[5] == doctest::Approx(-0.8));
  CHECK(layout.tangents[6] ==
        doctest::Approx(std::log((1 + norm) * (1 + norm) * 32768.0)).epsilon(2e-4));
  CHECK(layout.home[0] == doctest::Approx(0.6));
  CHECK(layout.home[1] == doctest::Approx(-0.8));
}

TEST_CASE("one dimension lies on a line") {
  const std::array points{0.5F, -0.25F};
  const auto layout = view_layout(points, 1, {});
  CHECK(layout.tangents[0] == doctest::Approx(2 * std::atanh(0.5)));
  CHECK(layout.tangents[1] == 0.0F);
  CHECK(layout.tangents[2] == doctest::Approx(-2 * std::atanh(0.25)));
}

TEST_CASE("a projection on two axes keeps each distance from the centre") {
  // The second moments have coordinates 1 and 3 for their plane, and the parts outside it, which
  // cancel in pairs, are folded into the lengths.
  const std::array points{0.0F, 0.5F, 0.0F, 0.0F,  0.0F,  -0.5F, 0.0F, 0.0F,
                          0.0F, 0.0F, 0.0F, 0.3F,  0.0F,  0.0F,  0.0F, -0.3F,
                          0.1F, 0.2F, 0.0F, -0.2F, -0.1F, 0.2F,  0.0F, -0.2F};
  const auto layout = view_layout(points, 4, {});
  CHECK(layout.projected);
  for (std::size_t i = 0; i < 6; ++i) {
    double square = 0.0;
    for (std::size_t j = 0; j < 4; ++j) square += std::pow(points[4 * i + j], 2);
    CHECK(length(layout.tangents, i) == doctest::Approx(2 * std::atanh(std::sqrt(square))));
  }
  const auto angle = [&](std::size_t i) {
    return std::atan2(layout.tangents[2 * i + 1], layout.tangents[2 * i]);
  };
  CHECK(angle(2) - angle(0) == doctest::Approx(std::acos(-1.0) / 2));
  CHECK(angle(2) - angle(3) == doctest::Approx(std::acos(-1.0)));
}

TEST_CASE("seen from a node, distances from it are the ball's, up to the rim") {
  const auto near = static_cast<float>(std::sqrt(1.0 - 2e-5));
  const std::array points{0.3F, 0.2F, -0.4F, near,  0.0F, 0.0F,
                          0.3F, 0.2F, -0.3F, -0.1F, 0.0F, 0.9F};
  const auto layout = view_layout(points, 3, 0);
  CHECK(layout.home[0] == 0.0);
  CHECK(length(layout.tangents, 0) == 0.0);
  const Tensor all(4, 3, std::span<const float>(points));
  for (std::int64_t i = 1; i < 4; ++i) {
    CHECK(length(layout.tangents, static_cast<std::size_t>(i)) ==
          doctest::Approx(all.row(0).hyperbolic_distance(all.row(i), -1.0)).epsilon(1e-5));
  }
}

TEST_CASE("points without a direction in the plane, or none at all, stay finite") {
  const auto all_equal = view_layout(std::vector<float>(12, 0.0F), 4, {});
  for (const float v : all_equal.tangents) CHECK(v == 0.0F);
  const std::array line{0.5F, 0.0F, 0.0F, -0.5F, 0.0F, 0.0F};
  for (const float v : view_layout(line, 3, {}).tangents) CHECK(std::isfinite(v));
}

TEST_CASE("a page holds the data, and no name leaves its script") {
  const TemporaryFolder folder;
  const auto h = Hierarchy::from_edges(
      {{"</script><script>alert(1)</script>", "root & <b>"}, {"\"quote\\", "root & <b>"}});
  const std::string path = folder.file("view.html");
  write_view(trained(h, 2), path, {.title = "A <i>title</i> & more", .hierarchy = &h});
  const std::string page = read_text(path);
  CHECK(page.find("<title>A &lt;i&gt;title&lt;/i&gt; &amp; more</title>") != std::string::npos);
  CHECK(page.find("alert(1)</script>") == std::string::npos);
  CHECK(page.find("\\u003c/script>\\u003cscript>alert(1)\\u003c/script>") != std::string::npos);
  // Edges 0 → 1 and 2 → 1 as words of 32 bits: 00000000 01000000 02000000 01000000 in base64.
  CHECK(page.find("\"edges\":\"AAAAAAEAAAACAAAAAQAAAA==\"") != std::string::npos);
  CHECK(page.find("http") == page.find("http-equiv"));  // nothing to fetch
  CHECK(page.find("{{") == std::string::npos);
}

TEST_CASE("more than two dimensions are a projection, which the page says") {
  const TemporaryFolder folder;
  const auto h = Hierarchy::from_parents(std::vector<std::int64_t>{-1, 0, 0, 1, 1});
  const std::string path = folder.file("view.html");
  write_view(trained(h, 5, -0.25), path, {.hierarchy = &h});
  CHECK(read_text(path).find("Projection of 5 dimensions: tangent vectors at the root") !=
        std::string::npos);
  CHECK(read_text(path).find("<title>5 nodes in 5 dimensions</title>") != std::string::npos);
  write_view(trained(h, 3), path);
  CHECK(read_text(path).find("tangent vectors at the origin") != std::string::npos);
}

TEST_CASE("views that cannot be written") {
  const TemporaryFolder folder;
  const auto h = Hierarchy::from_parents(std::vector<std::int64_t>{-1, 0, 0});
  const auto other = Hierarchy::from_edges({{"0", "elsewhere"}});
  const auto e = trained(h, 2);
  const std::string path = folder.file("view.html");
  check_error(Errc::empty_input, [&] { write_view(HierarchyEmbedding(), path); });
  check_error(Errc::out_of_range, [&] { write_view(e, path, {.hierarchy = &other}); });
  check_error(Errc::io, [&] { write_view(e, folder.file("absent/view.html")); });
  CHECK(read_text(path).empty());
}
