#pragma once

#include <spiraltorch/train/trainer.hpp>

#include "bind.hpp"

/// `weights` of a roundtable: three numbers, or a callable of a BandEnergy that returns them.
[[nodiscard]] std::variant<st::BandWeights, st::BandWeighting> band_weights_of(nb::handle object);
/// A loader, or anything that can be iterated, as batches; TypeError for the rest.
[[nodiscard]] st::EpochSource epoch_source_of(nb::handle object);
/// A loss, or any callable of (prediction, target); TypeError for the rest.
[[nodiscard]] std::shared_ptr<const st::nn::Loss> loss_of(nb::handle object);
/// `trainer.train_epoch` with Ctrl-C taking effect between batches.
[[nodiscard]] st::EpochStats train_epoch(st::ModuleTrainer& trainer,
                                         const st::nn::ModulePtr& module, nb::handle loss,
                                         nb::handle batches,
                                         const st::RoundtableSchedule* schedule);

void bind_train_fit(nb::module_& m);
void bind_trainer_fit(nb::class_<st::ModuleTrainer>& c);
void bind_roundtable(nb::module_& m);

/// While it lives, Ctrl-C sets a flag that the trainer looks at after each batch, so that a batch
/// in Python code is not cut either.
class Interruptible {
 public:
  explicit Interruptible(st::ModuleTrainer& trainer);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  st::ModuleTrainer& trainer_;
  nb::object former_;  // SIGINT's handler, if it was replaced
};
