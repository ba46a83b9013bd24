#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "backend/wgpu/temporary.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// nn.PoincareMLR in the hyperboloid's coordinates: the large products are matrix products, and what
// follows them is elementwise.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;

const Shader kUnits{"mlr_units", {wgsl::bits, wgsl::math, wgsl::mlr_params, wgsl::mlr_units}};
const Shader kForward{"mlr_forward",
                      {wgsl::bits, wgsl::math, wgsl::pair, wgsl::pair_math, wgsl::mlr_params,
                       wgsl::mlr_terms, wgsl::mlr_forward}};
const Shader kGradient{"mlr_gradient",
                       {wgsl::bits, wgsl::math, wgsl::pair, wgsl::pair_math, wgsl::mlr_params,
                        wgsl::mlr_terms, wgsl::mlr_gradient}};
const Shader kNormals{"mlr_normals", {wgsl::mlr_params, wgsl::mlr_normals}};

// Operands of a call, with the rows on the hyperboloid, the normals' lengths and directions, and
// the products of rows and directions.
struct Call {
  const KernelOperand& x;
  const KernelOperand& z;
  const KernelOperand& r;
  double kappa;
  Temporary rows, lengths, units, products;

  explicit Call(const KernelArgs& args)
      : x(args.in[0]),
        z(args.in[1]),
        r(args.in[2]),
        kappa(args.scalars[0]),
        rows(x, {x.rows, x.cols + 1}),
        lengths(x, {1, z.cols}),
        units(x, {z.rows + 1, z.cols}),
        products(x, {x.rows, z.cols}) {
    run_op(OpId::ball_to_lorentz, {x}, {rows.operand}, {}, {kappa});
    run_op(OpId::norm, {z}, {lengths.operand}, {0});
    Task task(device_of(args), kUnits, {{"WG", kThreads}});
    task.bind(z).bind(lengths.operand).bind(units.operand);
    start(task, units.operand.size());
    run_op(OpId::matmul, {rows.operand, units.operand}, {products.operand}, {0, 0, 0});
  }

  void start(Task& task, std::int64_t count) const {
    const std::int64_t blocks = (count + kThreads - 1) / kThreads;
    task.u(count).u(blocks).u(z.cols).u(x.cols + 1).f(std::sqrt(kappa)).u(0);
    task.run(static_cast<std::uint64_t>(blocks));
  }
};

void poincare_mlr(const KernelArgs& args) {
  const Call call(args);
  Task task(device_of(args), kForward, {{"WG", kThreads}});
  task.bind(call.rows.operand).bind(call.products.operand).bind(call.lengths.operand);
  task.bind(call.r).bind(args.out[0]);
  call.start(task, args.out[0].size());
}

// Gradients by an element's parts.
struct Parts {
  Temporary by_product, second, by_offset;

  Parts(const Call& call, const KernelOperand& g, bool of_rows)
      : by_product(g, {g.rows, g.cols}),
        second(g, {g.rows, g.cols}),
        by_offset(g, of_rows ? Shape{1, 1} : Shape{g.rows, g.cols}) {
    Task task(Device::get(g.buffer->device().index, "launch"), kGradient,
              {{"WG", kThreads}, {"OF_ROWS", of_rows ? 1 : 0}});
    task.bind(call.rows.operand).bind(call.products.operand).bind(call.lengths.operand);
    task.bind(call.r).bind(g);
    task.bind(by_product.operand).bind(second.operand).bind(by_offset.operand);
    call.start(task, g.size());
  }
};

void rows_gradient(const Call& call, const KernelOperand& g, const KernelOperand& by_x) {
  const Parts parts(call, g, true);
  const Temporary by_rows(g, {call.x.rows, call.x.cols + 1});
  const Temporary by_time(g, {call.x.rows, 1});
  run_op(OpId::matmul, {parts.by_product.operand, call.units.operand}, {by_rows.operand},
         {0, 1, 0});
  run_op(OpId::sum, {parts.second.operand}, {by_time.operand}, {1});
  run_op(OpId::slice_assign, {by_time.operand}, {by_rows.operand}, {0, 1, call.x.rows, 0, 1, 1});
  run_op(OpId::ball_grad, {call.x, by_rows.operand}, {by_x},
         {static_cast<std::int64_t>(OpId::ball_to_lorentz), 0, 1}, {call.kappa});
}

void classes_gradient(const Call& call, const KernelOperand& g, const KernelOperand* by_z,
                      const KernelOperand* by_r) {
  const Parts parts(call, g, false);
  if (by_r != nullptr) run_op(OpId::sum, {parts.by_offset.operand}, {*by_r}, {0});
  if (by_z == nullptr) return;
  const Temporary along(g, {1, g.cols});
  const Temporary products(g, {call.z.rows + 1, g.cols});
  run_op(OpId::sum, {parts.second.operand}, {along.operand}, {0});
  run_op(OpId::matmul, {call.rows.operand, parts.by_product.operand}, {products.operand},
         {1, 0, 0});
  Task task(Device::get(g.buffer->device().index, "launch"), kNormals, {{"WG", kThreads}});
  task.bind(products.operand).bind(call.units.operand).bind(along.operand).bind(*by_z);
  call.start(task, by_z->size());
}

void poincare_mlr_grad(const KernelArgs& args) {
  const Call call(args);
  const KernelOperand& g = args.in[3];
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* next = args.out.data();
  if ((wanted & 1) != 0) rows_gradient(call, g, *next++);
  if ((wanted & 6) == 0) return;
  const KernelOperand* by_z = (wanted & 2) != 0 ? next++ : nullptr;
  const KernelOperand* by_r = (wanted & 4) != 0 ? next++ : nullptr;
  classes_gradient(call, g, by_z, by_r);
}

}  // namespace

void register_mlr(KernelTable& table) {
  set_kernel(table, OpId::poincare_mlr, poincare_mlr);
  set_kernel(table, OpId::poincare_mlr_grad, poincare_mlr_grad);
}

}  // namespace spiraltorch::wgpu
