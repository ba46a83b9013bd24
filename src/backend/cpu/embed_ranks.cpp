#include "backend/cpu/embed_ranks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/simd/embed_ranks.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Exact reconstruction ranks of an embedding in the unit ball (Nickel & Kiela 2017).
//
// The order of v seen from u is |u−v|²/(1−|v|²) in double, summed in order of the coordinates: it
// increases with the distance, and its bits are those of plain code on any machine. Nodes meet it
// through two float32 tests that can only say "maybe" too often:
//
// 1. v is closer than the farthest hit, of order f, only if |u|² − f + (1+f)|v|² − 2⟨u,v⟩ < 0, one
//    dot product of dim + 1 terms with what is known of u: eight u's at a time against a tile.
// 2. Where much of a tile passes, the orders of all of it in the table's precision, compared with
//    each hit's order on either side of the rounding error.
//
// What passes 1 in a tile where little does, and what 2 leaves in doubt, is decided in double.
namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kTask = 64;            // queries that share a tile while it is in the cache
constexpr std::int64_t kTileBytes = 98304;    // of a tile's coordinates
constexpr std::int64_t kSparse = 16;          // a tile where a column of so many passes is sparse
constexpr std::int64_t kFewHits = 96;         // compared one by one; more are searched
constexpr std::int64_t kMostTerms = 1 << 20;  // the bounds below hold up to here
constexpr double kFloatEps = 0x1p-24;         // of a rounding

std::int64_t padded(std::int64_t n) { return (n + kTilePad - 1) / kTilePad * kTilePad; }

template <class T>
T rounded_up(double x) {
  const T y = static_cast<T>(x);
  return std::nextafter(y, std::numeric_limits<T>::infinity());
}
template <class T>
T rounded_down(double x) {
  const T y = static_cast<T>(x);
  return std::nextafter(y, -std::numeric_limits<T>::infinity());
}

using Nodes = std::span<const std::int32_t>;

// Lists of nodes by node: row `list` of the offsets.
struct Lists {
  const std::int64_t* offsets = nullptr;
  const std::int32_t* nodes = nullptr;
  [[nodiscard]] Nodes of(std::int64_t u) const {
    if (offsets == nullptr) return {};
    return {nodes + offsets[u], nodes + offsets[u + 1]};
  }
};

// The table by coordinate, and what the tests need of each node.
template <class T>
struct Points {
  const T* table;
  std::int64_t nodes, dim, stride;
  std::vector<double> gaps;     // 1 − |v|²
  std::vector<float> screened;  // coordinates, then |v|²
  std::vector<T> turned;        // coordinates again where T is double
  std::vector<T> inverses;      // of the gaps; infinite past the last node
  double most_square = 0.0;     // of |v|²
  double most_inverse = 0.0;

  explicit Points(const KernelOperand& x)
      : table(data<const T>(x)),
        nodes(x.rows),
        dim(x.cols),
        stride(padded(nodes)),
        gaps(static_cast<std::size_t>(nodes)),
        screened(static_cast<std::size_t>(stride * (dim + 1)), 0.0F),
        inverses(static_cast<std::size_t>(stride), std::numeric_limits<T>::infinity()) {
    if constexpr (sizeof(T) == 8) turned.resize(static_cast<std::size_t>(stride * dim));
    parallel_for(nodes, kParallelGrain / std::max<std::int64_t>(1, dim) + 1,
                 [this](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) put(i);
                 });
    for (const double gap : gaps) {
      most_square = std::max(most_square, 1.0 - gap);
      most_inverse = std::max(most_inverse, 1.0 / gap);
    }
    float* squares = screened.data() + stride * dim;  // nothing passes past the last node
    std::fill(squares + nodes, squares + stride, std::numeric_limits<float>::infinity());
  }

  [[nodiscard]] const T* coordinates() const {
    if constexpr (sizeof(T) == 8)
      return turned.data();
    else
      return screened.data();
  }

  [[nodiscard]] double order(std::int64_t u, std::int64_t v) const {
    const T* a = table + u * dim;
    const T* b = table + v * dim;
    double sum = 0.0;
    for (std::int64_t j = 0; j < dim; ++j) {
      const double apart = static_cast<double>(a[j]) - static_cast<double>(b[j]);
      sum += apart * apart;
    }
    return sum / gaps[static_cast<std::size_t>(v)];
  }

 private:
  void put(std::int64_t i) {
    double square = 0.0;
    for (std::int64_t j = 0; j < dim; ++j) {
      const T v = table[i * dim + j];
      square += static_cast<double>(v) * static_cast<double>(v);
      screened[static_cast<std::size_t>(j * stride + i)] = static_cast<float>(v);
      if constexpr (sizeof(T) == 8) turned[static_cast<std::size_t>(j * stride + i)] = v;
    }
    const double gap = 1.0 - square;
    const auto at = static_cast<std::size_t>(i);
    gaps[at] = gap;
    screened[static_cast<std::size_t>(dim * stride + i)] = static_cast<float>(square);
    inverses[at] = static_cast<T>(1.0 / gap);
  }
};

// The vector parts by type.
std::int64_t below(std::span<const float> x, float low, float high, bool& doubt) {
  return embed_ranks_table().below32(x.data(), std::ssize(x), low, high, doubt);
}
std::int64_t below(std::span<const double> x, double low, double high, bool& doubt) {
  return embed_ranks_table().below64(x.data(), std::ssize(x), low, high, doubt);
}
std::int64_t between(std::span<const float> x, float low, float high, std::uint32_t* out) {
  return embed_ranks_table().between32(x.data(), std::ssize(x), low, high, out);
}
std::int64_t between(std::span<const double> x, double low, double high, std::uint32_t* out) {
  return embed_ranks_table().between64(x.data(), std::ssize(x), low, high, out);
}

// One node u and its linked nodes, the hits.
template <class T>
struct Query {
  std::int64_t u = 0;
  std::vector<double> hits;          // their orders, ascending
  std::vector<double> steps;         // those that differ, above 0: nothing is closer than 0
  std::vector<T> lows, highs;        // an order in T below lows[i] is below steps[i]; one that is
                                     // not below highs[i] is not below steps[i]
  std::vector<std::int64_t> starts;  // nodes whose first farther step is i
  std::vector<std::int64_t> closer;  // nodes counted step by step

  void prepare(const Points<T>& points, std::int64_t node, Nodes linked) {
    u = node;
    hits.clear();
    for (const std::int32_t v : linked) hits.push_back(points.order(u, v));
    std::sort(hits.begin(), hits.end());
    steps.clear();
    for (const double h : hits) {
      if (h > (steps.empty() ? 0.0 : steps.back())) steps.push_back(h);
    }
    starts.assign(steps.size() + 1, 0);
    closer.assign(steps.size(), 0);
    set_margins(points);
  }

  // With |θ| ≤ n·eps/(1 − n·eps): an order in T is exact·(1+θ) for n = dim + 6 (a difference, its
  // square, the sums, the inverse and the product), the double one, by which ranks are defined,
  // for n = dim + 3. 2(dim + 16)·eps covers both up to kMostTerms. Where squares underflow they
  // are off by half the least number each, and so is the product.
  void set_margins(const Points<T>& points) {
    constexpr double kEps = sizeof(T) == 8 ? 0x1p-53 : kFloatEps;
    constexpr auto kLeast = static_cast<double>(std::numeric_limits<T>::denorm_min());
    const auto terms = static_cast<double>(points.dim);
    const double share = 2.0 * (terms + 16.0) * kEps;
    const double least = (terms + 2.0) * kLeast * (points.most_inverse + 1.0);
    lows.clear();
    highs.clear();
    for (const double s : steps) {
      const bool bounded = points.dim <= kMostTerms;
      lows.push_back(bounded ? rounded_down<T>(s * (1.0 - share) - least) : T{0});
      highs.push_back(bounded ? rounded_up<T>(s * (1.0 + share) + least)
                              : std::numeric_limits<T>::infinity());
    }
  }

  // The dot product's weights, eight queries interleaved, and its limit. The float sum of n terms
  // is off by at most n·eps/(1 − n·eps) times the sum of their sizes, 2|u||v| + (1+f)|v|²; n =
  // dim + 1 products and sums, and one or two roundings more of each factor. The order of v and f,
  // being rounded themselves, add (dim + 8)·2⁻⁵¹ of 1 + f at most; underflow nothing near 1e-30.
  float screen_limit(const Points<T>& points, float* weights) const {
    double square = 0.0;
    const T* x = points.table + u * points.dim;
    for (std::int64_t j = 0; j < points.dim; ++j) {
      const double v = x[j];
      square += v * v;
      weights[j * kScreened] = static_cast<float>(-2.0 * v);
    }
    if (steps.empty()) {
      weights[points.dim * kScreened] = 1.0F;
      return -std::numeric_limits<float>::infinity();
    }
    const double f = steps.back();
    weights[points.dim * kScreened] = static_cast<float>(1.0 + f);
    if (points.dim > kMostTerms) return std::numeric_limits<float>::infinity();
    const auto terms = static_cast<double>(points.dim);
    const double size = 2.0 * std::sqrt(square * points.most_square) + (1 + f) * points.most_square;
    const double slack =
        1.1 * (terms + 12.0) * kFloatEps * size + (terms + 8.0) * 0x1p-51 * (1.0 + f) + 1e-30;
    return rounded_up<float>(f - square + slack);
  }

  // One node more (by = 1) or less that is closer than the steps from its own on.
  void add(double order, std::int64_t by) {
    starts[static_cast<std::size_t>(std::upper_bound(steps.begin(), steps.end(), order) -
                                    steps.begin())] += by;
  }

  // Orders of a whole tile, few steps: each is compared with all of them.
  void count_each(const Points<T>& points, std::int64_t first, std::span<const T> orders,
                  std::uint32_t* doubtful) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      bool doubt = false;
      closer[i] += below(orders, lows[i], highs[i], doubt);
      if (!doubt) continue;
      const std::int64_t count = between(orders, lows[i], highs[i], doubtful);
      for (std::int64_t k = 0; k < count; ++k) {
        closer[i] += points.order(u, first + doubtful[k]) < steps[i] ? 1 : 0;
      }
    }
  }

  // The same with many steps: each order is searched among them.
  void search_each(const Points<T>& points, std::int64_t first, std::span<const T> orders) {
    for (std::size_t k = 0; k < orders.size(); ++k) {
      const auto low = std::upper_bound(lows.begin(), lows.end(), orders[k]) - lows.begin();
      const auto high = std::upper_bound(highs.begin(), highs.end(), orders[k]) - highs.begin();
      if (low == high) {
        ++starts[static_cast<std::size_t>(low)];
      } else {
        add(points.order(u, first + static_cast<std::int64_t>(k)), 1);
      }
    }
  }

  // Sum of ranks and average precision, without u itself and the nodes linked to it.
  void finish(const Points<T>& points, Nodes linked, Nodes known, std::int64_t& sum,
              double& precision) {
    if (!steps.empty()) {
      add(points.order(u, u), -1);
      for (const std::int32_t v : linked) add(points.order(u, v), -1);
      for (const std::int32_t v : known) add(points.order(u, v), -1);
    }
    std::int64_t started = 0;
    std::size_t step = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      for (; step < steps.size() && steps[step] <= hits[i]; ++step) started += starts[step];
      const std::int64_t before = step == 0 ? 0 : started + closer[step - 1];
      sum += before + 1;
      precision += static_cast<double>(i + 1) /
                   static_cast<double>(before + static_cast<std::int64_t>(i) + 1);
    }
    precision /= static_cast<double>(hits.size());
  }
};

// Up to kTask queries against all nodes, tile by tile.
template <class T>
class Task {
 public:
  Task(const Points<T>& points, std::span<const std::int64_t> nodes, const Lists& linked)
      : points_(points),
        queries_(nodes.size()),
        groups_((std::ssize(nodes) + kScreened - 1) / kScreened),
        terms_(points.dim + 1),
        tile_(std::clamp(kTileBytes / 4 / terms_ / kTilePad * kTilePad, kTilePad, kTileMost)),
        room_(tile_ + 16),
        weights_(static_cast<std::size_t>(groups_ * kScreened * terms_), 0.0F),
        limits_(static_cast<std::size_t>(groups_ * kScreened),
                -std::numeric_limits<float>::infinity()),
        passed_(static_cast<std::size_t>(kScreened * room_)),
        doubtful_(static_cast<std::size_t>(tile_)),
        orders_(static_cast<std::size_t>(tile_)),
        pauses_(static_cast<std::size_t>(groups_)) {
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const auto i = static_cast<std::int64_t>(k);
      queries_[k].prepare(points, nodes[k], linked.of(nodes[k]));
      float* weights = weights_.data() + i / kScreened * kScreened * terms_ + i % kScreened;
      limits_[k] = queries_[k].screen_limit(points, weights);
    }
  }

  std::vector<Query<T>>& run() {
    for (std::int64_t first = 0; first < points_.stride; first += tile_) {
      const std::int64_t columns = std::min(tile_, points_.stride - first);
      for (std::int64_t g = 0; g < groups_; ++g) group(g, first, columns);
    }
    return queries_;
  }

 private:
  // Tiles for which a group is not screened: where all of it passed, it probably will again.
  struct Pause {
    std::int64_t left = 0, length = 0;
  };

  void group(std::int64_t g, std::int64_t first, std::int64_t columns) {
    Pause& pause = pauses_[static_cast<std::size_t>(g)];
    const std::int64_t queries = std::min(kScreened, std::ssize(queries_) - g * kScreened);
    if (pause.left > 0) {
      --pause.left;
      for (std::int64_t k = 0; k < queries; ++k) dense(query(g, k), first, columns);
      return;
    }
    std::array<std::int64_t, kScreened> found{};
    embed_ranks_table().screen(points_.screened.data() + first, points_.stride, columns, terms_,
                               weights_.data() + g * kScreened * terms_,
                               limits_.data() + g * kScreened, passed_.data(), room_, found.data());
    bool all = true;
    for (std::int64_t k = 0; k < queries; ++k) {
      const std::int64_t count = found[static_cast<std::size_t>(k)];
      if (count * kSparse > columns) {
        dense(query(g, k), first, columns);
      } else {
        all = false;
        sparse(query(g, k), first, {passed_.data() + k * room_, static_cast<std::size_t>(count)});
      }
    }
    pause.length = all ? std::min<std::int64_t>(2 * pause.length + 1, 31) : 0;
    pause.left = pause.length;
  }

  Query<T>& query(std::int64_t g, std::int64_t k) {
    return queries_[static_cast<std::size_t>(g * kScreened + k)];
  }

  void sparse(Query<T>& query, std::int64_t first, std::span<const std::uint32_t> passed) {
    for (const std::uint32_t i : passed) query.add(points_.order(query.u, first + i), 1);
  }

  void dense(Query<T>& query, std::int64_t first, std::int64_t columns) {
    const T* u = points_.table + query.u * points_.dim;
    const T* rows = points_.coordinates() + first;
    const T* inverses = points_.inverses.data() + first;
    const auto& table = embed_ranks_table();
    if constexpr (sizeof(T) == 8) {
      table.orders64(u, rows, points_.stride, columns, points_.dim, inverses, orders_.data());
    } else {
      table.orders32(u, rows, points_.stride, columns, points_.dim, inverses, orders_.data());
    }
    // Past the last node an order is infinite, or NaN where u is the origin: below nothing.
    const std::int64_t count = std::min(columns, points_.nodes - first);
    if (std::ssize(query.steps) <= kFewHits) {
      query.count_each(points_, first, {orders_.data(), static_cast<std::size_t>(columns)},
                       doubtful_.data());
    } else {
      query.search_each(points_, first, {orders_.data(), static_cast<std::size_t>(count)});
    }
  }

  const Points<T>& points_;
  std::vector<Query<T>> queries_;
  std::int64_t groups_, terms_, tile_, room_;
  std::vector<float> weights_, limits_;
  std::vector<std::uint32_t> passed_, doubtful_;
  std::vector<T> orders_;
  std::vector<Pause> pauses_;
};

template <class T>
void rank_all(const KernelArgs& args) {
  const Points<T> points(args.in[0]);
  const auto* offsets = data<const std::int64_t>(args.in[1]);
  const auto* nodes = data<const std::int32_t>(args.in[2]);
  const Lists linked{offsets, nodes};
  const bool has_known = args.in[1].rows == 2;
  const Lists known{has_known ? offsets + points.nodes + 1 : nullptr, nodes};
  auto* sums = data<std::int64_t>(args.out[0]);
  auto* precisions = data<double>(args.out[1]);
  std::fill(sums, sums + points.nodes, std::int64_t{0});
  std::fill(precisions, precisions + points.nodes, 0.0);
  std::vector<std::int64_t> asked;
  for (std::int64_t u = 0; u < points.nodes; ++u) {
    if (!linked.of(u).empty()) asked.push_back(u);
  }
  // A few tasks a thread where nodes are few; whole groups of queries.
  const std::int64_t share = std::ssize(asked) / (4 * thread_count()) / kScreened * kScreened;
  const std::int64_t each = std::clamp(share, kScreened, kTask);
  parallel_blocks(std::ssize(asked), each, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    const auto count = static_cast<std::size_t>(end - begin);
    Task<T> task(points, {asked.data() + begin, count}, linked);
    for (Query<T>& q : task.run()) {
      q.finish(points, linked.of(q.u), known.of(q.u), sums[q.u], precisions[q.u]);
    }
  });
}

}  // namespace

void embed_ranks(const KernelArgs& args) {
  args.in[0].type == ElementType::f64 ? rank_all<double>(args) : rank_all<float>(args);
}

}  // namespace spiraltorch::cpu
