#include "backend/cpu/simd/mlr.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// nn.PoincareMLR.
namespace spiraltorch::cpu {
namespace {

enum Wanted : std::uint8_t { want_x = 1, want_z = 2, want_r = 4 };

// The classes of one call, arranged for the kernel.
struct Classes {
  std::vector<double> normals;
  std::vector<MlrClass> parameters;
};

void set_offset(MlrClass& k, double r, double kappa) {
  k.sign = std::signbit(r) ? -1.0 : 1.0;
  k.s = 2.0 * std::sqrt(kappa) * std::abs(r);
  if (k.s < kMlrNear) {
    k.cosh = std::cosh(k.s);
    k.sinh = std::sinh(k.s);
  }
  k.decay = std::exp(-2.0 * k.s);
  if (k.s < kMlrFar) k.half_power = 0.5 * std::exp(k.s);
}

Classes arrange(const KernelOperand& z, const float* r, double kappa) {
  const std::int64_t padded = padded_classes(z.cols);
  Classes out;
  out.normals.resize(static_cast<std::size_t>(padded * z.rows));
  out.parameters.resize(static_cast<std::size_t>(padded));
  const auto* from = data<const float>(z);
  for (std::int64_t j = 0; j < z.rows; ++j) {
    for (std::int64_t c = 0; c < z.cols; ++c) {
      const double v = from[j * z.cols + c];
      const std::int64_t tile = c / kMlrTile;
      out.normals[static_cast<std::size_t>((tile * z.rows + j) * kMlrTile + c % kMlrTile)] = v;
      out.parameters[static_cast<std::size_t>(c)].length += v * v;
    }
  }
  for (std::int64_t c = 0; c < z.cols; ++c) {
    MlrClass& k = out.parameters[static_cast<std::size_t>(c)];
    k.length = std::sqrt(k.length);
    k.inverse = k.length == 0.0 ? 0.0 : 1.0 / k.length;
    set_offset(k, r[c], kappa);
  }
  return out;
}

MlrJob make_job(const KernelArgs& args, const Classes& classes) {
  const KernelOperand& x = args.in[0];
  return {
      data<const float>(x),      x.rows,         x.cols, args.in[1].cols, classes.normals.data(),
      classes.parameters.data(), args.scalars[0]};
}

MlrJob part_of(const MlrJob& job, std::int64_t begin, std::int64_t end) {
  MlrJob part = job;
  part.x += begin * job.cols;
  part.rows = end - begin;
  return part;
}

// About 1 ns a class and 4 columns, and 20 ns a class: rows worth a thread.
std::int64_t row_grain(const MlrJob& job) {
  return std::max<std::int64_t>(1, 200000 / (job.classes * (job.cols + 80)));
}

void poincare_mlr(const KernelArgs& args) {
  const Classes classes = arrange(args.in[1], data<const float>(args.in[2]), args.scalars[0]);
  const MlrJob job = make_job(args, classes);
  auto* out = data<float>(args.out[0]);
  parallel_for(job.rows, row_grain(job), [&](std::int64_t begin, std::int64_t end) {
    mlr_table().forward(part_of(job, begin, end), out + begin * job.classes);
  });
}

// Gradients by normals and offsets from the sums over rows.
void finish(const MlrJob& job, const std::vector<double>& sums, float* by_z, float* by_r) {
  const std::int64_t padded = padded_classes(job.classes);
  const double* along = sums.data() + padded * job.cols;
  const double* turn = along + padded;
  const double two = 2.0 / std::sqrt(job.kappa);
  for (std::int64_t c = 0; c < job.classes; ++c) {
    const MlrClass& k = job.parameters[c];
    if (by_r != nullptr) by_r[c] = static_cast<float>(4.0 * k.length * turn[c]);
    if (by_z == nullptr) continue;
    const double* normal = job.normals + c / kMlrTile * job.cols * kMlrTile + c % kMlrTile;
    for (std::int64_t j = 0; j < job.cols; ++j) {
      const double unit = normal[j * kMlrTile] * k.inverse;
      // A normal of 0 has no direction: its gradient is 0, or NaN as the sums are.
      const double across = k.length == 0.0 ? 0.0 * along[c] : sums[std::size_t(c * job.cols + j)];
      by_z[j * job.classes + c] = static_cast<float>(two * (across + unit * along[c]));
    }
  }
}

void poincare_mlr_grad(const KernelArgs& args) {
  const Classes classes = arrange(args.in[1], data<const float>(args.in[2]), args.scalars[0]);
  const MlrJob job = make_job(args, classes);
  const auto* g = data<const float>(args.in[3]);
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* next = args.out.data();
  float* by_x = (wanted & want_x) != 0 ? data<float>(*next++) : nullptr;
  float* by_z = (wanted & want_z) != 0 ? data<float>(*next++) : nullptr;
  float* by_r = (wanted & want_r) != 0 ? data<float>(*next++) : nullptr;
  // Blocks depend on the rows only, so that equal calls sum in equal order; 16 at most.
  const std::int64_t block = std::max<std::int64_t>(64, (job.rows / 16 + 64) / 64 * 64);
  const std::int64_t blocks = (job.rows + block - 1) / block;
  const auto width = static_cast<std::size_t>(padded_classes(job.classes) * (job.cols + 2));
  const bool sums_wanted = by_z != nullptr || by_r != nullptr;
  std::vector<std::vector<double>> sums(sums_wanted ? static_cast<std::size_t>(blocks) : 0);
  parallel_blocks(job.rows, block, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
    double* into = nullptr;
    if (sums_wanted) {
      sums[static_cast<std::size_t>(i)].assign(width, 0.0);
      into = sums[static_cast<std::size_t>(i)].data();
    }
    mlr_table().backward(part_of(job, begin, end), g + begin * job.classes,
                         by_x == nullptr ? nullptr : by_x + begin * job.cols, into);
  });
  if (!sums_wanted) return;
  for (std::size_t i = 1; i < sums.size(); ++i) {
    std::transform(sums[0].begin(), sums[0].end(), sums[i].begin(), sums[0].begin(), std::plus<>());
  }
  finish(job, sums[0], by_z, by_r);
}

}  // namespace

void register_mlr(KernelTable& table) {
  set_kernel(table, OpId::poincare_mlr, poincare_mlr);
  set_kernel(table, OpId::poincare_mlr_grad, poincare_mlr_grad);
}

}  // namespace spiraltorch::cpu
