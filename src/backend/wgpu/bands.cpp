#include <algorithm>
#include <bit>
#include <cmath>

#include "backend/wgpu/rank_job.hpp"
#include "backend/wgpu/rank_shaders.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Bands of a gradient by |g| (spec 3, 2.6): a walk that seeks Above's last and Beneath's first
// element in descending order, then one pass that labels and sums.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kPiece = kThreads * 32;
constexpr std::int64_t kMostElements = 1 << 27;
constexpr std::int64_t kCounters = 2 * 2048 * 4;
constexpr std::int64_t kSums = 1536 * 8;

using Reads = RankShaders::Reads;
const RankShaders kLabel{
    "band_label", Reads::yes, {wgsl::rank_class, wgsl::rank_bounds, wgsl::rank_label}};
const RankShaders kSumUp{"band_sums", Reads::no, {wgsl::rank_band_sums}};

// The gradient is one row; what exceeds a dispatch or a binding is walked in parts of whole pieces.
class Bands {
 public:
  explicit Bands(const KernelArgs& args);
  void walk();
  void label();

 private:
  struct Part {
    std::int64_t first;  // element
    std::int64_t n;
    [[nodiscard]] std::int64_t pieces() const { return (n + kPiece - 1) / kPiece; }
  };
  enum class Over : std::uint8_t { part, row };

  RankTask task(const RankShaders& shaders, Part part, Constant more = {"UNUSED", 0}) const;
  RankTask& x(RankTask& to, Part part) const {
    return to.bind(g_, {part.first * 4, part.n * 4}, &RankParams::x);
  }
  RankTask& counts(RankTask& to, Part part) const {
    return to.bind(counts_, {part.first / kPiece * 16, part.pieces() * 16}, &RankParams::pieces_at);
  }

  const KernelOperand& g_;
  const KernelOperand& labels_;
  const KernelOperand& doubles_;
  Device& device_;
  std::int64_t n_;
  RankParams params_;
  std::vector<Part> parts_;
  Scratch counters_;
  Scratch state_;
  Scratch counts_;
  Scratch unused_;  // no list of candidates: the label pass needs every element
  Scratch unused2_;
  Scratch sums_;
};

Bands::Bands(const KernelArgs& args)
    : g_(args.in[0]),
      labels_(args.out[0]),
      doubles_(args.out[1]),
      device_(device_of(args)),
      n_(g_.size()),
      counters_(device_, kCounters),
      state_(device_, 256),
      counts_(device_, static_cast<std::uint64_t>(
                           std::max<std::int64_t>(256, (n_ + kPiece - 1) / kPiece * 16))),
      unused_(device_, 256),
      unused2_(device_, 256),
      sums_(device_, kSums) {
  const std::int64_t above = std::min(args.ints[0], n_);
  const std::int64_t beneath = std::min(args.ints[1], n_ - above);
  const auto tolerance = static_cast<float>(std::max(args.scalars[0], 0.0));
  params_.stride = kPiece;
  params_.flip = 0xFFFFFFFFU;
  params_.mask = 0x7FFFFFFFU;
  params_.two = 1;
  params_.ranked = 1;
  params_.low = static_cast<std::uint32_t>(std::max<std::int64_t>(above, 1) - 1);
  params_.high = static_cast<std::uint32_t>(n_ - std::max<std::int64_t>(beneath, 1));
  params_.k = 1;
  params_.above = above > 0 ? 1 : 0;
  params_.beneath = beneath > 0 ? 1 : 0;
  params_.tolerance = std::bit_cast<std::uint32_t>(tolerance) & 0x7FFFFFFFU;
  const auto room = static_cast<std::int64_t>(device_.limits().binding_bytes) - 512;
  const std::int64_t most = std::min(kMostElements, room / 4) / kPiece * kPiece;
  for (std::int64_t first = 0; first < n_; first += most) {
    parts_.push_back({first, std::min(most, n_ - first)});
  }
}

RankTask Bands::task(const RankShaders& shaders, Part part, Constant more) const {
  RankParams p = params_;
  p.cols = static_cast<std::uint32_t>(part.n);
  p.pieces = static_cast<std::uint32_t>(part.pieces());
  return {
      device_, shaders.pick(true, device_.limits().subgroups), {{"WG", kThreads}, more}, {0, 1}, p};
}

void Bands::walk() {
  const Part all{0, n_};
  task(kRankClear, all).bind_whole(counters_).run(1);
  for (const int digit : {0, 1, 2}) {
    for (const Part part : parts_) {
      RankTask t =
          digit == 1 ? task(kRankCollect, part) : task(kRankHistogram, part, {"DIGIT", digit});
      x(t, part).bind_whole(counters_).bind_whole(state_);
      counts(t, part).bind_whole(unused_);
      if (digit == 1) t.bind_whole(unused2_);
      t.run(part.pieces());
    }
    task(kRankChoose, all, {"DIGIT", digit}).bind_whole(counters_).bind_whole(state_).run(1);
  }
  for (const Part part : parts_) {
    RankTask t = task(kRankCount, part);
    x(t, part).bind_whole(state_);
    counts(t, part).bind_whole(unused_).run(part.pieces());
  }
  task(kRankScan, all).bind_whole(counts_).run(1);
}

void Bands::label() {
  const std::vector<std::uint32_t> zeros(kSums / 4, 0);
  device_.upload(sums_.block(), 0, zeros.data(), kSums);
  for (const Part part : parts_) {
    RankTask t = task(kLabel, part);
    x(t, part).bind_whole(state_);
    counts(t, part).bind(labels_, {part.first * 4, part.n * 4}, &RankParams::values);
    t.bind_whole(sums_).run(part.pieces());
  }
  task(kSumUp, {0, n_}).bind_whole(sums_).bind_whole(doubles_).run(1);
}

void band_split(const KernelArgs& args) {
  Bands bands(args);
  bands.walk();
  bands.label();
}

const Shader kScale{"band_scale", {wgsl::band_scale}};
constexpr std::int64_t kEach = 4;  // elements of a thread

void band_scale(const KernelArgs& args) {
  const std::int64_t count = args.in[0].size();
  const std::int64_t blocks = (count + kThreads * kEach - 1) / (kThreads * kEach);
  Task task(device_of(args), kScale, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(args.in[0]).bind(args.in[1]).bind(args.out[0]).u(count).u(blocks);
  for (const double weight : args.scalars.first(3)) task.f(weight);
  task.run(static_cast<std::uint64_t>(blocks));
}

}  // namespace

void register_bands(KernelTable& table) {
  set_kernel(table, OpId::band_split, band_split);
  set_kernel(table, OpId::band_scale, band_scale);
}

}  // namespace spiraltorch::wgpu
