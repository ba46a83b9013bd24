#include <memory>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/temporary.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Losses: a kernel writes each element's term and gradient, the sum's kernel adds the terms.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kEach = 4;

const Shader kSquared{"squared_error",
                      {wgsl::bits, wgsl::math, wgsl::loss_squared, wgsl::loss_main}};
const Shader kLogistic{"logistic_loss",
                       {wgsl::bits, wgsl::math, wgsl::loss_logistic, wgsl::loss_main}};
const Shader kEntropy{"cross_entropy", {wgsl::bits, wgsl::math, wgsl::loss_entropy}};

std::int64_t blocks_of(std::int64_t count) {
  return (count + kThreads * kEach - 1) / (kThreads * kEach);
}

// The gradient's place, or one for what nobody asked for.
KernelOperand gradient_of(const KernelArgs& args, std::unique_ptr<Temporary>& spare) {
  if (args.out.size() > 1) return args.out[1];
  const KernelOperand& p = args.in[0];
  spare = std::make_unique<Temporary>(p, Shape{p.rows, p.cols});
  return spare->operand;
}

void elementwise(const KernelArgs& args, const Shader& shader) {
  const KernelOperand& p = args.in[0];
  const Temporary terms(p, {p.rows, p.cols});
  std::unique_ptr<Temporary> spare;
  Task task(device_of(args), shader, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(p).bind(args.in[1]).bind(terms.operand).bind(gradient_of(args, spare));
  task.u(p.size()).u(blocks_of(p.size())).f(1.0 / static_cast<double>(p.size()));
  task.u(args.ints.empty() ? 0 : args.ints[0]);
  for (std::size_t i = 0; i < 4; ++i) task.f(i < args.scalars.size() ? args.scalars[i] : 0.0);
  task.run(static_cast<std::uint64_t>(blocks_of(p.size())));
  run_op(OpId::sum, {terms.operand}, {args.out[0]}, {-1});
}

void squared_error(const KernelArgs& args) { elementwise(args, kSquared); }
void logistic_loss(const KernelArgs& args) { elementwise(args, kLogistic); }

void cross_entropy(const KernelArgs& args) {
  const KernelOperand& p = args.in[0];
  const KernelOperand& t = args.in[1];
  const Shape shape{p.rows, p.cols};
  const Temporary logs(p, shape);
  const Temporary terms(p, shape);
  const Temporary mass(p, {p.rows, 1});
  std::unique_ptr<Temporary> spare;
  run_op(OpId::log_softmax, {p}, {logs.operand});
  run_op(OpId::sum, {t}, {mass.operand}, {1});
  Task task(device_of(args), kEntropy, {{"WG", kThreads}, {"EACH", kEach}});
  task.bind(logs.operand).bind(t).bind(mass.operand).bind(terms.operand);
  task.bind(gradient_of(args, spare));
  task.u(p.size()).u(blocks_of(p.size())).u(p.cols).u(t.cols);
  task.f(1.0 / static_cast<double>(p.rows));
  task.run(static_cast<std::uint64_t>(blocks_of(p.size())));
  run_op(OpId::sum, {terms.operand}, {args.out[0]}, {-1});
}

}  // namespace

void register_loss(KernelTable& table) {
  set_kernel(table, OpId::squared_error, squared_error);
  set_kernel(table, OpId::cross_entropy, cross_entropy);
  set_kernel(table, OpId::logistic_loss, logistic_loss);
}

}  // namespace spiraltorch::wgpu
