#include "backend/cpu/simd/embed.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/embed_ranks.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Training of hierarchy embeddings in the unit ball (Nickel & Kiela 2017).
namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kPad = 8;  // widest vector of doubles

std::int64_t padded(std::int64_t n) { return (n + kPad - 1) / kPad * kPad; }

// What embed_train gets, by name.
struct Training {
  const std::int64_t* offsets;    // of each node's ancestors
  const std::int32_t* ancestors;  // sorted within a node
  const std::int32_t* order;      // items of the epoch: nodes (grouped) or pairs
  const double* cumulative;       // of the negatives' distribution; unused when uniform
  float* table;
  std::int64_t nodes, items, dim;
  double rate, scale;
  std::uint64_t seed, epoch;
  std::int64_t batch, negatives;
  bool grouped, weighted;
};

// One item of a batch: node u against its positives and one draw of negatives. Slot i of the lists
// is candidate row[i], whose gradient is on_row[i]·y + on_u[i]·u.
struct Item {
  std::int32_t u = -1;
  std::int64_t positives = 0;
  std::vector<std::int32_t> row;
  std::vector<double> e, c, on_row, on_u;
  std::vector<double> exponents;  // of the positives, where weights are relative
  std::vector<float> block;
  std::vector<double> point, gradient;
  double loss = 0.0;
};

// Negatives of u: uniform (or by frequency) among nodes neither u nor its ancestors, rejected one
// by one. The words depend on seed, epoch and item only.
void draw_negatives(const Training& t, std::int32_t item_id, Item& item) {
  const std::int32_t* first = t.ancestors + t.offsets[item.u];
  const std::int32_t* last = t.ancestors + t.offsets[item.u + 1];
  const std::int64_t most = 20 * t.negatives + 100;  // a node linked to nearly all others
  std::int64_t left = t.negatives;
  PhiloxBlock words{};
  for (std::int64_t k = 0; k < most && left > 0; ++k) {
    if (k % 4 == 0) {
      words = philox_block(t.seed, (t.epoch << 32) + static_cast<std::uint64_t>(k / 4),
                           static_cast<std::uint32_t>(item_id), PhiloxDomain::embedding);
    }
    const std::uint32_t word = words[static_cast<std::size_t>(k % 4)];
    std::int64_t v = 0;
    if (t.weighted) {
      const double at = word * 0x1p-32 * t.cumulative[t.nodes - 1];
      v = std::upper_bound(t.cumulative, t.cumulative + t.nodes - 1, at) - t.cumulative;
    } else {
      v = static_cast<std::int64_t>((std::uint64_t{word} * static_cast<std::uint64_t>(t.nodes)) >>
                                    32);
    }
    const auto node = static_cast<std::int32_t>(v);
    if (node == item.u || std::binary_search(first, last, node)) continue;
    item.row.push_back(node);
    --left;
  }
}

void gather(const Training& t, Item& item) {
  const auto count = static_cast<std::int64_t>(item.row.size());
  const std::int64_t stride = padded(count);
  item.block.assign(static_cast<std::size_t>(stride * t.dim), 0.0F);
  for (std::int64_t i = 0; i < count; ++i) {
    const float* from = t.table + item.row[static_cast<std::size_t>(i)] * t.dim;
    for (std::int64_t j = 0; j < t.dim; ++j) {
      item.block[static_cast<std::size_t>(j * stride + i)] = from[j];
    }
  }
  for (auto* values : {&item.e, &item.c, &item.on_row, &item.on_u}) {
    values->assign(static_cast<std::size_t>(stride), 0.0);
  }
}

// Turns −s·d into weights relative to the nearest negative's: e^{−s·d} itself is 0 for all where
// s = 1/√κ is large. The loss and its derivatives do not change. Returns the shift.
double shift_weights(Item& item) {
  const auto positives = static_cast<std::size_t>(item.positives);
  item.exponents.assign(item.e.begin(), item.e.begin() + item.positives);
  double shift = item.e[positives];
  for (std::size_t i = positives; i < item.row.size(); ++i) shift = std::max(shift, item.e[i]);
  embed_table().powers(shift, static_cast<std::int64_t>(item.row.size()), item.e.data());
  return shift;
}

// log((e^r + S)/e^r) for any r.
double shifted_loss(double r, double negatives) {
  return r > 0 ? std::log1p(negatives * std::exp(-r)) : std::log(std::exp(r) + negatives) - r;
}

// −log(e_v/(e_v + S)) for each positive v against the sum S of the negatives. Its derivative by
// d(u,v) is 1 − p_v, by a negative's distance −Σ_v e_j/(e_v + S).
double weigh(Item& item, double scale) {
  const auto positives = static_cast<std::size_t>(item.positives);
  if (positives == item.row.size()) {  // linked to all others: nothing to tell apart
    std::fill(item.c.begin(), item.c.end(), 0.0);
    return 0.0;
  }
  const bool shifted = scale != 1.0;
  const double shift = shifted ? shift_weights(item) : 0.0;
  double negatives = 0.0;
  for (std::size_t i = positives; i < item.row.size(); ++i) negatives += item.e[i];
  double loss = 0.0;
  double shared = 0.0;  // Σ_v 1/(e_v + S)
  for (std::size_t i = 0; i < positives; ++i) {
    const double total = item.e[i] + negatives;
    loss +=
        shifted ? shifted_loss(item.exponents[i] - shift, negatives) : -std::log(item.e[i] / total);
    shared += 1.0 / total;
    item.c[i] *= scale * negatives / total;
  }
  for (std::size_t i = positives; i < item.row.size(); ++i) {
    item.c[i] *= -scale * item.e[i] * shared;
  }
  return loss;
}

void compute(const Training& t, std::int32_t item_id, Item& item) {
  item.row.clear();
  if (t.grouped) {
    item.u = item_id;
    item.row.assign(t.ancestors + t.offsets[item.u], t.ancestors + t.offsets[item.u + 1]);
  } else {
    const auto* above = std::upper_bound(t.offsets, t.offsets + t.nodes + 1, item_id);
    item.u = static_cast<std::int32_t>(above - t.offsets - 1);
    item.row.push_back(t.ancestors[item_id]);
  }
  item.positives = static_cast<std::int64_t>(item.row.size());
  draw_negatives(t, item_id, item);
  gather(t, item);
  const float* u = t.table + item.u * t.dim;
  item.point.assign(u, u + t.dim);
  double alpha = 1.0;
  for (const double v : item.point) alpha -= v * v;
  const auto count = static_cast<std::int64_t>(item.row.size());
  const Candidates y{item.block.data(), padded(count), count, t.dim};
  embed_table().terms(item.point.data(), alpha, t.scale, y, item.e.data(), item.c.data(),
                      item.on_row.data(), item.on_u.data());
  item.loss = weigh(item, t.scale);
  // ∂/∂u = Σ c((1 + |u−y|²/α)u − y); ∂/∂y = c((1 + |u−y|²/β)y − u).
  double own = 0.0;
  for (std::size_t i = 0; i < item.row.size(); ++i) own += item.c[i] * item.on_u[i];
  for (std::size_t i = item.row.size(); i < item.c.size(); ++i) item.c[i] = 0.0;
  item.gradient.assign(static_cast<std::size_t>(t.dim), 0.0);
  embed_table().weighted_rows(y, item.c.data(), item.gradient.data());
  for (std::size_t j = 0; j < item.gradient.size(); ++j) {
    item.gradient[j] = own * item.point[j] - item.gradient[j];
  }
  for (std::size_t i = 0; i < item.row.size(); ++i) {
    item.on_row[i] *= item.c[i];
    item.on_u[i] = -item.c[i];
  }
}

// x ← exp_x(−rate·α²/4·g), clamped to the ball, in double from the stored row.
void step(float* row, const double* g, std::int64_t dim, double rate) {
  double xx = 0.0, gg = 0.0, xg = 0.0;
  for (std::int64_t j = 0; j < dim; ++j) {
    const double x = row[j];
    xx += x * x;
    gg += g[j] * g[j];
    xg += x * g[j];
  }
  if (gg == 0.0) return;
  const double alpha = 1.0 - xx;
  const double length = rate * alpha * alpha / 4.0 * std::sqrt(gg);  // Euclidean
  // Below 1, so that a step across the whole ball keeps the denominator above 0.
  const double t = std::min(std::tanh(length / alpha), 1.0 - 0x1p-40);
  const double k = -t / std::sqrt(gg);  // y = k·g
  const double yy = t * t;
  const double ss = std::max(0.0, xx + 2.0 * k * xg + yy);
  const double d = ss + alpha * (1.0 - yy);
  const double on_x = (ss + alpha) / d;
  const double on_g = alpha * k / d;
  // The point's own norm: √(ss/d) loses its digits where x and y nearly cancel.
  double squared = 0.0;
  for (std::int64_t j = 0; j < dim; ++j) {
    const double v = on_x * row[j] + on_g * g[j];
    squared += v * v;
  }
  const double norm = std::sqrt(squared);
  const double shrink = norm > kBallMax ? kBallMax / norm : 1.0;
  for (std::int64_t j = 0; j < dim; ++j) {
    row[j] = static_cast<float>(shrink * (on_x * row[j] + on_g * g[j]));
  }
}

// Gradients of a batch, summed row by row in item order by the row's owner: the same sums whatever
// the number of owners. An owner reads and steps its own rows only (items hold copies of u), so it
// need not wait for the others in between.
class Accumulator {
 public:
  Accumulator(std::int64_t nodes, std::int64_t dim)
      : dim_(dim),
        sums_(static_cast<std::size_t>(nodes * dim), 0.0),
        seen_(static_cast<std::size_t>(nodes), 0) {}

  void apply(const Training& t, const std::vector<Item>& items, std::int64_t count) {
    const std::int64_t owners = thread_count();
    touched_.resize(static_cast<std::size_t>(owners));
    parallel_blocks(owners, 1, [&](std::int64_t owner, std::int64_t, std::int64_t) {
      collect(t, items, count, owner, owners);
      for (const std::int32_t r : touched_[static_cast<std::size_t>(owner)]) {
        double* g = sums_.data() + r * dim_;
        step(t.table + r * dim_, g, dim_, t.rate);
        std::fill(g, g + dim_, 0.0);
        seen_[static_cast<std::size_t>(r)] = 0;
      }
    });
  }

 private:
  double* sum_of(std::int32_t r, std::vector<std::int32_t>& mine) {
    if (seen_[static_cast<std::size_t>(r)] == 0) {
      seen_[static_cast<std::size_t>(r)] = 1;
      mine.push_back(r);
    }
    return sums_.data() + r * dim_;
  }

  void collect(const Training& t, const std::vector<Item>& items, std::int64_t count,
               std::int64_t owner, std::int64_t owners) {
    auto& mine = touched_[static_cast<std::size_t>(owner)];
    mine.clear();
    for (std::int64_t k = 0; k < count; ++k) {
      const Item& item = items[static_cast<std::size_t>(k)];
      for (std::size_t i = 0; i < item.row.size(); ++i) {
        const std::int32_t r = item.row[i];
        if (r % owners != owner) continue;
        double* sum = sum_of(r, mine);
        const float* y = t.table + r * dim_;
        for (std::int64_t j = 0; j < dim_; ++j) {
          sum[j] += item.on_row[i] * y[j] + item.on_u[i] * item.point[static_cast<std::size_t>(j)];
        }
      }
      if (item.u % owners != owner) continue;
      double* sum = sum_of(item.u, mine);
      for (std::int64_t j = 0; j < dim_; ++j) sum[j] += item.gradient[static_cast<std::size_t>(j)];
    }
  }

  std::int64_t dim_;
  std::vector<double> sums_;
  std::vector<char> seen_;
  std::vector<std::vector<std::int32_t>> touched_;
};

Training training_of(const KernelArgs& args) {
  const KernelOperand& table = args.out[0];
  return {data<const std::int64_t>(args.in[0]),
          data<const std::int32_t>(args.in[1]),
          data<const std::int32_t>(args.in[2]),
          data<const double>(args.in[3]),
          data<float>(table),
          table.rows,
          args.in[2].size(),
          table.cols,
          args.scalars[0],
          args.scalars[1],
          static_cast<std::uint64_t>(args.ints[0]),
          static_cast<std::uint64_t>(args.ints[1]),
          args.ints[2],
          args.ints[3],
          args.ints[4] != 0,
          args.ints[5] != 0};
}

void train(const KernelArgs& args) {
  const Training t = training_of(args);
  std::vector<Item> items(static_cast<std::size_t>(std::min(t.batch, t.items)));
  Accumulator accumulator(t.nodes, t.dim);
  double loss = 0.0;
  for (std::int64_t first = 0; first < t.items; first += t.batch) {
    const std::int64_t count = std::min(t.batch, t.items - first);
    parallel_for(count, 2, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        compute(t, t.order[first + k], items[static_cast<std::size_t>(k)]);
      }
    });
    accumulator.apply(t, items, count);
    for (std::int64_t k = 0; k < count; ++k) loss += items[static_cast<std::size_t>(k)].loss;
  }
  *data<double>(args.out[1]) = loss;
}

}  // namespace

void register_embed(KernelTable& table) {
  set_kernel(table, OpId::embed_train, train);
  set_kernel(table, OpId::embed_ranks, embed_ranks);
}

}  // namespace spiraltorch::cpu
