#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <spiraltorch/base/error.hpp>
#include <string>

#include "arrays.hpp"
#include "rank.hpp"
#include "train.hpp"

using namespace nb::literals;
using st::FitState;
using st::History;
using st::ModuleTrainer;
using st::ProgressEvent;

namespace {

// What a callback sees; its `stop` is carried back.
struct PyFitState {
  nb::object trainer;
  st::nn::ModulePtr module;
  std::int64_t epoch;
  std::int64_t batch;
  st::EpochStats stats;
  bool stop;
};

// A Python object with any of the hooks.
class PyCallback final : public st::Callback {
 public:
  PyCallback(nb::handle trainer, nb::handle object)
      : trainer_(nb::borrow(trainer)), object_(nb::borrow(object)) {}
  void on_fit_start(FitState& state) override { call("on_fit_start", state); }
  void on_epoch_start(FitState& state) override { call("on_epoch_start", state); }
  void on_batch_end(FitState& state) override { call("on_batch_end", state); }
  void on_epoch_end(FitState& state) override { call("on_epoch_end", state); }
  void on_fit_end(FitState& state) override { call("on_fit_end", state); }

 private:
  void call(const char* hook, FitState& state) const {
    const nb::gil_scoped_acquire lock;
    if (!nb::hasattr(object_, hook)) return;
    const nb::object seen = nb::cast(
        PyFitState{trainer_, state.module, state.epoch, state.batch, state.stats, state.stop});
    object_.attr(hook)(seen);
    state.stop = nb::cast<const PyFitState&>(seen).stop;
  }

  nb::object trainer_;
  nb::object object_;
};

st::Progress standard_error() {
  const nb::object stream = nb::module_::import_("sys").attr("stderr");
  const auto live = nb::hasattr(stream, "isatty") && nb::cast<bool>(stream.attr("isatty")());
  return st::text_progress(
      [](std::string_view line) {
        const nb::gil_scoped_acquire lock;
        const nb::object out = nb::module_::import_("sys").attr("stderr");
        if (out.is_none()) return;
        out.attr("write")(nb::str(line.data(), line.size()));
        out.attr("flush")();
      },
      live);
}

st::Progress progress_of(nb::handle progress) {
  if (progress.is(nb::handle(Py_True))) return standard_error();
  if (progress.is(nb::handle(Py_False)) || progress.is_none()) return {};
  if (PyCallable_Check(progress.ptr()) == 0) {
    throw nb::type_error("[fit] progress: expected True, False or a callable");
  }
  // The caller's object outlives the fit.
  return [progress](const ProgressEvent& event) {
    const nb::gil_scoped_acquire lock;
    progress(event);
  };
}

History fit(nb::handle self, const st::nn::ModulePtr& module, nb::handle loss, nb::handle loader,
            nb::handle epochs, nb::handle validation, const st::RoundtableSchedule* schedule,
            nb::handle progress, nb::handle callbacks,
            std::optional<st::EarlyStopping> early_stopping) {
  auto& trainer = nb::cast<ModuleTrainer&>(self);
  const auto function = loss_of(loss);
  const st::EpochSource source = epoch_source_of(loader);
  const std::int64_t count = integer("fit", "epochs", epochs);
  std::optional<st::EpochSource> checks;
  if (!validation.is_none()) checks = epoch_source_of(validation);
  st::FitOptions options;
  options.progress = progress_of(progress);
  options.early_stopping = early_stopping;
  if (schedule != nullptr) options.schedule = *schedule;
  for (const nb::handle callback : nb::iter(callbacks)) {
    options.callbacks.push_back(std::make_shared<PyCallback>(self, callback));
  }
  const Interruptible interruptible(trainer);
  const nb::gil_scoped_release unlock;
  return trainer.fit(module, *function, source, count, checks, options);
}

nb::list entries_of(const History& history) {
  nb::list out;
  for (const auto& entry : history.epochs) {
    out.append(nb::make_tuple(entry.train, entry.validation));
  }
  return out;
}

void bind_history(nb::module_& m) {
  nb::class_<History>(m, "History", "(EpochStats, EvalStats or None) of each epoch of a fit.")
      .def_prop_ro("epochs", entries_of, "The entries.")
      .def_ro("best_epoch", &History::best_epoch, "Where the average loss was least, or None.")
      .def_prop_ro(
          "stopped", [](const History& h) { return std::string(st::to_text(h.stopped)); },
          "'completed', 'early' or 'callback'.")
      .def("__len__", [](const History& h) { return h.epochs.size(); })
      .def(
          "__getitem__",
          [](const History& h, nb::handle key) {
            const nb::object entry = nb::steal(PyObject_GetItem(entries_of(h).ptr(), key.ptr()));
            if (!entry.is_valid()) nb::raise_python_error();
            return entry;
          },
          "key"_a)
      .def("__iter__", [](const History& h) { return nb::iter(entries_of(h)); })
      .def("__repr__", &History::repr);
}

void bind_events(nb::module_& m) {
  nb::class_<PyFitState>(m, "FitState", "What callbacks see of a running fit.")
      .def_ro("trainer", &PyFitState::trainer, "The trainer.")
      .def_ro("module", &PyFitState::module, "The module.")
      .def_ro("epoch", &PyFitState::epoch, "Epoch of this fit, from 0.")
      .def_ro("batch", &PyFitState::batch, "Batches done in it.")
      .def_ro("stats", &PyFitState::stats, "EpochStats of the epoch so far.")
      .def_rw("stop", &PyFitState::stop, "Set it to end the fit after this batch or epoch.");
  nb::class_<ProgressEvent>(m, "ProgressEvent", "Where a fit is.")
      .def_ro("epoch_ended", &ProgressEvent::epoch_ended, "Whether an epoch ended, else a batch.")
      .def_ro("epoch", &ProgressEvent::epoch, "From 0.")
      .def_ro("epochs", &ProgressEvent::epochs, "Epochs of the fit.")
      .def_ro("batch", &ProgressEvent::batch, "Batches done in this epoch.")
      .def_ro("batches", &ProgressEvent::batches, "Batches of an epoch, or None.")
      .def_ro("stats", &ProgressEvent::stats, "EpochStats of the epoch so far.")
      .def_ro("validation", &ProgressEvent::validation, "EvalStats at an epoch's end, or None.")
      .def_ro("seconds_left", &ProgressEvent::seconds_left, "Estimate for the fit, or None.");
}

}  // namespace

void bind_trainer_fit(nb::class_<ModuleTrainer>& c) {
  c.def("fit", fit, "module"_a, "loss"_a, "loader"_a, "epochs"_a, "validation"_a = nb::none(),
        nb::kw_only(), "schedule"_a = nb::none(), "progress"_a = true,
        "callbacks"_a = nb::make_tuple(), "early_stopping"_a = nb::none(),
        "Several epochs, with a validation after each.");
}

void bind_train_fit(nb::module_& m) {
  nb::class_<st::EarlyStopping>(
      m, "EarlyStopping",
      "Ends a fit after `patience` epochs without a loss below best - min_delta.")
      .def(
          "__init__",
          [](st::EarlyStopping* self, std::int64_t patience, double min_delta, bool restore_best) {
            new (self) st::EarlyStopping{patience, min_delta, restore_best};
          },
          "patience"_a = 5, "min_delta"_a = 0.0, "restore_best"_a = true)
      .def_ro("patience", &st::EarlyStopping::patience, "Epochs without improvement.")
      .def_ro("min_delta", &st::EarlyStopping::min_delta, "What counts as one.")
      .def_ro("restore_best", &st::EarlyStopping::restore_best,
              "Whether the best epoch's parameters stand at the end.");
  bind_history(m);
  bind_events(m);
}
