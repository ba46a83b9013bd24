#pragma once

#include <memory>
#include <optional>
#include <spiraltorch/data/data_loader.hpp>
#include <spiraltorch/data/sources.hpp>
#include <vector>

#include "bind.hpp"

/// A Python object that a loader calls: a map's function, a source of Arrow streams. Loaders and
/// iterators of Python own it, each with a reference that the garbage collector sees; the C++
/// closure only borrows it.
class CalledObject {
 public:
  struct Slot {
    PyObject* object;  // null once no owner is left
    int owners;
  };
  explicit CalledObject(nb::object f)
      : object_(std::move(f)), slot_(std::make_shared<Slot>(Slot{object_.ptr(), 1})) {}
  CalledObject(const CalledObject& o) : object_(o.object_), slot_(o.slot_) { ++slot_->owners; }
  CalledObject& operator=(const CalledObject&) = delete;
  ~CalledObject() {
    if (--slot_->owners == 0) slot_->object = nullptr;
  }
  [[nodiscard]] PyObject* object() const { return object_.ptr(); }
  [[nodiscard]] std::shared_ptr<const Slot> slot() const { return slot_; }

 private:
  nb::object object_;
  std::shared_ptr<Slot> slot_;  // changed under the interpreter lock only
};

/// DataLoader as Python holds it. Copies of `loader` may call only while this lives.
struct PyDataLoader {
  st::DataLoader loader;
  std::vector<CalledObject> functions{};
};

/// Names and numbers of columns; one alone is a list of one.
std::vector<st::dataset::Column> columns_of(const char* op, const char* what, nb::handle object);
