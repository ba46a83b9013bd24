#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

#include "embed/schedule.hpp"
#include "spiraltorch/base/philox.hpp"

// Starting points, laid out along the spanning forest.
namespace spiraltorch {
namespace {

constexpr double kSway = 0.05;           // random part of a direction in a cell, by its width
constexpr double kTurn = 0.7;            // of a root's grandchildren's directions, and so on down
constexpr double kLeastRadius = 1e-4;    // in the unit ball: no two at the origin
constexpr std::int64_t kCellsBelow = 8;  // dimensions: from there on turns give better ranks
// A sphere of so many dimensions has room for any tree; by the share of a larger one a turn would
// hardly narrow, and a subtree start all over it.
constexpr std::size_t kWidthDims = 10;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// A node's own random direction: a stream far from the negatives' blocks.
void random_direction(std::uint64_t seed, std::int32_t node, std::span<double> v) {
  for (std::size_t j = 0; j < v.size(); j += 2) {
    const auto words = philox_block(seed, (std::uint64_t{1} << 63) + j / 2,
                                    static_cast<std::uint32_t>(node), PhiloxDomain::embedding);
    const auto pair = normals_from_words(words[0], words[1]);
    v[j] = pair[0];
    if (j + 1 < v.size()) v[j + 1] = pair[1];
  }
}

void normalise(std::span<double> v) {
  const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
  for (double& x : v) x = norm > 0 ? x / norm : 0.0;
}

// How wide, as an angle, a subtree may be: its share of the sphere.
double width_of(double size, double nodes, std::size_t dim) {
  const auto axes = std::clamp<std::size_t>(dim, 2, kWidthDims) - 1;
  return std::pow(size / nodes, 1.0 / static_cast<double>(axes));
}

// Of the standard normal distribution: Newton's method from a logistic start.
double normal_quantile(double u) {
  double x = std::log(u / (1 - u)) / 1.702;
  for (int step = 0; step < 4; ++step) {
    const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - u;
    x -= error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  }
  return x;
}

// A box in the unit cube; axes above the cube's stand unused.
struct Cell {
  using Point = std::array<double, kCellsBelow - 1>;
  Point low{}, high{};
};

// Points of the unit cube to directions, equal volumes to equal parts of the sphere: of the circle
// by the angle, of the sphere by height and angle (Archimedes), above by normal quantiles.
std::int64_t cube_axes(std::int64_t dim) { return dim == 2 || dim == 3 ? dim - 1 : dim; }

void direction_in_cube(std::span<const double> u, std::span<double> v) {
  if (v.size() == 2 || v.size() == 3) {
    const double angle = 2 * std::numbers::pi * u[v.size() - 2];
    const double z = v.size() == 3 ? 2 * u[0] - 1 : 0.0;
    const double r = std::sqrt(1 - z * z);
    v[0] = r * std::cos(angle);
    v[1] = r * std::sin(angle);
    if (v.size() == 3) v[2] = z;
    return;
  }
  std::transform(u.begin(), u.end(), v.begin(), normal_quantile);
  normalise(v);
}

// Gives every subtree a cell of the cube in proportion to its size, and so a part of the sphere of
// its own: siblings' cells are cut from their parent's by halves, across its longest side (a
// treemap: Shneiderman 1992, cut as in Bruls, Huizing & van Wijk 2000). Nothing here recurses: a
// chain may be as deep as there are nodes.
class Cells {
 public:
  Cells(const Forest& forest, std::int64_t dim, std::uint64_t seed, std::vector<double>& points)
      : forest_(forest), seed_(seed), dim_(at(dim)), axes_(at(cube_axes(dim))), points_(points) {}

  void place_all() {
    Cell whole;
    whole.high.fill(1.0);
    push({0, std::ssize(forest_.preorder), whole});
    while (!ranges_.empty()) {
      const Range range = ranges_.back();
      ranges_.pop_back();
      if (range.first + size(range.first) == range.end) {
        place(range);
        push({range.first + 1, range.end, range.cell});
      } else {
        split(range);
      }
    }
  }

 private:
  // Subtrees side by side: positions in the preorder.
  struct Range {
    std::int64_t first, end;
    Cell cell;
  };

  [[nodiscard]] std::int64_t size(std::int64_t position) const {
    return forest_.sizes[at(position)];
  }

  void push(const Range& range) {
    if (range.first < range.end) ranges_.push_back(range);
  }

  // The first subtree's root.
  void place(const Range& range) {
    const std::int32_t node = forest_.preorder[at(range.first)];
    Cell::Point centre;
    std::transform(range.cell.low.begin(), range.cell.low.end(), range.cell.high.begin(),
                   centre.begin(), [](double low, double high) { return 0.5 * (low + high); });
    const std::span v(points_.data() + at(node) * dim_, dim_);
    direction_in_cube(std::span(centre).first(axes_), v);
    std::array<double, kCellsBelow - 1> memory;
    const auto sway = std::span(memory).first(dim_);
    random_direction(seed_, node, sway);
    const double by = kSway * width_of(static_cast<double>(size(range.first)),
                                       static_cast<double>(forest_.preorder.size()), dim_);
    for (std::size_t j = 0; j < dim_; ++j) v[j] += by * sway[j];
    normalise(v);
  }

  void split(const Range& range) {
    const std::int64_t middle = range.first + (range.end - range.first) / 2;
    std::int64_t cut = range.first;  // between siblings, nearest to the middle
    while (cut + size(cut) <= middle) cut += size(cut);
    const std::int64_t next = cut + size(cut);
    if (cut == range.first || (next < range.end && next - middle < middle - cut)) cut = next;
    const std::size_t axis = longest(range.cell);
    const double low = range.cell.low[axis];
    const double part =
        static_cast<double>(cut - range.first) / static_cast<double>(range.end - range.first);
    const double between = low + part * (range.cell.high[axis] - low);
    Range front{range.first, cut, range.cell}, back{cut, range.end, range.cell};
    front.cell.high[axis] = between;
    back.cell.low[axis] = between;
    push(front);
    push(back);
  }

  [[nodiscard]] std::size_t longest(const Cell& cell) const {
    constexpr double kRound = 3.0;    // a sphere's way round to its height
    constexpr double kMore = 1.0001;  // of two equal sides the first, whatever the rounding
    std::size_t out = 0;
    double most = 0;
    for (std::size_t k = 0; k < axes_; ++k) {
      const double side = (cell.high[k] - cell.low[k]) * (dim_ == 3 && k == 1 ? kRound : 1.0);
      if (side <= kMore * most) continue;
      most = side;
      out = k;
    }
    return out;
  }

  const Forest& forest_;
  std::uint64_t seed_;
  std::size_t dim_, axes_;
  std::vector<double>& points_;
  std::vector<Range> ranges_;
};

// A child's direction is its parent's plus a random turn that narrows with the parent's subtree
// (after Sarkar 2011).
void turn_all(const Forest& forest, std::int64_t dim, std::uint64_t seed,
              std::vector<double>& points) {
  std::vector<double> sizes(forest.preorder.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[at(forest.preorder[i])] = static_cast<double>(forest.sizes[i]);
  }
  for (const std::int32_t node : forest.preorder) {
    const std::span v(points.data() + node * dim, at(dim));
    random_direction(seed, node, v);
    normalise(v);
    // A root's children go anywhere: its own direction would press them into half of the space.
    const std::int32_t p = forest.parent[at(node)];
    if (p < 0 || forest.parent[at(p)] < 0) continue;
    const double turn = kTurn * width_of(sizes[at(p)], static_cast<double>(sizes.size()), v.size());
    const double* from = points.data() + p * dim;
    for (std::size_t j = 0; j < v.size(); ++j) v[j] = from[j] + turn * v[j];
    normalise(v);
  }
}

// The hyperbolic radius grows from 0 for a subtree of all nodes to that of `radius` for a leaf, in
// proportion to the logarithm of its share.
std::vector<double> tree_points(const Forest& forest, std::int64_t dim, double radius,
                                std::uint64_t seed) {
  const auto count = std::ssize(forest.preorder);
  std::vector<double> points(at(count * dim));
  if (dim < kCellsBelow) {
    Cells(forest, dim, seed, points).place_all();
  } else {
    turn_all(forest, dim, seed, points);
  }
  const double leaf = std::atanh(radius);
  const double all = std::log(static_cast<double>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const double size = static_cast<double>(forest.sizes[at(i)]);
    const double share = count > 1 ? std::log(size) / all : 1.0;
    const double r = std::max(std::tanh(leaf * (1.0 - share)), kLeastRadius);
    double* point = points.data() + forest.preorder[at(i)] * dim;
    for (std::int64_t j = 0; j < dim; ++j) point[j] *= r;
  }
  return points;
}

std::vector<double> uniform_points(std::int64_t nodes, const EmbeddingOptions& o) {
  const Tensor unit = Tensor::rand(nodes, o.dim, o.seed);
  const double side = o.init_scale / std::sqrt(static_cast<double>(o.dim));
  std::vector<double> out;
  out.reserve(at(unit.size()));
  for (const float x : unit.data()) out.push_back((2.0 * static_cast<double>(x) - 1.0) * side);
  return out;
}

}  // namespace

std::vector<double> initial_points(const TrainingLinks& links, const EmbeddingOptions& o,
                                   const Schedule& schedule) {
  std::vector<double> out = o.init == "tree"
                                ? tree_points(links.forest, o.dim, schedule.init_radius, o.seed)
                                : uniform_points(links.nodes(), o);
  if (o.manifold == "euclidean") {
    for (double& x : out) x *= kEuclideanUnit;
  }
  return out;
}

}  // namespace spiraltorch
