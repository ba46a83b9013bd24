#include "backend/cpu/embed_pools.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/embed_pools_merge.hpp"
#include "hwy/cache_control.h"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

// Longer steps than the longest in any case; in float32 times anything they do not overflow.
constexpr double kMostRate = 1e9;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// A node by its place in the pool, which of its ancestors (all if none is named), and the item's
// number among all items of an epoch, whatever their order.
struct ItemId {
  std::int32_t place;
  std::int32_t link;
  std::uint32_t number;
};

// A pool's items in the epoch's order, and its nodes' ancestors. A code from 0 on is a place in the
// pool, counted from its first; −1 − i stands for the inner node i, or when racing for position i.
struct PoolPlan {
  std::vector<ItemId> items;
  std::vector<std::int64_t> starts;  // of the codes of each of the pool's nodes
  std::vector<std::int32_t> codes;
  std::vector<std::int32_t> inner;                              // numbers of the same ancestors
  std::vector<std::pair<std::int32_t, std::int32_t>> subtrees;  // by number, for local negatives

  [[nodiscard]] std::span<const std::int32_t> row(const std::vector<std::int32_t>& of,
                                                  std::int32_t place) const {
    const std::int64_t first = starts[at(place)];
    return {of.data() + first, at(starts[at(place) + 1] - first)};
  }
};

// What a thread needs; threads take one, use it and put it back.
template <class T>
struct Worker {
  PoolScratch<T> scratch;
  std::vector<std::int32_t> drawn, flags, forbidden;
  PoolStrata strata;
  std::vector<T*> rows[2];          // of an item and the next one
  std::vector<std::int32_t> slots;  // of the shared nodes touched so far, else -1
  std::vector<double> cumulative;

  Worker(std::int64_t candidates, std::int64_t negatives, std::int64_t shared)
      : scratch(candidates),
        drawn(at((negatives + kDrawBatch - 1) / kDrawBatch * kDrawBatch)),
        flags(drawn.size()),
        rows{std::vector<T*>(at(scratch.padded())), std::vector<T*>(at(scratch.padded()))},
        slots(at(shared), -1) {}
};

template <class T>
class Training {
 public:
  Training(const PoolEpoch& e, T* table)
      : e_(e),
        layout_(e),
        table_(table),
        rows_(e, layout_, table),
        shared_(e, layout_, rows_),
        plans_(at(e.pools)),
        losses_(at(e.pools), 0.0) {
    rule_.dim = e.dim;
    rule_.rate = static_cast<T>(std::min(e.rate, kMostRate));
    rule_.scale = static_cast<T>(e.scale);
    rule_.power = static_cast<T>(e.power);
    rule_.alpha_least = PoolRows<T>::kAlphaLeast;
    rule_.space = e.space;
    for (std::int64_t i = 0; i < e.nodes; ++i) {
      most_linked_ = std::max(most_linked_, e.offsets[at(i) + 1] - e.offsets[at(i)]);
    }
  }

  double run() {
    const std::int64_t rounds = sharing() ? e_.rounds : 1;
    for (std::int64_t round = 0; round < rounds; ++round) {
      if (sharing()) shared_.keep();
      parallel_blocks(e_.pools, 1, [&](std::int64_t pool, std::int64_t, std::int64_t) {
        if (round == 0) plans_[at(pool)] = plan_of(pool);
        const auto count = std::ssize(plans_[at(pool)].items);
        run_pool(pool, count * round / rounds, count * (round + 1) / rounds);
      });
      if (sharing()) shared_.merge();
    }
    rows_.store(layout_, table_);
    return std::accumulate(losses_.begin(), losses_.end(), 0.0);
  }

 private:
  // Whether pools have copies of each other's rows.
  [[nodiscard]] bool sharing() const { return e_.pools > 1 && !e_.racing; }

  [[nodiscard]] PoolPlan plan_of(std::int64_t pool) const {
    PoolPlan out;
    const std::int32_t begin = layout_.begin(pool), end = layout_.end(pool);
    out.starts.assign(at(end - begin) + 1, 0);
    for (std::int32_t place = 0; place < end - begin; ++place) {
      const auto node = at(layout_.node(begin + place));
      const auto links = static_cast<std::int32_t>(e_.offsets[node + 1] - e_.offsets[node]);
      out.starts[at(place) + 1] = out.starts[at(place)] + links;
      if (e_.grouped && links > 0) {
        out.items.push_back({place, -1, static_cast<std::uint32_t>(node)});
      }
      for (std::int32_t k = 0; !e_.grouped && k < links; ++k) {
        out.items.push_back({place, k, static_cast<std::uint32_t>(e_.offsets[node] + k)});
      }
    }
    out.codes.resize(at(out.starts.back()));
    if (e_.local > 0) out.inner.resize(out.codes.size());
    for (std::int32_t place = 0; place < end - begin; ++place) {
      const std::int64_t links = e_.offsets[at(layout_.node(begin + place))];
      const std::int64_t first = out.starts[at(place)];
      for (std::int64_t k = first; k < out.starts[at(place) + 1]; ++k) {
        const std::int32_t a = e_.linked[at(links + k - first)];
        const std::int32_t p = layout_.place(a);
        const bool here = p >= begin && p < end;
        out.codes[at(k)] = here ? p - begin : -1 - (e_.racing ? p : layout_.inner(a));
        if (e_.local > 0) out.inner[at(k)] = layout_.inner(a);
      }
    }
    if (e_.local > 0) out.subtrees = layout_.subtrees(pool);
    PoolWords words(e_, kOrderWords, static_cast<std::uint32_t>(pool));
    for (std::int64_t i = std::ssize(out.items); i > 1; --i) {
      std::swap(out.items[at(i - 1)], out.items[at(words.below(i))]);
    }
    return out;
  }

  void run_pool(std::int64_t pool, std::int64_t first, std::int64_t last) {
    if (first == last) return;
    std::unique_ptr<Worker<T>> worker = take();
    auto& touched = shared_.touched(pool);
    if (e_.weighted) weigh_pool(pool, *worker);
    worker->strata.cut(layout_.end(pool) - layout_.begin(pool), e_.negatives);
    const PoolPlan& plan = plans_[at(pool)];
    double loss = 0.0;
    PoolItem<T> next = prepare(pool, plan, first, *worker, touched);
    for (std::int64_t i = first; i < last; ++i) {
      const PoolItem<T> item = next;
      // Its rows reach the cache during this step.
      if (i + 1 < last) next = prepare(pool, plan, i + 1, *worker, touched);
      if (i + 3 < last) hwy::Prefetch(&plan.starts[at(plan.items[at(i + 3)].place)]);
      if (i + 2 < last) {
        hwy::Prefetch(&plan.codes[at(plan.starts[at(plan.items[at(i + 2)].place)])]);
      }
      // Linked to the whole pool: nothing to tell apart.
      if (item.count > item.positives) loss += step_(item, rule_, worker->scratch);
    }
    losses_[at(pool)] += loss;
    for (const std::int32_t id : touched.ids) worker->slots[at(id)] = -1;
    give(std::move(worker));
  }

  PoolItem<T> prepare(std::int64_t pool, const PoolPlan& plan, std::int64_t i, Worker<T>& w,
                      Touched<T>& touched) {
    const ItemId id = plan.items[at(i)];
    const std::int32_t begin = layout_.begin(pool);
    const std::span<const std::int32_t> all = plan.row(plan.codes, id.place);
    w.forbidden.assign(1, id.place);
    for (const std::int32_t code : all) {
      if (code >= 0) w.forbidden.push_back(code);
    }
    T* base = rows_.row(begin);
    const std::int64_t stride = rows_.stride();
    T** rows = w.rows[i % 2].data();
    PoolItem<T> item;
    item.u = base + id.place * stride;
    hwy::Prefetch(item.u);
    item.rows = rows;
    item.positives = id.link < 0 ? std::ssize(all) : 1;
    const std::int64_t negatives = draw(pool, plan, id, w);
    item.count = item.positives + negatives;
    item.each = static_cast<T>(static_cast<double>(e_.negatives) /
                               static_cast<double>(std::max<std::int64_t>(1, negatives)));
    for (const std::int32_t code : id.link < 0 ? all : all.subspan(at(id.link), 1)) {
      *rows = row_of(code, begin, w, touched);
      hwy::Prefetch(*rows++);
    }
    kernels_.locate(base, static_cast<std::int32_t>(stride * std::int64_t{sizeof(T)}),
                    w.drawn.data(), negatives, rows);
    rows += negatives;
    for (std::int64_t k = item.count; k % kPoolAlign != 0; ++k) *rows++ = item.u;
    return item;
  }

  static auto step_of(const float*) { return embed_pool_table().step_f32; }
  static auto step_of(const double*) { return embed_pool_table().step_f64; }

  // An ancestor's row in this pool, or this pool's copy of another's.
  T* row_of(std::int32_t code, std::int32_t begin, Worker<T>& w, Touched<T>& touched) {
    if (code < 0) {
      return e_.racing ? rows_.row(-1 - code) : shared_.touch(-1 - code, w.slots, touched);
    }
    if (sharing()) shared_.mark_own(begin + code);
    return rows_.row(begin + code);
  }

  // Different negatives of an item into w.drawn, counted from the pool's first node; returns how
  // many: one from each stratum of the pool, turned at random, less those that are linked.
  std::int64_t draw(std::int64_t pool, const PoolPlan& plan, ItemId id, Worker<T>& w) {
    PoolWords words(e_, kTurnWords, id.number);
    if (e_.weighted) {
      draw_weighted(words, w);
    } else {
      const std::uint32_t counter[4] = {0, kNegativeWords + e_.epoch, id.number,
                                        static_cast<std::uint32_t>(PhiloxDomain::embedding)};
      const std::uint32_t key[2] = {static_cast<std::uint32_t>(e_.seed),
                                    static_cast<std::uint32_t>(e_.seed >> 32U)};
      kernels_.draw(counter, key, w.strata, words.below(w.strata.size), w.drawn.data());
    }
    const std::int64_t local = e_.local > 0 ? draw_local(pool, plan, id, w) : 0;
    const auto padded = std::ssize(w.drawn);
    if (!kernels_.find(w.drawn.data(), padded, w.forbidden, w.flags.data())) {
      return w.strata.count;
    }
    std::int64_t kept = local;
    for (std::int64_t i = local; i < w.strata.count; ++i) {
      if (w.flags[at(i)] == 0) w.drawn[at(kept++)] = w.drawn[at(i)];
    }
    return kept;
  }

  // By weight, one from each stratum of the weights; what is hit again counts once.
  void draw_weighted(PoolWords& words, Worker<T>& w) {
    const double total = w.cumulative.back();
    std::int32_t last = -1;
    for (std::int32_t i = 0; i < w.strata.count; ++i) {
      const double part = (i + words.next() * 0x1p-32) / w.strata.count * total;
      const auto found = std::upper_bound(w.cumulative.begin(), w.cumulative.end() - 1, part);
      const auto v = static_cast<std::int32_t>(found - w.cumulative.begin());
      w.drawn[at(i)] = v == last ? w.forbidden[0] : v;  // u itself: is dropped with the linked
      last = v;
    }
  }

  // In place of the first of them, others from the subtree of u or of one of its ancestors, chosen
  // at random. Returns how many; they are forbidden from then on, so that none is drawn twice.
  std::int64_t draw_local(std::int64_t pool, const PoolPlan& plan, ItemId id, Worker<T>& w) {
    PoolWords words(e_, kLocalWords, id.number);
    const auto above = plan.row(plan.inner, id.place);
    const std::int32_t own = layout_.inner(layout_.node(layout_.begin(pool) + id.place));
    std::int64_t drawn = 0;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(e_.local, w.strata.count); ++i) {
      constexpr int kTries = 4;
      for (int k = 0; k < kTries; ++k) {
        const auto which = at(words.below(std::ssize(above) + 1));
        const std::int32_t root = which == above.size() ? own : above[which];
        if (root < 0) continue;  // a leaf has nothing below it
        const auto [first, last] = plan.subtrees[at(root)];
        if (first == last) continue;
        const std::int32_t v = first + words.below(last - first);
        if (std::find(w.forbidden.begin(), w.forbidden.end(), v) != w.forbidden.end()) continue;
        w.drawn[at(drawn++)] = v;
        w.forbidden.push_back(v);
        break;
      }
    }
    return drawn;
  }

  void weigh_pool(std::int64_t pool, Worker<T>& w) {
    w.cumulative.clear();
    double sum = 0.0;
    for (std::int32_t p = layout_.begin(pool); p < layout_.end(pool); ++p) {
      sum += e_.weights[at(layout_.node(p))];
      w.cumulative.push_back(sum);
    }
  }

  std::unique_ptr<Worker<T>> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto out = std::move(idle_.back());
        idle_.pop_back();
        return out;
      }
    }
    const std::int64_t positives = e_.grouped ? most_linked_ : 1;
    return std::make_unique<Worker<T>>(positives + e_.negatives, e_.negatives, shared_.count());
  }
  void give(std::unique_ptr<Worker<T>> worker) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
  }

  const PoolEpoch& e_;
  PoolLayout layout_;
  T* table_;
  PoolRows<T> rows_;
  SharedRows<T> shared_;
  PoolRule<T> rule_;
  const EmbedPoolTable& kernels_ = embed_pool_table();
  double (*step_)(const PoolItem<T>&, const PoolRule<T>&,
                  PoolScratch<T>&) = step_of(static_cast<const T*>(nullptr));
  std::vector<PoolPlan> plans_;
  std::vector<double> losses_;
  std::int64_t most_linked_ = 0;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker<T>>> idle_;
};

void pools(const KernelArgs& args) {
  const PoolEpoch epoch(args);
  double& loss = *data<double>(args.out[1]);
  if (args.out[0].type == ElementType::f64) {
    loss = Training<double>(epoch, data<double>(args.out[0])).run();
  } else {
    loss = Training<float>(epoch, data<float>(args.out[0])).run();
  }
}

}  // namespace

void register_embed_pools(KernelTable& table) { set_kernel(table, OpId::embed_pools, pools); }

}  // namespace spiraltorch::cpu
