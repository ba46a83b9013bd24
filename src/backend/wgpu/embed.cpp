#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "backend/wgpu/sort_pairs.hpp"
#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

// Training and exact evaluation of hierarchy embeddings. What does not depend on the table, the
// candidates and their order by row, is found for many batches at once; a batch is then two
// dispatches: its items' terms, and a step of each row they touch.
namespace spiraltorch::wgpu {
namespace {

const Shader kDraw{"embed_draw", {wgsl::philox_words, wgsl::embed_draw}};
const Shader kSegments{"embed_segments", {wgsl::embed_segments}};
const Shader kTerms{"embed_terms",
                    {wgsl::pair, wgsl::pair_math, wgsl::embed_points, wgsl::embed_terms}};
const Shader kStep{"embed_step", {wgsl::pair, wgsl::pair_math, wgsl::embed_step}};
const Shader kLoss{"embed_loss", {wgsl::pair, wgsl::embed_loss}};
const Shader kFill{"fill", {wgsl::fill}};
const Shader kInverses{"embed_inverses", {wgsl::pair, wgsl::embed_points, wgsl::embed_inverses}};
const Shader kRanks{"embed_ranks", {wgsl::pair, wgsl::embed_points, wgsl::embed_ranks}};

constexpr std::uint64_t kThreads = 256;
constexpr std::uint64_t kFewThreads = 64;
constexpr std::uint64_t kChunk = 512;                            // hits ranked at once
constexpr std::uint64_t kDrawnBytes = std::uint64_t{64} << 20U;  // of the pairs drawn at once
constexpr std::uint64_t kVisits = std::uint64_t{1} << 30U;       // of coordinates in a dispatch
constexpr std::uint64_t kWordLimit = std::uint64_t{1} << 31U;    // of counts in shaders

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

// A number as two float32.
void add_pair(Task& task, double value) {
  task.f(value).f(value - static_cast<double>(static_cast<float>(value)));
}

struct Training {
  const KernelArgs& args;
  Device& device;
  std::uint64_t nodes, items, dim, batch, negatives;
  bool grouped, weighted;
  std::uint64_t slots = 0;  // candidates of an item, at most
  std::uint64_t pairs = 0;  // of a batch: an item's candidates and itself
  std::uint64_t block = 0;  // padded

  explicit Training(const KernelArgs& a)
      : args(a),
        device(device_of(a)),
        nodes(static_cast<std::uint64_t>(a.out[0].rows)),
        items(static_cast<std::uint64_t>(a.in[2].size())),
        dim(static_cast<std::uint64_t>(a.out[0].cols)),
        batch(std::max<std::uint64_t>(1, std::min(static_cast<std::uint64_t>(a.ints[2]), items))),
        negatives(static_cast<std::uint64_t>(a.ints[3])),
        grouped(a.ints[4] != 0),
        weighted(a.ints[5] != 0) {
    slots = negatives + (grouped ? most_linked() : 1);
    const std::uint64_t links = static_cast<std::uint64_t>(a.in[1].size());
    if (std::max({links, 20 * negatives + 100, batch * (slots + 1), nodes * dim}) >= kWordLimit) {
      fail(Errc::unsupported, "embed_train",
           text("batch on wgpu: got ", batch, " items of ", slots, " candidates and ", links,
                " pairs, expected less than 2^31 in all"));
    }
    pairs = batch * (slots + 1);
    block = std::bit_ceil(pairs);
  }

 private:
  [[nodiscard]] std::uint64_t most_linked() const {
    const auto words = read_words(device, args.in[0], 0, 2 * (nodes + 1));
    std::uint32_t most = 0;
    for (std::size_t i = 2; i < words.size(); i += 2) {
      most = std::max(most, words[i] - words[i - 2]);
    }
    return most;
  }
};

// For each node the last word that chooses it or one before it, as the CPU's search in doubles
// does; nodes before `start` are never chosen.
struct Choice {
  std::vector<std::uint32_t> last_words{0};
  std::uint64_t start = 0;

  explicit Choice(const Training& t) {
    if (!t.weighted) return;
    const auto words = read_words(t.device, t.args.in[3], 0, 2 * t.nodes);
    std::vector<double> cumulative(t.nodes);
    for (std::size_t i = 0; i < t.nodes; ++i) {
      cumulative[i] = std::bit_cast<double>(words[2 * i] | std::uint64_t{words[2 * i + 1]} << 32U);
    }
    last_words.assign(t.nodes, 0xFFFFFFFFU);
    for (std::size_t i = 0; i + 1 < t.nodes; ++i) {
      const std::uint64_t below = words_below(cumulative[i], cumulative.back());
      if (below == 0) start = i + 1;
      if (below > 0) last_words[i] = static_cast<std::uint32_t>(below - 1);
    }
  }

 private:
  // Words whose place in the distribution is before `bound`.
  static std::uint64_t words_below(double bound, double total) {
    std::uint64_t low = 0;
    std::uint64_t high = std::uint64_t{1} << 32U;
    while (low < high) {
      const std::uint64_t middle = (low + high) / 2;
      if (static_cast<double>(middle) * 0x1p-32 * total < bound) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
};

// Candidates of several batches: rows of each item's, and each batch's pairs sorted by row.
struct Drawn {
  std::uint64_t batches, most_rows;
  Scratch rows, heads, pairs, segments, choice;
  std::uint64_t start;

  Drawn(const Training& t, const Choice& c)
      : batches(
            std::clamp<std::uint64_t>(kDrawnBytes / (8 * t.block), 1, ceil_div(t.items, t.batch))),
        most_rows(std::min(t.nodes, t.pairs)),
        rows(t.device, 4 * std::max<std::uint64_t>(1, batches * t.batch * t.slots)),
        heads(t.device, 12 * batches * t.batch),
        pairs(t.device, 8 * batches * t.block),
        segments(t.device, 4 * batches * (most_rows + 1)),
        choice(t.device, 4 * c.last_words.size()),
        start(c.start) {
    t.device.upload(choice.block(), 0, c.last_words.data(), choice.bytes());
  }

  // Items [first, first + count).
  void draw(const Training& t, std::uint64_t first, std::uint64_t count) const {
    fill(t.device, pairs, 0xFFFFFFFFU);
    Task task(
        t.device, kDraw,
        {{"WG", kFewThreads}, {"GROUPED", t.grouped ? 1 : 0}, {"WEIGHTED", t.weighted ? 1 : 0}});
    task.bind(t.args.in[0]).bind(t.args.in[1]).bind(t.args.in[2]).bind(choice);
    task.bind(rows).bind(heads).bind(pairs);
    task.u(count).u(first).u(t.nodes).u(t.slots).u(t.negatives).u(20 * t.negatives + 100);
    task.u(t.batch).u(t.block).u(start);
    const auto seed = static_cast<std::uint64_t>(t.args.ints[0]);
    task.u(seed).u(seed >> 32U).u(t.args.ints[1]).run(count);
    find_rows(t, ceil_div(count, t.batch));
  }

 private:
  static void fill(Device& device, const Scratch& memory, std::uint32_t word) {
    const std::uint64_t words = memory.bytes() / 4;
    Task task(device, kFill);
    task.bind(memory).u(words).u(word).run(ceil_div(words, 1024));
  }

  void find_rows(const Training& t, std::uint64_t drawn_batches) const {
    sort_pairs(t.device, pairs, t.block, drawn_batches);
    fill(t.device, segments, 0);
    const std::uint64_t count = drawn_batches * t.block;
    const std::uint64_t groups = ceil_div(count, kThreads);
    Task task(t.device, kSegments, {{"WG", kThreads}});
    task.bind(pairs).bind(segments).u(groups).u(count).u(t.block).u(most_rows).run(groups);
  }
};

std::uint64_t power_within(std::uint64_t n, std::uint64_t least, std::uint64_t most) {
  return std::clamp(std::bit_ceil(n), least, most);
}

// A batch's coefficients, copies of the items' nodes and their own gradients.
struct Batch {
  Scratch coefficients, points, gradients;

  explicit Batch(const Training& t)
      : coefficients(t.device, 32 * std::max<std::uint64_t>(1, t.batch * t.slots)),
        points(t.device, 4 * t.batch * t.dim),
        gradients(t.device, 8 * t.batch * t.dim) {}

  // Items [first, first + count) of the epoch, from `drawn_first` on among those drawn.
  void compute(const Training& t, const Drawn& drawn, const Scratch& losses, std::uint64_t first,
               std::uint64_t drawn_first, std::uint64_t count) const {
    const std::uint64_t threads = power_within(t.slots, 32, kThreads);
    Task task(t.device, kTerms,
              {{"WG", static_cast<std::int64_t>(threads)},
               {"ACROSS", static_cast<std::int64_t>(power_within(t.dim, 4, 32))}});
    task.bind(t.args.out[0]).bind(drawn.rows).bind(drawn.heads).bind(coefficients);
    task.bind(points).bind(gradients).bind(losses);
    task.u(count).u(drawn_first).u(first).u(t.dim).u(t.slots);
    add_pair(task, t.args.scalars[1]);
    task.u(0).run(count);
  }

  void step(const Training& t, const Drawn& drawn, std::uint64_t number) const {
    const std::uint64_t lanes = power_within(t.dim, 4, kFewThreads);
    const std::uint64_t groups = ceil_div(drawn.most_rows, kFewThreads / lanes);
    Task task(t.device, kStep,
              {{"WG", kFewThreads},
               {"LANES", static_cast<std::int64_t>(lanes)},
               {"EACH", static_cast<std::int64_t>(ceil_div(t.dim, lanes))}});
    task.bind(t.args.out[0]).bind(drawn.pairs).bind(coefficients).bind(points).bind(gradients);
    task.bind(drawn.segments);
    int power = 0;
    const double rate = std::frexp(t.args.scalars[0], &power);
    task.u(groups).u(t.block).u(number * t.block).u(number * (drawn.most_rows + 1));
    task.u(t.dim).u(t.slots);
    add_pair(task, rate);
    task.i(power);
    add_pair(task, kBallMax);
    task.u(0).run(groups);
  }
};

void train(const KernelArgs& args) {
  const Training t(args);
  const Scratch losses(t.device, 8 * std::max<std::uint64_t>(1, t.items));
  if (t.items > 0) {
    const Drawn drawn(t, Choice(t));
    const Batch batch(t);
    for (std::uint64_t first = 0; first < t.items; first += drawn.batches * t.batch) {
      const std::uint64_t count = std::min(drawn.batches * t.batch, t.items - first);
      drawn.draw(t, first, count);
      for (std::uint64_t at = 0; at < count; at += t.batch) {
        batch.compute(t, drawn, losses, first + at, at, std::min(t.batch, count - at));
        batch.step(t, drawn, at / t.batch);
      }
    }
  }
  Task task(t.device, kLoss, {{"WG", kThreads}});
  task.bind(losses).bind(args.out[1]).u(t.items).u(0).run(1);
}

void ranks(const KernelArgs& args) {
  Device& device = device_of(args);
  const KernelOperand& table = args.in[0];
  const auto nodes = static_cast<std::uint64_t>(table.rows);
  const auto size = static_cast<std::uint64_t>(table.size());
  const Scratch inverses(device, 8 * nodes);
  const std::uint64_t inverse_groups = ceil_div(nodes, kThreads);
  Task invert(device, kInverses, {{"WG", kThreads}});
  invert.bind(table).bind(inverses).u(inverse_groups).u(nodes).u(table.cols).u(0);
  invert.run(inverse_groups);
  const std::uint64_t each = std::max<std::uint64_t>(1, kVisits / size);
  for (std::uint64_t first = 0; first < nodes; first += each) {
    const std::uint64_t groups = std::min(each, nodes - first);
    Task task(device, kRanks, {{"WG", kThreads}, {"CHUNK", kChunk}});
    task.bind(table).bind(args.in[1]).bind(args.in[2]).bind(inverses);
    task.bind(args.out[0]).bind(args.out[1]);
    task.u(groups).u(first).u(nodes).u(table.cols).u(args.in[1].rows - 1).u(0).run(groups);
  }
}

}  // namespace

void register_embed(KernelTable& table) {
  set_kernel(table, OpId::embed_train, train);
  set_kernel(table, OpId::embed_ranks, ranks);
}

}  // namespace spiraltorch::wgpu
