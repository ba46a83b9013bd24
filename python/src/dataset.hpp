#pragma once

#include <memory>
#include <optional>
#include <spiraltorch/data/data_loader.hpp>
#include <vector>

#include "bind.hpp"

/// A Python function that a loader maps samples with. Loaders and iterators of Python own it, each
/// with a reference that the garbage collector sees; the C++ closure only borrows it.
class MapFunction {
 public:
  struct Slot {
    PyObject* function;  // null once no owner is left
    int owners;
  };
  explicit MapFunction(nb::object f)
      : object_(std::move(f)), slot_(std::make_shared<Slot>(Slot{object_.ptr(), 1})) {}
  MapFunction(const MapFunction& o) : object_(o.object_), slot_(o.slot_) { ++slot_->owners; }
  MapFunction& operator=(const MapFunction&) = delete;
  ~MapFunction() {
    if (--slot_->owners == 0) slot_->function = nullptr;
  }
  [[nodiscard]] PyObject* object() const { return object_.ptr(); }
  [[nodiscard]] std::shared_ptr<const Slot> slot() const { return slot_; }

 private:
  nb::object object_;
  std::shared_ptr<Slot> slot_;  // changed under the interpreter lock only
};

/// DataLoader as Python holds it. Copies of `loader` may map only while this lives.
struct PyDataLoader {
  st::DataLoader loader;
  std::vector<MapFunction> functions{};
};
