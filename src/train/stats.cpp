#include "spiraltorch/train/stats.hpp"

#include "spiraltorch/base/text.hpp"
#include "train/trainer_state.hpp"

namespace spiraltorch {

std::string EpochStats::repr() const {
  return text("EpochStats(batches=", batches, ", samples=", samples,
              ", average_loss=", average_loss, ", grad_norm=", grad_norm,
              ", learning_rate=", learning_rate, ", seconds=", seconds, ")");
}

std::string EvalStats::repr() const {
  return text("EvalStats(batches=", batches, ", samples=", samples, ", average_loss=", average_loss,
              ", seconds=", seconds, ")");
}

void train::Sums::add(double batch_loss, double batch_norm, std::int64_t rows,
                      const std::optional<BandEnergy>& batch_energy) {
  ++batches;
  samples += rows;
  loss += batch_loss;
  weighted_loss += batch_loss * static_cast<double>(rows);
  norm += batch_norm;
  if (!batch_energy || !energy) return;
  energy->above += batch_energy->above;
  energy->here += batch_energy->here;
  energy->beneath += batch_energy->beneath;
}

EpochStats train::Sums::stats(double learning_rate) const {
  EpochStats out;
  out.batches = batches;
  out.samples = samples;
  out.total_loss = loss;
  out.learning_rate = learning_rate;
  out.seconds = seconds;
  const auto count = static_cast<double>(batches);
  if (batches > 0) {
    out.average_loss = loss / count;
    out.mean_loss = weighted_loss / static_cast<double>(samples);
    out.grad_norm = norm / count;
  }
  if (energy) {
    const double n = batches > 0 ? count : 1.0;
    out.band_energy = BandEnergy{energy->above / n, energy->here / n, energy->beneath / n};
  }
  if (seconds > 0) out.samples_per_second = static_cast<double>(samples) / seconds;
  return out;
}

}  // namespace spiraltorch
