#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/rank_job.hpp"
#include "backend/cpu/simd/select.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Bands of a gradient by |g| (spec 3, 2.6): a two-rank walk by digits, then one elementwise pass.
namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kPiece = 65536;

// Ascending ranks of the two boundaries, narrowed digit by digit.
struct Target {
  bool used = false;
  std::int64_t rank = 0;
  std::uint32_t prefix = 0;
};

struct Bands {
  const float* sizes;  // |g|
  std::int64_t n;
  std::array<Target, 2> targets{};        // Above's last element; Beneath's first
  std::vector<std::uint32_t> counters{};  // per piece: two lists of 2048

  [[nodiscard]] std::int64_t pieces() const { return (n + kPiece - 1) / kPiece; }
  [[nodiscard]] std::uint32_t* counts(std::int64_t piece, int target) {
    return counters.data() + (2 * piece + target) * kDigitCounters;
  }
};

void count_digit(Bands& b, int digit) {
  std::fill(b.counters.begin(), b.counters.end(), 0U);
  parallel_for(b.pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
    const GradualUnderflow mode;
    std::vector<std::uint32_t> scratch(kHistogramWords);
    for (std::int64_t p = begin; p < end; ++p) {
      const RankRun run{b.sizes + p * kPiece, nullptr, std::min(kPiece, b.n - p * kPiece), 0};
      for (int i = 0; i < 2; ++i) {
        const Target& t = b.targets[static_cast<std::size_t>(i)];
        if (!t.used) continue;
        select_table().histogram(KeyPolicy::plain, run, digit, t.prefix, b.counts(p, i),
                                 scratch.data());
      }
    }
  });
}

void choose_digit(Bands& b, int digit) {
  for (int i = 0; i < 2; ++i) {
    Target& t = b.targets[static_cast<std::size_t>(i)];
    if (!t.used) continue;
    (void)descend(digit, t.rank, t.prefix, [&](std::uint32_t bucket) {
      std::int64_t here = 0;
      for (std::int64_t p = 0; p < b.pieces(); ++p) here += b.counts(p, i)[bucket];
      return here;
    });
  }
}

// In TopK order the copies of a key stand in index order: of the boundary key, the first `first`
// belong to the side of the larger.
struct Boundary {
  std::uint32_t key = 0;
  std::int64_t first = 0;
};

Boundary boundary_of(Bands& b, int i, std::int64_t& before, std::int64_t piece) {
  const Target& t = b.targets[static_cast<std::size_t>(i)];
  std::int64_t all = 0;
  before = 0;
  for (std::int64_t p = 0; p < b.pieces(); ++p) {
    const std::int64_t here = b.counts(p, i)[t.prefix & 1023U];
    if (p < piece) before += here;
    all += here;
  }
  // Ascending rank r among `all` copies leaves all − r at or above it: Above takes those; Beneath
  // starts with the one at ascending rank r, so r + 1 are beneath.
  return {t.prefix, i == 0 ? all - t.rank : all - t.rank - 1};
}

void label_piece(Bands& b, std::int64_t piece, float tolerance, std::int32_t* labels,
                 double* sums) {
  std::int64_t seen_above = 0;
  std::int64_t seen_beneath = 0;
  const Boundary above = boundary_of(b, 0, seen_above, piece);
  const Boundary beneath = boundary_of(b, 1, seen_beneath, piece);
  const std::int64_t end = std::min(b.n, (piece + 1) * kPiece);
  for (std::int64_t i = piece * kPiece; i < end; ++i) {
    const float size = b.sizes[i];
    const std::uint32_t u = select_key(KeyPolicy::plain, size);
    std::int32_t band = 1;
    if (b.targets[0].used && (u > above.key || (u == above.key && seen_above++ < above.first))) {
      band = 0;
    } else if (b.targets[1].used && u < beneath.key) {
      band = 2;
    }
    if (b.targets[1].used && u == beneath.key && seen_beneath++ >= beneath.first && band != 0) {
      band = 2;
    }
    if (size <= tolerance) band = 1;
    labels[i] = band;
    sums[band] += static_cast<double>(size);
  }
}

void band_split(const KernelArgs& args) {
  const KernelOperand& g = args.in[0];
  std::vector<float> sizes(static_cast<std::size_t>(g.size()));
  const auto* x = data<const float>(g);
  std::transform(x, x + g.size(), sizes.begin(), [](float v) { return std::abs(v); });
  Bands b{sizes.data(), g.size()};
  const std::int64_t above = std::min(args.ints[0], b.n);
  const std::int64_t beneath = std::min(args.ints[1], b.n - above);
  b.targets[0] = {above > 0, b.n - above, 0};
  b.targets[1] = {beneath > 0, beneath - 1, 0};
  b.counters.resize(static_cast<std::size_t>(2 * b.pieces() * kDigitCounters));
  for (int digit = 0; digit < kDigits; ++digit) {
    count_digit(b, digit);
    choose_digit(b, digit);
  }
  std::vector<std::array<double, 3>> sums(static_cast<std::size_t>(b.pieces()));
  auto* labels = data<std::int32_t>(args.out[0]);
  const auto tolerance = static_cast<float>(std::max(args.scalars[0], 0.0));
  parallel_for(b.pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
    const GradualUnderflow mode;
    for (std::int64_t p = begin; p < end; ++p) {
      label_piece(b, p, tolerance, labels, sums[static_cast<std::size_t>(p)].data());
    }
  });
  auto* out = data<double>(args.out[1]);
  std::fill(out, out + 3, 0.0);
  for (const auto& part : sums) {
    for (std::size_t i = 0; i < 3; ++i) out[i] += part[i];
  }
}

void band_scale(const KernelArgs& args) {
  const auto* g = data<const float>(args.in[0]);
  const auto* labels = data<const std::int32_t>(args.in[1]);
  auto* out = data<float>(args.out[0]);
  std::array<float, 3> weights{};
  for (std::size_t i = 0; i < 3; ++i) weights[i] = static_cast<float>(args.scalars[i]);
  parallel_for(args.in[0].size(), kPiece, [&](std::int64_t begin, std::int64_t end) {
    const GradualUnderflow mode;
    for (std::int64_t i = begin; i < end; ++i) {
      const float weight = weights[static_cast<std::size_t>(labels[i])];
      out[i] = weight == 0.0F ? 0.0F : g[i] * weight;
    }
  });
}

}  // namespace

void register_bands(KernelTable& table) {
  set_kernel(table, OpId::band_split, band_split);
  set_kernel(table, OpId::band_scale, band_scale);
}

}  // namespace spiraltorch::cpu
