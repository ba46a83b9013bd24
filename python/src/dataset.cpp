#include "dataset.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <set>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/data/sources.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "rank.hpp"

using namespace nb::literals;
using st::DataLoader;
using st::Sample;
using st::Tensor;

namespace {

// One epoch as Python holds it. Its end joins the producer with the interpreter lock released.
class PyDataIterator {
 public:
  PyDataIterator(st::DataIterator batches, std::vector<CalledObject> functions)
      : batches_(std::move(batches)), functions_(std::move(functions)) {
    live().insert(this);
  }
  PyDataIterator(const PyDataIterator&) = delete;
  PyDataIterator& operator=(const PyDataIterator&) = delete;
  ~PyDataIterator() {
    live().erase(this);
    const nb::gil_scoped_release unlock;
    batches_.reset();
  }

  nb::tuple next() {
    std::optional<st::Batch> batch;
    {
      const nb::gil_scoped_release unlock;
      batch = batches_->next();
    }
    if (!batch) throw nb::stop_iteration();
    return nb::make_tuple(std::move(batch->input), std::move(batch->target));
  }

  [[nodiscard]] std::vector<CalledObject>& functions() { return functions_; }

  void close() {
    const nb::gil_scoped_release unlock;
    batches_->close();
  }

  // Before the interpreter ends: no producer may wait for its lock afterwards.
  static void close_all() {
    std::vector<st::DataIterator> open;
    for (const PyDataIterator* one : live()) open.push_back(*one->batches_);
    const nb::gil_scoped_release unlock;
    for (st::DataIterator& one : open) one.close();
    open.clear();
  }

 private:
  // Guarded by the interpreter lock.
  static std::set<PyDataIterator*>& live() {
    static std::set<PyDataIterator*> iterators;
    return iterators;
  }

  std::optional<st::DataIterator> batches_;
  std::vector<CalledObject> functions_;
};

std::vector<CalledObject>& functions_of(PyDataIterator& x) { return x.functions(); }
std::vector<CalledObject>& functions_of(PyDataLoader& x) { return x.functions; }

template <class T>
int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  for (const CalledObject& f : functions_of(*nb::inst_ptr<T>(self))) Py_VISIT(f.object());
  return 0;
}

template <class T>
int clear(PyObject* self) {
  std::vector<CalledObject> gone;
  if (nb::inst_ready(self)) gone.swap(functions_of(*nb::inst_ptr<T>(self)));
  return 0;
}

// What the garbage collector needs.
template <class T>
PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&traverse<T>)},
                       {Py_tp_clear, reinterpret_cast<void*>(&clear<T>)},
                       {0, nullptr}};

// (input, target) of a caller's sequence.
Sample sample_of(const char* op, nb::handle object) {
  const bool pair = PyTuple_Check(object.ptr()) != 0 || PyList_Check(object.ptr()) != 0;
  if (!pair || nb::len(object) != 2 || !nb::isinstance<Tensor>(object[0]) ||
      !nb::isinstance<Tensor>(object[1])) {
    throw nb::type_error(st::text("[", op, "] sample: got ", nb::type_name(object.type()).c_str(),
                                  ", expected a pair (input, target) of tensors")
                             .c_str());
  }
  return {nb::cast<Tensor>(object[0]), nb::cast<Tensor>(object[1])};
}

PyDataLoader from_vec(nb::iterable samples) {
  std::vector<Sample> out;
  for (nb::handle sample : samples) out.push_back(sample_of("from_vec", sample));
  return {st::dataset::from_vec(std::move(out))};
}

PyDataLoader map(const PyDataLoader& d, nb::handle fn) {
  if (PyCallable_Check(fn.ptr()) == 0) throw nb::type_error("[map] fn: expected a callable");
  PyDataLoader out{d.loader, d.functions};
  const CalledObject function(nb::borrow(fn));
  out.functions.push_back(function);
  out.loader = d.loader.map([slot = function.slot()](Sample sample) {
    const nb::gil_scoped_acquire lock;
    const nb::object f = nb::borrow(slot->object);
    if (!f.is_valid()) throw std::runtime_error("[map] fn: got one whose loaders are gone");
    return sample_of("map", f(std::move(sample.input), std::move(sample.target)));
  });
  return out;
}

std::int64_t length(const PyDataLoader& d) {
  std::optional<std::int64_t> samples;
  {
    const nb::gil_scoped_release unlock;
    samples = d.loader.len();
  }
  if (!samples) throw nb::type_error("[len] source: got one without a length, expected a length");
  return *samples;
}

// The adapted loader, with the functions of the one before.
PyDataLoader with(const PyDataLoader& d, DataLoader loader) {
  return {std::move(loader), d.functions};
}

void bind_iterator(nb::module_& m) {
  nb::class_<PyDataIterator>(m, "DataIterator", "The batches of one epoch, (input, target) each.",
                             nb::type_slots(slots<PyDataIterator>))
      .def("__iter__", [](nb::handle self) { return nb::borrow(self); })
      .def("__next__", &PyDataIterator::next)
      .def("close", &PyDataIterator::close,
           "Ends the epoch; no thread of it is left when this returns.");
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&PyDataIterator::close_all));
}

void bind_adapters(nb::class_<PyDataLoader>& c) {
  c.def(
      "shuffle",
      [](const PyDataLoader& d, nb::handle seed, nb::handle window) {
        std::optional<std::int64_t> size;
        if (!window.is_none()) size = integer("shuffle", "window", window);
        return with(d, d.loader.shuffle(word("shuffle", "seed", seed), size));
      },
      "seed"_a, "window"_a = nb::none(),
      "A new order each epoch, from seed and epoch alone; with a window, by a buffer of so many.");
  c.def(
      "take",
      [](const PyDataLoader& d, nb::handle n) {
        return with(d, d.loader.take(integer("take", "n", n)));
      },
      "n"_a, "The first n samples.");
  c.def(
      "skip",
      [](const PyDataLoader& d, nb::handle n) {
        return with(d, d.loader.skip(integer("skip", "n", n)));
      },
      "n"_a, "All samples but the first n.");
  c.def(
      "split",
      [](const PyDataLoader& d, nb::handle fraction, nb::handle seed) {
        std::optional<std::uint64_t> value;
        if (!seed.is_none()) value = word("split", "seed", seed);
        auto [first, rest] = d.loader.split(number("split", fraction), value);
        return std::pair(with(d, std::move(first)), with(d, std::move(rest)));
      },
      "fraction"_a, "seed"_a = nb::none(),
      "The first fraction·len samples and the others; with a seed, after a permutation.");
  c.def(
      "shard",
      [](const PyDataLoader& d, nb::handle rank, nb::handle world, bool even) {
        return with(d, d.loader.shard(integer("shard", "rank", rank),
                                      integer("shard", "world", world), even));
      },
      "rank"_a, "world"_a, "even"_a = false,
      "Positions rank, rank + world, …; even: equally many for every rank.");
  c.def("map", map, "fn"_a, "Applies fn(input, target) -> (input, target) when a sample is drawn.");
  c.def(
      "batched",
      [](const PyDataLoader& d, nb::handle n, bool drop_last) {
        return with(d, d.loader.batched(integer("batched", "n", n), drop_last));
      },
      "n"_a, "drop_last"_a = false, "Batches of n samples.");
  c.def(
      "prefetch",
      [](const PyDataLoader& d, nb::handle depth) {
        return with(d, d.loader.prefetch(integer("prefetch", "depth", depth)));
      },
      "depth"_a, "A thread makes at most depth + 1 batches ahead; 0: none.");
}

void bind_loader(nb::module_& m) {
  auto c =
      nb::class_<PyDataLoader>(m, "DataLoader",
                               "Samples in an order, in batches. Immutable: an adapter returns "
                               "a new loader that shares the source.",
                               nb::type_slots(slots<PyDataLoader>));
  bind_adapters(c);
  c.def("len", length, "Number of samples; TypeError for a source without a length.");
  c.def("__len__", length);
  c.def(
      "num_batches", [](const PyDataLoader& d) { return d.loader.num_batches(); }, Unlocked(),
      "Number of batches, None for a source without a length.");
  c.def(
      "is_empty", [](const PyDataLoader& d) { return d.loader.is_empty(); }, Unlocked(),
      "Whether there is no sample.");
  c.def_prop_ro(
      "batch_size", [](const PyDataLoader& d) { return d.loader.batch_size(); },
      "Samples of a batch.");
  c.def_prop_ro(
      "drop_last", [](const PyDataLoader& d) { return d.loader.drop_last(); },
      "Whether a last, smaller batch is left out.");
  c.def_prop_ro(
      "prefetch_depth", [](const PyDataLoader& d) { return d.loader.prefetch_depth(); },
      "Batches of the queue; 0: none.");
  c.def(
      "set_epoch",
      [](const PyDataLoader& d, nb::handle epoch) {
        d.loader.set_epoch(integer("set_epoch", "epoch", epoch));
      },
      "epoch"_a, "Sets the counter: how training goes on where it was.");
  c.def_prop_ro(
      "epoch", [](const PyDataLoader& d) { return d.loader.epoch(); },
      "The epoch that the next iter() takes.");
  c.def("__iter__",
        [](const PyDataLoader& d) { return new PyDataIterator(d.loader.iter(), d.functions); });
  c.def(
      "at_epoch",
      [](const PyDataLoader& d, nb::handle epoch) {
        return new PyDataIterator(d.loader.at_epoch(integer("at_epoch", "epoch", epoch)),
                                  d.functions);
      },
      "epoch"_a, "The batches of an epoch, the counter untouched.");
  c.def(
      "__repr__", [](const PyDataLoader& d) { return d.loader.repr(); }, Unlocked());
}

}  // namespace

void bind_dataset(nb::module_& m) {
  bind_iterator(m);
  bind_loader(m);
  m.def("from_vec", from_vec, "samples"_a, "A loader over pairs (input, target) of tensors.");
  m.def(
      "from_tensors",
      [](const Tensor& inputs, const Tensor& targets) {
        return PyDataLoader{st::dataset::from_tensors(inputs, targets)};
      },
      "inputs"_a, "targets"_a, "A loader whose sample i is row i of each.");
}
