#include <algorithm>
#include <bit>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Rows by number: gather_rows and scatter_add_rows.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kEach = 4;        // elements or comparisons of a thread
constexpr std::int64_t kTile = 2048;     // pairs sorted in 16 KiB of workgroup memory
constexpr std::int64_t kSums = 1 << 17;  // threads enough to fill a device
constexpr std::int64_t kFewest = 16;     // source rows of a piece
constexpr std::int64_t kMost = 256;
constexpr std::int64_t kAcross = 32;  // most columns of a workgroup that joins parts
constexpr std::uint64_t kPairBytes = 8;
constexpr std::uint64_t kPartBytes = 24;

const Shader kGather{"gather_rows", {wgsl::gather_word, wgsl::gather_rows}};
const Shader kGather4{"gather_rows", {wgsl::gather_four, wgsl::gather_rows}};
const Shader kSortTile{"scatter_sort_tile", {wgsl::scatter_pair, wgsl::scatter_sort_tile}};
const Shader kSortStep{"scatter_sort_step", {wgsl::scatter_pair, wgsl::scatter_sort_step}};
const Shader kPieces{
    "scatter_pieces",
    {wgsl::bits, wgsl::sums, wgsl::reduce_sum, wgsl::scatter_params, wgsl::scatter_pieces}};
const Shader kJoin{
    "scatter_join",
    {wgsl::bits, wgsl::sums, wgsl::reduce_sum, wgsl::scatter_params, wgsl::scatter_join}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// Words of an index: those of i64 are below 2^32, so their low word says all.
std::int64_t stride_of(const KernelOperand& rows) { return rows.type == ElementType::i64 ? 2 : 1; }

void gather_rows(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const bool fours = x.cols % 4 == 0;
  const std::int64_t cols = fours ? x.cols / 4 : x.cols;
  const std::int64_t count = args.out[0].rows * cols;
  const std::int64_t blocks = ceil_div(count, kThreads * kEach);
  Task task(device_of(args), fours ? kGather4 : kGather,
            {{"WG", kThreads}, {"EACH", kEach}, {"STRIDE", stride_of(args.in[1])}});
  task.bind(x).bind(args.in[1]).bind(args.out[0]);
  task.u(count).u(cols).u(kThreads / cols).u(kThreads % cols).u(blocks);
  task.run(static_cast<std::uint64_t>(blocks));
}

void sort_tiles(Device& device, const Scratch& pairs, const KernelOperand& rows, bool first) {
  const std::int64_t blocks = ceil_div(rows.size(), kTile);
  Task task(
      device, kSortTile,
      {{"WG", kThreads}, {"TILE", kTile}, {"FIRST", first ? 1 : 0}, {"STRIDE", stride_of(rows)}});
  task.bind(pairs).bind(rows).u(rows.size()).u(blocks).run(static_cast<std::uint64_t>(blocks));
}

void sort_step(Device& device, const Scratch& pairs, std::int64_t count, std::int64_t run,
               bool flip) {
  const std::int64_t comparisons = ceil_div(count, 2 * run) * run;
  const std::int64_t blocks = ceil_div(comparisons, kThreads * kEach);
  Task task(device, kSortStep, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(pairs).u(count).u(comparisons).u(run).u(flip ? 1 : 0).u(blocks);
  task.run(static_cast<std::uint64_t>(blocks));
}

// Tiles first, then merges of runs twice as long each: steps over memory until one fits a tile.
void sort_pairs(Device& device, const Scratch& pairs, const KernelOperand& rows) {
  const std::int64_t count = rows.size();
  sort_tiles(device, pairs, rows, true);
  for (std::int64_t run = kTile; run < count; run *= 2) {
    sort_step(device, pairs, count, run, true);
    for (std::int64_t step = run / 2; step >= kTile; step /= 2) {
      sort_step(device, pairs, count, step, false);
    }
    sort_tiles(device, pairs, rows, false);
  }
}

// Source rows of a piece: short ones while that many threads can run, by the shapes alone.
std::int64_t piece_of(std::int64_t count, std::int64_t cols) {
  const auto wanted = static_cast<std::uint64_t>(count * cols / kSums);
  return std::clamp(static_cast<std::int64_t>(std::bit_floor(wanted)), kFewest, kMost);
}

void scatter_add_rows(const KernelArgs& args) {
  Device& device = device_of(args);
  const KernelOperand& x = args.in[0];
  const KernelOperand& source = args.in[1];
  const KernelOperand& out = args.out[0];
  const std::int64_t count = source.rows;
  const std::int64_t piece = piece_of(count, x.cols);
  const std::int64_t pieces = ceil_div(count, piece);
  const Scratch pairs(device, static_cast<std::uint64_t>(count) * kPairBytes);
  const Scratch parts(device, static_cast<std::uint64_t>(2 * pieces * x.cols) * kPartBytes);
  if (out.buffer != x.buffer) {
    copy_block(device, block_of(x), 0, block_of(out), 0, static_cast<std::uint64_t>(x.size()) * 4);
  }
  sort_pairs(device, pairs, args.in[2]);
  const auto run = [&](Task& task, std::int64_t tiles, std::int64_t blocks) {
    task.u(count).u(x.cols).u(piece).u(pieces).u(tiles).u(blocks).u(0);
    task.run(static_cast<std::uint64_t>(blocks));
  };
  Task sums(device, kPieces, {{"WG", kThreads}, {"KIND", 0}});
  sums.bind(out).bind(pairs).bind(parts).bind(source);
  run(sums, 1, ceil_div(pieces * x.cols, kThreads));
  if (pieces == 1) return;
  const auto across = std::min(
      kAcross, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(x.cols))));
  const std::int64_t tiles = ceil_div(x.cols, across);
  Task join(device, kJoin, {{"WG", kThreads}, {"TX", across}, {"KIND", 0}});
  join.bind(out).bind(pairs).bind(parts);
  run(join, tiles, pieces * tiles);
}

}  // namespace

void register_gather(KernelTable& table) {
  set_kernel(table, OpId::gather_rows, gather_rows);
  set_kernel(table, OpId::scatter_add_rows, scatter_add_rows);
}

}  // namespace spiraltorch::wgpu
