#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spiraltorch {

/// Every operation a back end may implement, grouped by the file that holds its CPU kernel.
/// Append inside a group freely: ids are not stored anywhere yet.
enum class OpId : std::uint16_t {
  // elementwise
  add,
  sub,
  mul,
  div,
  hypot,
  atan2,
  add_scaled,
  neg,
  abs,
  exp,
  log,
  tanh,
  sigmoid,
  relu,
  sqrt,
  pow_scalar,
  clamp,
  gelu,
  gelu_tanh,
  abs_grad,
  relu_grad,
  tanh_grad,
  sigmoid_grad,
  clamp_grad,
  pow_scalar_grad,
  norm_grad,
  gelu_grad,
  gelu_tanh_grad,
  // reduce
  sum,
  max,
  min,
  norm,
  extremum_grad,
  softmax,
  log_softmax,
  softmax_grad,
  log_softmax_grad,
  layer_norm,
  layer_norm_grad,
  weighted_sum,
  squared_norm,
  all_close,
  first_non_finite,
  // data movement
  fill,
  transpose,
  slice,
  slice_assign,
  complex_plane,
  complex_join,
  philox_uniform,
  gather_rows,
  scatter_add_rows,
  // matmul
  matmul,
  linear,
  linear_grad,
  // losses
  squared_error,
  cross_entropy,
  logistic_loss,
  // poincare
  ball_project,
  ball_import,
  ball_expmap0,
  ball_logmap0,
  ball_mobius_add,
  ball_mobius_scalar,
  ball_expmap,
  ball_logmap,
  ball_gyration,
  ball_parallel_transport,
  ball_dist,
  ball_dist_matrix,
  ball_conformal_factor,
  ball_egrad2rgrad,
  ball_geodesic,
  ball_gyromidpoint,
  ball_frechet_mean,
  ball_to_lorentz,
  ball_sgd_step,
  ball_grad,
  ball_dist_matrix_grad,
  ball_gyromidpoint_grad,
  ball_frechet_mean_grad,
  // lorentz
  lorentz_rows,
  lorentz_rows_grad,
  lorentz_dist_matrix,
  // layers
  poincare_mlr,
  poincare_mlr_grad,
  poincare_linear,
  poincare_linear_grad,
  // embed
  embed_train,
  embed_ranks,
  embed_pools,
  // optim
  optim_step,
  ball_optim_step,
  optim_squares,
  // rank
  rank_select,
  rank_grad,
  range_count,
  range_emit,
  band_split,
  band_scale,
  count_
};

struct OpInfo {
  OpId id;
  std::string_view name;
  std::uint8_t inputs;  ///< tensors read
  bool differentiable;  ///< a gradient stands beside the op
};

inline constexpr std::array kOps{
    OpInfo{OpId::add, "add", 2, true},
    OpInfo{OpId::sub, "sub", 2, true},
    OpInfo{OpId::mul, "mul", 2, true},
    OpInfo{OpId::div, "div", 2, true},
    OpInfo{OpId::hypot, "hypot", 2, false},
    OpInfo{OpId::atan2, "atan2", 2, false},
    OpInfo{OpId::add_scaled, "add_scaled", 2, false},
    OpInfo{OpId::neg, "neg", 1, true},
    OpInfo{OpId::abs, "abs", 1, true},
    OpInfo{OpId::exp, "exp", 1, true},
    OpInfo{OpId::log, "log", 1, true},
    OpInfo{OpId::tanh, "tanh", 1, true},
    OpInfo{OpId::sigmoid, "sigmoid", 1, true},
    OpInfo{OpId::relu, "relu", 1, true},
    OpInfo{OpId::sqrt, "sqrt", 1, true},
    OpInfo{OpId::pow_scalar, "pow_scalar", 1, true},
    OpInfo{OpId::clamp, "clamp", 1, true},
    OpInfo{OpId::gelu, "gelu", 1, true},
    OpInfo{OpId::gelu_tanh, "gelu_tanh", 1, true},
    OpInfo{OpId::abs_grad, "abs_grad", 2, false},
    OpInfo{OpId::relu_grad, "relu_grad", 2, false},
    OpInfo{OpId::tanh_grad, "tanh_grad", 2, false},
    OpInfo{OpId::sigmoid_grad, "sigmoid_grad", 2, false},
    OpInfo{OpId::clamp_grad, "clamp_grad", 2, false},
    OpInfo{OpId::pow_scalar_grad, "pow_scalar_grad", 2, false},
    OpInfo{OpId::norm_grad, "norm_grad", 3, false},
    OpInfo{OpId::gelu_grad, "gelu_grad", 2, false},
    OpInfo{OpId::gelu_tanh_grad, "gelu_tanh_grad", 2, false},
    OpInfo{OpId::sum, "sum", 1, true},
    OpInfo{OpId::max, "max", 1, true},
    OpInfo{OpId::min, "min", 1, true},
    OpInfo{OpId::norm, "norm", 1, true},
    OpInfo{OpId::extremum_grad, "extremum_grad", 3, false},
    OpInfo{OpId::softmax, "softmax", 1, true},
    OpInfo{OpId::log_softmax, "log_softmax", 1, true},
    OpInfo{OpId::softmax_grad, "softmax_grad", 2, false},
    OpInfo{OpId::log_softmax_grad, "log_softmax_grad", 2, false},
    OpInfo{OpId::layer_norm, "layer_norm", 3, true},
    OpInfo{OpId::layer_norm_grad, "layer_norm_grad", 3, false},
    OpInfo{OpId::weighted_sum, "weighted_sum", 1, false},
    OpInfo{OpId::squared_norm, "squared_norm", 1, false},
    OpInfo{OpId::all_close, "all_close", 2, false},
    OpInfo{OpId::first_non_finite, "first_non_finite", 1, false},
    OpInfo{OpId::fill, "fill", 0, false},
    OpInfo{OpId::transpose, "transpose", 1, true},
    OpInfo{OpId::slice, "slice", 1, true},
    OpInfo{OpId::slice_assign, "slice_assign", 1, false},
    OpInfo{OpId::complex_plane, "complex_plane", 1, false},
    OpInfo{OpId::complex_join, "complex_join", 2, false},
    OpInfo{OpId::philox_uniform, "philox_uniform", 0, false},
    OpInfo{OpId::gather_rows, "gather_rows", 2, true},
    OpInfo{OpId::scatter_add_rows, "scatter_add_rows", 3, true},
    OpInfo{OpId::matmul, "matmul", 2, true},
    OpInfo{OpId::linear, "linear", 3, true},
    OpInfo{OpId::linear_grad, "linear_grad", 4, false},
    OpInfo{OpId::squared_error, "squared_error", 2, true},
    OpInfo{OpId::cross_entropy, "cross_entropy", 2, true},
    OpInfo{OpId::logistic_loss, "logistic_loss", 2, true},
    OpInfo{OpId::ball_project, "ball_project", 1, true},
    OpInfo{OpId::ball_import, "ball_import", 1, true},
    OpInfo{OpId::ball_expmap0, "ball_expmap0", 1, true},
    OpInfo{OpId::ball_logmap0, "ball_logmap0", 1, true},
    OpInfo{OpId::ball_mobius_add, "ball_mobius_add", 2, true},
    OpInfo{OpId::ball_mobius_scalar, "ball_mobius_scalar", 2, true},
    OpInfo{OpId::ball_expmap, "ball_expmap", 2, true},
    OpInfo{OpId::ball_logmap, "ball_logmap", 2, true},
    OpInfo{OpId::ball_gyration, "ball_gyration", 3, true},
    OpInfo{OpId::ball_parallel_transport, "ball_parallel_transport", 3, true},
    OpInfo{OpId::ball_dist, "ball_dist", 2, true},
    OpInfo{OpId::ball_dist_matrix, "ball_dist_matrix", 2, true},
    OpInfo{OpId::ball_conformal_factor, "ball_conformal_factor", 1, true},
    OpInfo{OpId::ball_egrad2rgrad, "ball_egrad2rgrad", 2, true},
    OpInfo{OpId::ball_geodesic, "ball_geodesic", 3, true},
    OpInfo{OpId::ball_gyromidpoint, "ball_gyromidpoint", 2, true},
    OpInfo{OpId::ball_frechet_mean, "ball_frechet_mean", 2, true},
    OpInfo{OpId::ball_to_lorentz, "ball_to_lorentz", 1, true},
    OpInfo{OpId::ball_sgd_step, "ball_sgd_step", 2, false},
    OpInfo{OpId::ball_grad, "ball_grad", 4, false},
    OpInfo{OpId::ball_dist_matrix_grad, "ball_dist_matrix_grad", 3, false},
    OpInfo{OpId::ball_gyromidpoint_grad, "ball_gyromidpoint_grad", 4, false},
    OpInfo{OpId::ball_frechet_mean_grad, "ball_frechet_mean_grad", 4, false},
    OpInfo{OpId::lorentz_rows, "lorentz_rows", 3, true},
    OpInfo{OpId::lorentz_rows_grad, "lorentz_rows_grad", 4, false},
    OpInfo{OpId::lorentz_dist_matrix, "lorentz_dist_matrix", 2, true},
    OpInfo{OpId::poincare_mlr, "poincare_mlr", 3, true},
    OpInfo{OpId::poincare_mlr_grad, "poincare_mlr_grad", 4, false},
    OpInfo{OpId::poincare_linear, "poincare_linear", 3, true},
    OpInfo{OpId::poincare_linear_grad, "poincare_linear_grad", 5, false},
    OpInfo{OpId::embed_train, "embed_train", 4, false},
    OpInfo{OpId::embed_ranks, "embed_ranks", 3, false},
    OpInfo{OpId::embed_pools, "embed_pools", 5, false},
    OpInfo{OpId::optim_step, "optim_step", 2, false},
    OpInfo{OpId::ball_optim_step, "ball_optim_step", 2, false},
    OpInfo{OpId::optim_squares, "optim_squares", 2, false},
    OpInfo{OpId::rank_select, "rank_select", 1, true},
    OpInfo{OpId::rank_grad, "rank_grad", 2, false},
    OpInfo{OpId::range_count, "range_count", 1, false},
    OpInfo{OpId::range_emit, "range_emit", 2, false},
    OpInfo{OpId::band_split, "band_split", 1, false},
    OpInfo{OpId::band_scale, "band_scale", 2, false},
};

inline constexpr std::size_t kOpCount = static_cast<std::size_t>(OpId::count_);

consteval bool op_table_is_dense() {
  for (std::size_t i = 0; i < kOps.size(); ++i)
    if (static_cast<std::size_t>(kOps[i].id) != i) return false;
  return kOps.size() == kOpCount;
}
static_assert(op_table_is_dense(), "kOps must list every OpId once, in order");

[[nodiscard]] constexpr const OpInfo& op_info(OpId op) {
  return kOps[static_cast<std::size_t>(op)];
}

}  // namespace spiraltorch
