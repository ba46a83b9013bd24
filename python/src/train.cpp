#include "train.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <string>

#include "arrays.hpp"
#include "dataset.hpp"
#include "rank.hpp"

using namespace nb::literals;
using st::EpochStats;
using st::EvalStats;
using st::ModuleTrainer;

namespace {

void construct(ModuleTrainer* self, std::optional<std::string> device, double curvature,
               double hyper_learning_rate, double fallback_learning_rate,
               std::shared_ptr<st::optim::Optimizer> optimizer,
               std::shared_ptr<st::optim::Scheduler> scheduler, std::optional<double> clip_norm) {
  new (self) ModuleTrainer({device.value_or("auto"), curvature, hyper_learning_rate,
                            fallback_learning_rate, std::move(optimizer), std::move(scheduler),
                            clip_norm});
}

void bind_stats(nb::module_& m) {
  nb::class_<EpochStats>(m, "EpochStats", "What one pass over the training batches gave.")
      .def_ro("batches", &EpochStats::batches, "Number of batches.")
      .def_ro("samples", &EpochStats::samples, "Input rows.")
      .def_ro("total_loss", &EpochStats::total_loss, "Sum of the batches' losses.")
      .def_ro("average_loss", &EpochStats::average_loss, "Mean over batches.")
      .def_ro("mean_loss", &EpochStats::mean_loss, "Mean over samples.")
      .def_ro("grad_norm", &EpochStats::grad_norm, "Mean norm of the gradient before clipping.")
      .def_ro("band_energy", &EpochStats::band_energy, "Mean BandEnergy, None without schedule.")
      .def_ro("learning_rate", &EpochStats::learning_rate, "The rate last in force.")
      .def_ro("seconds", &EpochStats::seconds, "Time taken.")
      .def_ro("samples_per_second", &EpochStats::samples_per_second, "Speed.")
      .def("__repr__", &EpochStats::repr);
  nb::class_<EvalStats>(m, "EvalStats", "What one evaluation gave.")
      .def_ro("batches", &EvalStats::batches, "Number of batches.")
      .def_ro("samples", &EvalStats::samples, "Input rows.")
      .def_ro("average_loss", &EvalStats::average_loss, "Mean over batches.")
      .def_ro("mean_loss", &EvalStats::mean_loss, "Mean over samples.")
      .def_ro("seconds", &EvalStats::seconds, "Time taken.")
      .def("__repr__", &EvalStats::repr);
}

std::optional<st::DataLoader> loader_of(nb::handle object) {
  if (object.is_none()) return {};
  return nb::cast<const PyDataLoader&>(object).loader;
}

void bind_facts(nb::class_<ModuleTrainer>& c) {
  c.def_prop_ro("device", &ModuleTrainer::device, "Where batches go if a module has no parameter.");
  c.def_prop_ro("curvature", &ModuleTrainer::curvature, "The session's curvature.");
  c.def_prop_ro("hyper_learning_rate", &ModuleTrainer::hyper_learning_rate, "Rate of tapes.");
  c.def_prop_ro("fallback_learning_rate", &ModuleTrainer::fallback_learning_rate,
                "Rate of parameters without tape and optimizer.");
  c.def_prop_ro("optimizer", &ModuleTrainer::optimizer, "The optimizer, or None.");
  c.def_prop_ro("scheduler", &ModuleTrainer::scheduler, "The scheduler, or None.");
  c.def_prop_ro("clip_norm", &ModuleTrainer::clip_norm, "Bound of the gradient's norm, or None.");
  c.def_prop_ro("epoch", &ModuleTrainer::epoch, "Finished epochs.");
  c.def_prop_ro("step", &ModuleTrainer::step, "Finished batches.");
  c.def_prop_ro("last_stats", &ModuleTrainer::last_stats,
                "Of the last epoch; after an exception of its finished batches.");
  c.def("__repr__", &ModuleTrainer::repr);
}

void bind_trainer(nb::module_& m) {
  nb::class_<ModuleTrainer> c(m, "ModuleTrainer",
                              "Trains modules: epochs, fits, evaluation, checkpoints.");
  c.def("__init__", construct, "device"_a = nb::none(), "curvature"_a = -1.0,
        "hyper_learning_rate"_a = 0.05, "fallback_learning_rate"_a = 0.01, nb::kw_only(),
        "optimizer"_a = nb::none(), "scheduler"_a = nb::none(), "clip_norm"_a = nb::none());
  bind_facts(c);
  bind_trainer_fit(c);
  c.def("train_epoch", train_epoch, "module"_a, "loss"_a, "batches"_a, "schedule"_a = nb::none(),
        "One pass over a DataLoader's next epoch, or an iterable of (input, target) batches.");
  c.def(
      "evaluate",
      [](ModuleTrainer& self, const st::nn::ModulePtr& module, nb::handle loss,
         nb::handle batches) {
        const auto function = loss_of(loss);
        const st::EpochSource source = epoch_source_of(batches);
        const Interruptible interruptible(self);
        const nb::gil_scoped_release unlock;
        return self.evaluate(module, *function, source);
      },
      "module"_a, "loss"_a, "loader"_a, "Losses in evaluation mode, without a graph.");
  c.def(
      "checkpoint",
      [](ModuleTrainer& self, nb::handle path, const st::nn::ModulePtr& module, nb::handle loader) {
        const std::string file = path_of(path);
        const auto where = loader_of(loader);
        const nb::gil_scoped_release unlock;
        self.checkpoint(file, module, where);
      },
      "path"_a, "module"_a = nb::none(), "loader"_a = nb::none(),
      "Writes all that training depends on; what is omitted is what was used last.");
  c.def(
      "resume",
      [](ModuleTrainer& self, nb::handle path, const st::nn::ModulePtr& module, nb::handle loader) {
        const std::string file = path_of(path);
        const auto where = loader_of(loader);
        const nb::gil_scoped_release unlock;
        self.resume(file, module, where);
      },
      "path"_a, "module"_a = nb::none(), "loader"_a = nb::none(),
      "Takes a checkpoint back; the next train_epoch or fit finishes the interrupted epoch.");
}

}  // namespace

void bind_train(nb::module_& m) {
  bind_roundtable(m);
  bind_stats(m);
  bind_train_fit(m);
  bind_trainer(m);
}
