#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/lorentz_stage.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Row-wise operations of the hyperboloid and their gradients: each is one stage over the columns of
// space, beside which time stands.
namespace spiraltorch::cpu {
namespace {

enum Role : std::size_t { kA, kB, kV, kT };

struct Operand {
  const float* data = nullptr;
  std::int64_t stride = 0;
  float* gradient = nullptr;  // null where it is not wanted
};

double clamp_to_radius(double* row, std::int64_t cols, double kappa) {
  static const double most = std::sinh(kLorentzMax);
  const double s = std::sqrt(kappa * dot(row, row, cols));
  if (!(s > most * kBallSlack)) return 1.0;
  for (std::int64_t j = 0; j < cols; ++j) row[j] *= most / s;
  return most / s;
}

// Works through rows of one operation; one object a thread.
class LorentzRow {
 public:
  LorentzRow(const LorentzInfo& info, std::int64_t space, double kappa)
      : info_(info),
        space_(space),
        kappa_(kappa),
        unit_(info.op == LorentzOp::conformal_factor ? 1.0
              : info.op == LorentzOp::squared_dist   ? 1.0 / kappa
                                                     : 1.0 / std::sqrt(kappa)),
        stage_(space),
        out_(width()),
        g_(width()) {
    for (std::size_t k = 0; k < 3; ++k) {
      rows_[k].resize(width());
      gradients_[k].resize(width());
    }
  }

  void value(std::int64_t i, const std::array<Operand, 4>& in, float* to) {
    const bool finite = evaluate(i, in);
    if (!finite) {
      const std::int64_t cols = lorentz_result_cols(info_, space_);
      std::fill(to, to + cols, std::numeric_limits<float>::quiet_NaN());
      return;
    }
    if (info_.result != LorentzResult::ball) *to++ = static_cast<float>(unit_ * number_);
    if (info_.result == LorentzResult::number) return;
    const float* same = unchanged(i, in);
    for (std::size_t j = 0; j < width(); ++j) {
      to[j] = same != nullptr ? same[j] : static_cast<float>(out_[j]);
    }
  }

  void gradient(std::int64_t i, const std::array<Operand, 4>& in, const float* g) {
    const bool finite = evaluate(i, in);
    for (auto& row : gradients_) std::fill(row.begin(), row.end(), 0.0);
    StageGradients into{gradients_[kA].data(), has_b() ? gradients_[kB].data() : nullptr,
                        gradients_[v_is_b() ? kB : kV].data()};
    double g_number = info_.result == LorentzResult::ball ? 0.0 : unit_ * *g++;
    if (info_.result == LorentzResult::number) {
      stage_.pull_back(nullptr, g_number, into);
    } else {
      for (std::size_t j = 0; j < width(); ++j) g_[j] = g[j];
      if (out_factor_ != 1.0) g_number = 0.0;
      clamp_gradient(out_.data(), out_factor_, space_, g_.data());
      stage_.pull_back(g_.data(), g_number, into);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      clamp_gradient(rows_[k].data(), factors_[k], space_, gradients_[k].data());
    }
    store(i, in, finite ? 1.0 : std::numeric_limits<double>::quiet_NaN(), into.t);
  }

 private:
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(space_); }
  [[nodiscard]] bool has_b() const { return info_.roles.find('b') != std::string_view::npos; }
  [[nodiscard]] bool has_v() const { return info_.roles.find('v') != std::string_view::npos; }
  [[nodiscard]] bool v_is_b() const { return has_b() && !has_v(); }

  double load(const Operand& x, std::int64_t i, double sign, std::vector<double>& to) const {
    const float* from = x.data + i * x.stride + (info_.timed ? 1 : 0);
    for (std::size_t j = 0; j < width(); ++j) to[j] = sign * from[j];
    return dot(to.data(), to.data(), space_);
  }

  double clamp_point(std::vector<double>& row) const {
    return info_.timed ? clamp_to_radius(row.data(), space_, kappa_)
                       : clamp_row(row.data(), space_, kappa_);
  }

  // False where a row is not finite.
  bool evaluate(std::int64_t i, const std::array<Operand, 4>& in) {
    factors_ = {1.0, 1.0};
    out_factor_ = 1.0;
    double t = 0.0;
    double squares = load(in[kA], i, 1.0, rows_[kA]);
    if (has_b()) squares += load(in[kB], i, -1.0, rows_[kB]);
    if (has_v()) squares += load(in[kV], i, 1.0, rows_[kV]);
    if (info_.op == LorentzOp::egrad2rgrad) t = in[kV].data[i * in[kV].stride];
    if (in[kT].data != nullptr) t = in[kT].data[i * in[kT].stride];
    if (!std::isfinite(squares) || !std::isfinite(t)) return false;
    if (info_.op != LorentzOp::expmap0) factors_[kA] = clamp_point(rows_[kA]);
    if (has_b()) factors_[kB] = clamp_point(rows_[kB]);
    const double* v = v_is_b() ? rows_[kB].data() : rows_[kV].data();
    stage_.evaluate(lorentz::coefficients_of(info_.op),
                    {rows_[kA].data(), has_b() ? rows_[kB].data() : nullptr,
                     has_b() || has_v() ? v : nullptr, t},
                    kappa_);
    number_ = stage_.result().number.value;
    if (info_.result == LorentzResult::number) return true;
    stage_.value(out_.data());
    if (info_.result != LorentzResult::point) return true;
    out_factor_ = clamp_to_radius(out_.data(), space_, kappa_);
    if (out_factor_ != 1.0) number_ = std::cosh(kLorentzMax);
    return true;
  }

  // The row of space that the result is, bit for bit.
  [[nodiscard]] const float* unchanged(std::int64_t i, const std::array<Operand, 4>& in) const {
    const Combination& r = stage_.result();
    const bool same = info_.result == LorentzResult::point && info_.op != LorentzOp::expmap0 &&
                      r.a.value == 1.0 && r.s.value == 0.0 && factors_[kA] == 1.0 &&
                      out_factor_ == 1.0 && (!has_v() || dot_v() == 0.0);
    return same ? in[kA].data + i * in[kA].stride + 1 : nullptr;
  }
  [[nodiscard]] double dot_v() const { return dot(rows_[kV].data(), rows_[kV].data(), space_); }

  void store(std::int64_t i, const std::array<Operand, 4>& in, double scale, double by_t) const {
    for (std::size_t k = 0; k < 3; ++k) {
      if (in[k].gradient == nullptr) continue;
      const std::int64_t cols = space_ + (info_.timed ? 1 : 0);
      float* to = in[k].gradient + i * cols;
      const bool takes_t = k == kV && info_.op == LorentzOp::egrad2rgrad;
      if (info_.timed) *to++ = static_cast<float>(scale * (takes_t ? by_t : 0.0));
      const double sign = k == kB ? -scale : scale;
      for (std::size_t j = 0; j < width(); ++j) to[j] = static_cast<float>(sign * gradients_[k][j]);
    }
    if (in[kT].gradient != nullptr) in[kT].gradient[i] = static_cast<float>(scale * by_t);
  }

  const LorentzInfo& info_;
  std::int64_t space_;
  double kappa_;
  double unit_;  // of the number
  Stage stage_;
  std::array<std::vector<double>, 3> rows_, gradients_;
  std::array<double, 2> factors_{};
  double out_factor_ = 1.0;
  double number_ = 0.0;
  std::vector<double> out_, g_;
};

std::size_t role_of(char role) { return std::string_view("abvt").find(role); }

std::array<Operand, 4> operands_of(const LorentzInfo& info, const KernelArgs& args) {
  std::array<Operand, 4> out;
  for (std::size_t k = 0; k < info.roles.size(); ++k) {
    out[role_of(info.roles[k])] = {data<const float>(args.in[k]), args.in[k].row_stride};
  }
  return out;
}

std::int64_t grain_of(std::int64_t cols) { return std::max<std::int64_t>(1, 8192 / (cols + 32)); }

void lorentz_rows(const KernelArgs& args) {
  const LorentzInfo& info = lorentz_info(static_cast<LorentzOp>(args.ints[0]));
  const std::array<Operand, 4> in = operands_of(info, args);
  const std::int64_t space = lorentz_space(info, args.in[0].cols);
  const KernelOperand& out = args.out[0];
  parallel_for(out.rows, grain_of(space), [&](std::int64_t begin, std::int64_t end) {
    LorentzRow row(info, space, args.scalars[0]);
    for (std::int64_t i = begin; i < end; ++i) row.value(i, in, data<float>(out) + i * out.cols);
  });
}

void lorentz_rows_grad(const KernelArgs& args) {
  const LorentzInfo& info = lorentz_info(static_cast<LorentzOp>(args.ints[0]));
  std::array<Operand, 4> in = operands_of(info, args);
  for (std::size_t k = 0, next = 0; k < info.roles.size(); ++k) {
    if ((args.ints[1] >> k & 1) == 0) continue;
    in[role_of(info.roles[k])].gradient = data<float>(args.out[next++]);
  }
  const std::int64_t space = lorentz_space(info, args.in[0].cols);
  const KernelOperand& g = args.in[info.roles.size()];
  parallel_for(g.rows, grain_of(space), [&](std::int64_t begin, std::int64_t end) {
    LorentzRow row(info, space, args.scalars[0]);
    for (std::int64_t i = begin; i < end; ++i) {
      row.gradient(i, in, data<const float>(g) + i * g.row_stride);
    }
  });
}

void lorentz_dist_matrix(const KernelArgs& args) {
  const LorentzInfo& info = lorentz_info(LorentzOp::dist);
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.in[1];
  parallel_for(x.rows, 1, [&](std::int64_t begin, std::int64_t end) {
    LorentzRow row(info, x.cols - 1, args.scalars[0]);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::array<Operand, 4> in{Operand{data<const float>(x) + i * x.cols, 0},
                                      Operand{data<const float>(y), y.cols}};
      for (std::int64_t j = 0; j < y.rows; ++j) {
        row.value(j, in, data<float>(args.out[0]) + i * y.rows + j);
      }
    }
  });
}

}  // namespace

void register_lorentz(KernelTable& table) {
  set_kernel(table, OpId::lorentz_rows, lorentz_rows);
  set_kernel(table, OpId::lorentz_rows_grad, lorentz_rows_grad);
  set_kernel(table, OpId::lorentz_dist_matrix, lorentz_dist_matrix);
}

}  // namespace spiraltorch::cpu
