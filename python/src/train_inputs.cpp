#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <spiraltorch/base/text.hpp>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "dataset.hpp"
#include "train.hpp"

using st::Tensor;

namespace {

// A Python object that C++ threads hold and call with the interpreter lock taken.
class Held {
 public:
  explicit Held(nb::handle object)
      : object_(std::static_pointer_cast<nb::object>(keep_alive(nb::borrow<nb::object>(object)))) {}
  [[nodiscard]] const nb::object& get() const { return *object_; }

 private:
  std::shared_ptr<nb::object> object_;
};

std::string type_of(nb::handle object) { return nb::type_name(object.type()).c_str(); }

// A loss written in Python.
class CallableLoss final : public st::nn::Loss {
 public:
  explicit CallableLoss(nb::handle function) : function_(function) {}

  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override {
    const nb::gil_scoped_acquire lock;
    const nb::object out = function_.get()(prediction, target);
    Tensor* tensor = nullptr;
    if (!nb::try_cast(out, tensor, false) || tensor == nullptr || tensor->size() != 1) {
      throw nb::type_error("[loss] result: expected a (1, 1) Tensor");
    }
    return *tensor;
  }

  [[nodiscard]] std::string repr() const override {
    const nb::gil_scoped_acquire lock;
    return nb::repr(function_.get()).c_str();
  }

 private:
  Held function_;
};

st::Batch batch_of(nb::handle object) {
  if (PySequence_Check(object.ptr()) == 0 || nb::len(object) != 2 ||
      !nb::isinstance<Tensor>(object[0]) || !nb::isinstance<Tensor>(object[1])) {
    throw nb::type_error(st::text("[train] batch: got ", type_of(object),
                                  ", expected a pair (input, target) of tensors")
                             .c_str());
  }
  return {nb::cast<Tensor>(object[0]), nb::cast<Tensor>(object[1])};
}

st::NextBatch start_pass(const Held& iterable) {
  const nb::gil_scoped_acquire lock;
  const Held iterator(nb::iter(iterable.get()));
  return [iterator]() -> std::optional<st::Batch> {
    const nb::gil_scoped_acquire held;
    const nb::object next = nb::steal(PyIter_Next(iterator.get().ptr()));
    if (next.is_valid()) return batch_of(next);
    if (PyErr_Occurred() != nullptr) nb::raise_python_error();
    return {};
  };
}

}  // namespace

std::variant<st::BandWeights, st::BandWeighting> band_weights_of(nb::handle object) {
  if (PyCallable_Check(object.ptr()) == 0) {
    const auto list = numbers("roundtable", object, 3);
    return st::BandWeights{list[0], list[1], list[2]};
  }
  return [function = Held(object)](const st::BandEnergy& energy) -> st::BandWeights {
    const nb::gil_scoped_acquire lock;
    const auto list = numbers("roundtable", function.get()(energy), 3);
    return {list[0], list[1], list[2]};
  };
}

st::EpochSource epoch_source_of(nb::handle object) {
  if (nb::isinstance<PyDataLoader>(object)) return nb::cast<const PyDataLoader&>(object).loader;
  if (Py_TYPE(object.ptr())->tp_iter == nullptr && !nb::hasattr(object, "__getitem__")) {
    throw nb::type_error(st::text("[train] batches: got ", type_of(object),
                                  ", expected a DataLoader or an iterable of (input, target)")
                             .c_str());
  }
  return st::EpochSource([iterable = Held(object)] { return start_pass(iterable); });
}

std::shared_ptr<const st::nn::Loss> loss_of(nb::handle object) {
  if (nb::isinstance<st::nn::Loss>(object)) {
    // The caller's object outlives the call.
    return {nb::cast<const st::nn::Loss*>(object), [](const st::nn::Loss*) {}};
  }
  if (PyCallable_Check(object.ptr()) == 0) {
    throw nb::type_error(
        st::text("[train] loss: got ", type_of(object), ", expected a Loss or a callable").c_str());
  }
  return std::make_shared<CallableLoss>(object);
}

Interruptible::Interruptible(st::ModuleTrainer& trainer) : trainer_(trainer) {
  const auto flag = std::make_shared<bool>(false);
  const auto signals = nb::module_::import_("signal");
  const auto threads = nb::module_::import_("threading");
  const nb::object number = signals.attr("SIGINT");
  const bool is_main = threads.attr("current_thread")().is(threads.attr("main_thread")());
  if (is_main && signals.attr("getsignal")(number).is(signals.attr("default_int_handler"))) {
    former_ = signals.attr("signal")(
        number, nb::cpp_function([flag](nb::handle, nb::handle) { *flag = true; }));
  }
  trainer.set_interrupt_check([flag] {
    const nb::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) nb::raise_python_error();
    if (!*flag) return;
    *flag = false;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    nb::raise_python_error();
  });
}

Interruptible::~Interruptible() {
  trainer_.set_interrupt_check({});
  if (!former_.is_valid()) return;
  const nb::error_scope pending;
  try {
    const auto signals = nb::module_::import_("signal");
    signals.attr("signal")(signals.attr("SIGINT"), former_);
  } catch (nb::python_error& error) {
    error.discard_as_unraisable("restoring SIGINT");
  }
}

st::EpochStats train_epoch(st::ModuleTrainer& trainer, const st::nn::ModulePtr& module,
                           nb::handle loss, nb::handle batches,
                           const st::RoundtableSchedule* schedule) {
  const auto function = loss_of(loss);
  const st::EpochSource source = epoch_source_of(batches);
  const Interruptible interruptible(trainer);
  const nb::gil_scoped_release unlock;
  return trainer.train_epoch(module, *function, source, schedule);
}
