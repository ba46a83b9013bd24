#include "embed/view/layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace spiraltorch::detail {
namespace {

using Vector = std::vector<double>;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The logarithm at the origin of x with 1 − |x|² = gap: its direction at the length
// 2 artanh |x| = log((1 + |x|)²/gap), which the gap keeps exact at the rim.
void to_tangent(std::span<double> x, double gap) {
  const double norm = std::sqrt(dot(x, x));
  if (norm == 0.0) return;
  const double length =
      norm < 0.5 ? 2.0 * std::atanh(norm) : std::log((1.0 + norm) * (1.0 + norm) / gap);
  for (double& v : x) v *= length / norm;
}

// (−c) ⊕ x = (g_c (x − c) − s c) / (s + g_c g_x) with s = |x − c|² and the gaps g = 1 − |·|²: no
// difference of nearly equal numbers. Writes the tangent vector at c, moved to the origin.
void seen_from(std::span<double> x, std::span<const double> c) {
  const double gap_c = 1.0 - dot(c, c);
  const double gap_x = 1.0 - dot(x, x);
  double s = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) s += (x[j] - c[j]) * (x[j] - c[j]);
  const double scale = s + gap_c * gap_x;
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = (gap_c * (x[j] - c[j]) - s * c[j]) / scale;
  to_tangent(x, gap_c * gap_x / scale);
}

void remove_part(std::span<double> v, std::span<const double> axis) {
  const double part = dot(v, axis);
  for (std::size_t j = 0; j < v.size(); ++j) v[j] -= part * axis[j];
}

bool normalise(std::span<double> v) {
  const double norm = std::sqrt(dot(v, v));
  if (!(norm > 0.0)) return false;
  for (double& x : v) x /= norm;
  return true;
}

// The axis of the largest second moment of the rows, orthogonal to one found before; by power
// iteration, with the largest component positive so that equal input gives equal pictures.
Vector principal_axis(const Vector& rows, std::size_t dim, const Vector* before) {
  Vector axis(dim);
  for (std::size_t j = 0; j < dim; ++j) axis[j] = 1.0 + 0.1 * static_cast<double>(j % 7);
  const auto constrain = [&] {
    if (before) remove_part(axis, *before);
    return normalise(axis);
  };
  if (!constrain()) axis[0] = 1.0;
  for (int round = 0; round < 100; ++round) {
    Vector last = axis;
    std::fill(axis.begin(), axis.end(), 0.0);
    for (std::size_t i = 0; i < rows.size(); i += dim) {
      const std::span row(rows.data() + i, dim);
      const double part = dot(row, last);
      for (std::size_t j = 0; j < dim; ++j) axis[j] += part * row[j];
    }
    if (!constrain()) return last;
    if (dot(axis, last) > 1.0 - 1e-12) break;
  }
  const auto largest = std::max_element(
      axis.begin(), axis.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0.0) {
    for (double& v : axis) v = -v;
  }
  return axis;
}

// Each row on its two principal axes, stretched to the row's own length.
void project(const Vector& rows, std::size_t dim, std::vector<float>& out) {
  const Vector first = principal_axis(rows, dim, nullptr);
  const Vector second = principal_axis(rows, dim, &first);
  for (std::size_t i = 0; i < rows.size(); i += dim) {
    const std::span row(rows.data() + i, dim);
    const double x = dot(row, first);
    const double y = dot(row, second);
    const double length = std::sqrt(dot(row, row));
    const double flat = std::hypot(x, y);
    // A row orthogonal to both has no direction in the plane; any is as good.
    out.push_back(static_cast<float>(flat > 0.0 ? x / flat * length : length));
    out.push_back(static_cast<float>(flat > 0.0 ? y / flat * length : 0.0));
  }
}

}  // namespace

ViewLayout view_layout(std::span<const float> points, std::size_t dim,
                       std::optional<std::size_t> centre) {
  ViewLayout out;
  out.projected = dim > 2;
  Vector rows(points.begin(), points.end());
  const Vector origin(dim, 0.0);
  Vector from = origin;
  if (centre && out.projected) {
    from.assign(rows.begin() + static_cast<std::ptrdiff_t>(*centre * dim),
                rows.begin() + static_cast<std::ptrdiff_t>((*centre + 1) * dim));
  }
  for (std::size_t i = 0; i < rows.size(); i += dim) seen_from({rows.data() + i, dim}, from);
  out.tangents.reserve(rows.size() / dim * 2);
  if (out.projected) {
    project(rows, dim, out.tangents);
    return out;
  }
  for (std::size_t i = 0; i < rows.size(); i += dim) {
    out.tangents.push_back(static_cast<float>(rows[i]));
    out.tangents.push_back(dim == 2 ? static_cast<float>(rows[i + 1]) : 0.0F);
  }
  if (centre) out.home = {out.tangents[2 * *centre], out.tangents[2 * *centre + 1]};
  return out;
}

}  // namespace spiraltorch::detail
