#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kEach = 4;  // elements of a thread
constexpr std::int64_t kTile = 32;
constexpr std::int64_t kThin = 8;  // a matrix so thin is transposed without tiles

const Shader kStrided{"strided", {wgsl::strided}};
const Shader kTranspose{"transpose", {wgsl::transpose}};
const Shader kJoin{"complex_join", {wgsl::complex_join}};
const Shader kPhilox{"philox_uniform", {wgsl::philox_words, wgsl::philox}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A strided place: element (i, j) is at first + i*row + j*col.
struct Place {
  std::int64_t first;
  std::int64_t row;
  std::int64_t col;
};

void move(const KernelArgs& args, const Place& from, const Place& to, std::int64_t rows,
          std::int64_t cols) {
  const std::int64_t blocks = ceil_div(rows * cols, kThreads * kEach);
  Task task(device_of(args), kStrided, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(args.in[0]).bind(args.out[0]);
  task.u(rows * cols).u(cols).u(kThreads / cols).u(kThreads % cols).u(blocks);
  for (const Place& place : {from, to}) task.u(place.first).u(place.row).u(place.col);
  task.run(static_cast<std::uint64_t>(blocks));
}

void transpose(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  if (x.cols <= kThin) return move(args, {0, x.cols, 1}, {0, 1, x.rows}, x.rows, x.cols);
  if (x.rows <= kThin) return move(args, {0, 1, x.cols}, {0, x.rows, 1}, x.cols, x.rows);
  const std::int64_t across = ceil_div(x.cols, kTile);
  const std::int64_t blocks = across * ceil_div(x.rows, kTile);
  Task task(device_of(args), kTranspose);
  task.bind(x).bind(args.out[0]).u(x.rows).u(x.cols).u(across).u(blocks);
  task.run(static_cast<std::uint64_t>(blocks));
}

void slice(const KernelArgs& args) {
  const std::int64_t x_cols = args.in[0].cols;
  const KernelOperand& y = args.out[0];
  move(args, {args.ints[0] * x_cols + args.ints[2], args.ints[1] * x_cols, args.ints[3]},
       {0, y.cols, 1}, y.rows, y.cols);
}

void slice_assign(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const std::int64_t y_cols = args.out[0].cols;
  move(args, {0, x.row_stride, x.col_stride},
       {args.ints[0] * y_cols + args.ints[3], args.ints[1] * y_cols, args.ints[4]}, args.ints[2],
       args.ints[5]);
}

void complex_plane(const KernelArgs& args) {
  move(args, {args.ints[0], 0, 2}, {0, 0, 1}, 1, args.out[0].size());
}

void complex_join(const KernelArgs& args) {
  const std::int64_t count = args.in[0].size();
  const std::int64_t blocks = ceil_div(count, kThreads * kEach);
  Task task(device_of(args), kJoin, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(args.in[0]).bind(args.in[1]).bind(args.out[0]).u(count).u(blocks);
  task.run(static_cast<std::uint64_t>(blocks));
}

void philox_uniform(const KernelArgs& args) {
  const std::int64_t count = args.out[0].size();
  const std::int64_t blocks = ceil_div(count, kThreads * kEach);
  Task task(device_of(args), kPhilox, {{"WG", kThreads}});
  task.bind(args.out[0]).u(count).u(blocks);
  for (const std::int64_t wide : {args.ints[0], args.ints[1]}) {
    task.u(wide).u(static_cast<std::uint64_t>(wide) >> 32U);
  }
  task.run(static_cast<std::uint64_t>(blocks));
}

}  // namespace

void register_data(KernelTable& table) {
  set_kernel(table, OpId::transpose, transpose);
  set_kernel(table, OpId::slice, slice);
  set_kernel(table, OpId::slice_assign, slice_assign);
  set_kernel(table, OpId::complex_plane, complex_plane);
  set_kernel(table, OpId::complex_join, complex_join);
  set_kernel(table, OpId::philox_uniform, philox_uniform);
}

}  // namespace spiraltorch::wgpu
