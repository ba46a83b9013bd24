#include "embed/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "HierarchyEmbedding";
constexpr std::int64_t kLargeHierarchy = 5000;  // nodes; below it the mammals' settings hold
constexpr std::int64_t kPoolNodes = 20480;      // rows that a core's second cache holds

void check_count(std::string_view what, std::optional<std::int64_t> value, std::int64_t least) {
  if (!value || *value >= least) return;
  fail(Errc::invalid_value, kName, text(what, ": got ", *value, ", expected >= ", least));
}

void check_positive(std::string_view what, std::optional<double> value) {
  if (!value) return;
  if (!std::isfinite(*value)) {
    fail(Errc::non_finite, kName, text(what, ": got ", *value, ", expected a finite number"));
  }
  if (!(*value > 0)) {
    fail(Errc::invalid_value, kName, text(what, ": got ", *value, ", expected > 0"));
  }
}

void check_choice(std::string_view what, const std::string& got,
                  std::initializer_list<std::string_view> choices) {
  std::string valid;
  for (const std::string_view choice : choices) {
    if (got == choice) return;
    valid += text(valid.empty() ? "'" : ", '", choice, "'");
  }
  fail(Errc::invalid_value, kName, text(what, ": got '", got, "', expected one of ", valid));
}

void check_numbers(const EmbeddingOptions& o) {
  check_count("dim", o.dim, 1);
  check_count("epochs", o.epochs, 1);
  check_count("batch", o.batch, 1);
  check_count("negatives", o.negatives, 1);
  check_count("local_negatives", o.local_negatives, 0);
  check_count("burn_in", o.burn_in, 0);
  check_positive("lr", o.lr);
  check_positive("burn_in_factor", o.burn_in_factor);
  check_positive("init_radius", o.init_radius);
  check_positive("init_scale", o.init_scale);
  check_positive("loss_power", o.loss_power);
  if (!std::isfinite(o.sampling_power) || o.sampling_power < 0) {
    fail(Errc::invalid_value, kName,
         text("sampling_power: got ", o.sampling_power, ", expected a finite number >= 0"));
  }
  if (!(o.local_from.value_or(0.0) >= 0 && o.local_from.value_or(0.0) <= 1)) {
    fail(Errc::invalid_value, kName,
         text("local_from: got ", *o.local_from, ", expected 0 to 1, a part of the run"));
  }
  if (o.loss_power.value_or(1.0) < 1 || o.loss_power.value_or(1.0) > 4) {
    fail(Errc::invalid_value, kName, text("loss_power: got ", *o.loss_power, ", expected 1 to 4"));
  }
  if (o.init_radius.value_or(0.1) >= 1 || o.init_scale >= 1) {
    fail(Errc::invalid_value, kName,
         text("start: got radius ", o.init_radius.value_or(0.1), " and scale ", o.init_scale,
              ", expected less than 1"));
  }
  constexpr int kMostThreads = 1024;  // set_thread_count's own limit
  if (o.threads.value_or(1) < 1 || o.threads.value_or(1) > kMostThreads) {
    fail(Errc::invalid_value, kName,
         text("threads: got ", *o.threads, ", expected 1 to ", kMostThreads));
  }
}

bool on_cpu(const EmbeddingOptions& o) { return o.device == "cpu"; }

EmbeddingMode mode_of(const EmbeddingOptions& o) {
  if (o.mode == "batch") return EmbeddingMode::batch;
  if (o.mode == "hogwild") return EmbeddingMode::hogwild;
  return o.mode == "pools" || on_cpu(o) ? EmbeddingMode::pools : EmbeddingMode::batch;
}

bool changes_loss(const EmbeddingOptions& o) {
  return o.objective != "papers" || o.loss_power.value_or(1.0) != 1.0 ||
         o.local_negatives.value_or(0) > 0;
}

// Batches, the devices' way, have the papers' objective in the ball in float32.
void check_together(const EmbeddingOptions& o) {
  if (o.manifold == "euclidean" && o.curvature != -1.0) {
    fail(Errc::invalid_value, kName,
         text("curvature: got ", o.curvature, " with a euclidean manifold, expected none"));
  }
  if (mode_of(o) != EmbeddingMode::batch) {
    if (on_cpu(o)) return;
    fail(Errc::unsupported, kName,
         text("mode: got '", o.mode, "' on '", o.device, "', expected 'batch' there, or the cpu"));
  }
  if (o.manifold == "euclidean" || o.dtype != "float32" || changes_loss(o)) {
    fail(Errc::unsupported, kName,
         text("training in batches: got manifold '", o.manifold, "', dtype '", o.dtype,
              "', objective '", o.objective, "', loss_power ", o.loss_power.value_or(1.0), " and ",
              o.local_negatives.value_or(0),
              " local negatives, expected 'poincare' or 'lorentz' in float32 and the papers' "
              "objective (mode 'pools' on the cpu has the others)"));
  }
}

// Leaves of a plane start where each has an arc of its own, about π long: at log(nodes), as far as
// float32 reaches. With less room rows do not get past each other.
double plane_radius(std::int64_t nodes) {
  constexpr double kFarthest = 12.0;
  return std::tanh(std::min(std::log(static_cast<double>(nodes)), kFarthest) / 2);
}

}  // namespace

Schedule::Schedule(const EmbeddingOptions& o, std::int64_t nodes) : mode(mode_of(o)) {
  const bool large = nodes > kLargeHierarchy;
  const bool focused = o.objective == "focused";
  epochs = o.epochs.value_or(large ? 400 : 300);
  burn_in = o.burn_in.value_or(large ? 50 : 20);
  batch = o.batch.value_or(large ? 64 : 32);
  negatives = o.negatives.value_or(o.grouped ? 200 : 50);
  local_negatives = o.local_negatives.value_or(focused ? negatives / 40 : 0);
  local_from = o.local_from.value_or(0.2);
  loss_power = o.loss_power.value_or(focused ? 2.5 : 1.0);
  const bool plane = o.dim == 2 && o.manifold != "euclidean";
  const bool slow = large ? plane : o.grouped;
  lr = o.lr.value_or(slow ? 0.05 : focused && large ? 0.2 : 0.1);
  burn_in_factor = o.burn_in_factor.value_or(large ? 0.02 : 0.1);
  init_radius = o.init_radius.value_or(plane ? plane_radius(nodes) : 0.2);
  decay = large;
  // An even number, for two threads to share.
  pools = nodes < 2 * kPoolNodes ? 1 : (nodes / kPoolNodes + 1) / 2 * 2;
}

double Schedule::rate(std::int64_t epoch) const {
  if (epoch < burn_in) return lr * burn_in_factor;
  if (!decay) return lr;
  return lr * (1.0 - static_cast<double>(epoch - burn_in) / static_cast<double>(epochs));
}

std::int64_t Schedule::local(std::int64_t epoch) const {
  if (epoch < burn_in) return 0;
  const double done = static_cast<double>(epoch - burn_in) / static_cast<double>(epochs);
  return done >= local_from ? local_negatives : 0;
}

void check_embedding_options(const EmbeddingOptions& o) {
  check_curvature(kName, o.curvature);
  check_numbers(o);
  check_choice("manifold", o.manifold, {"poincare", "lorentz", "euclidean"});
  check_choice("dtype", o.dtype, {"float32", "float64"});
  check_choice("init", o.init, {"tree", "uniform"});
  check_choice("mode", o.mode, {"auto", "pools", "hogwild", "batch"});
  check_choice("objective", o.objective, {"papers", "focused"});
  check_together(o);
}

}  // namespace spiraltorch
