#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "spiraltorch/data/arrow_abi.hpp"

/// A hand-written producer of the Arrow C stream interface, which counts what it has not yet been
/// given back.
namespace arrow_stream {

struct Field {
  std::string format;
  std::string name;
  std::vector<Field> children{};
  bool dictionary = false;
};

struct Column {
  std::int64_t length = 0;
  std::vector<std::string> buffers{};  // bytes; "": null
  std::vector<Column> children{};
  std::int64_t offset = 0;
  std::int64_t nulls = 0;
};

inline std::atomic<int>& live() {
  static std::atomic<int> count{0};
  return count;
}

struct SchemaParts {
  Field field;
  std::deque<ArrowSchema> children{};
  std::vector<ArrowSchema*> pointers{};
};

inline void release(ArrowSchema* schema) {
  auto* parts = static_cast<SchemaParts*>(schema->private_data);
  for (ArrowSchema& child : parts->children) child.release(&child);
  delete parts;
  schema->release = nullptr;
  --live();
}

inline ArrowSchema exported(const Field& field) {
  auto* parts = new SchemaParts{field};
  for (const Field& child : field.children) parts->children.push_back(exported(child));
  for (ArrowSchema& child : parts->children) parts->pointers.push_back(&child);
  ArrowSchema out{};
  out.format = parts->field.format.c_str();
  out.name = parts->field.name.c_str();
  out.n_children = static_cast<std::int64_t>(parts->pointers.size());
  out.children = parts->pointers.data();
  static ArrowSchema values{};
  out.dictionary = field.dictionary ? &values : nullptr;
  out.release = release;
  out.private_data = parts;
  ++live();
  return out;
}

struct ArrayParts {
  Column column;
  std::vector<const void*> buffers{};
  std::deque<ArrowArray> children{};
  std::vector<ArrowArray*> pointers{};
};

inline void release(ArrowArray* array) {
  auto* parts = static_cast<ArrayParts*>(array->private_data);
  for (ArrowArray& child : parts->children) child.release(&child);
  delete parts;
  array->release = nullptr;
  --live();
}

inline ArrowArray exported(const Column& column) {
  auto* parts = new ArrayParts{column};
  for (const std::string& buffer : parts->column.buffers) {
    parts->buffers.push_back(buffer.empty() ? nullptr : buffer.data());
  }
  for (const Column& child : column.children) parts->children.push_back(exported(child));
  for (ArrowArray& child : parts->children) parts->pointers.push_back(&child);
  ArrowArray out{};
  out.length = column.length;
  out.null_count = column.nulls;
  out.offset = column.offset;
  out.n_buffers = static_cast<std::int64_t>(parts->buffers.size());
  out.n_children = static_cast<std::int64_t>(parts->pointers.size());
  out.buffers = parts->buffers.data();
  out.children = parts->pointers.data();
  out.release = release;
  out.private_data = parts;
  ++live();
  return out;
}

struct StreamParts {
  Field schema;
  std::vector<Column> batches;
  int fails_at = -1;  // the batch whose place an error takes
  std::size_t given = 0;
};

inline ArrowArrayStream stream(Field schema, std::vector<Column> batches, int fails_at = -1) {
  ArrowArrayStream out{};
  out.private_data = new StreamParts{std::move(schema), std::move(batches), fails_at};
  out.get_schema = [](ArrowArrayStream* self, ArrowSchema* to) {
    *to = exported(static_cast<StreamParts*>(self->private_data)->schema);
    return 0;
  };
  out.get_next = [](ArrowArrayStream* self, ArrowArray* to) {
    auto& parts = *static_cast<StreamParts*>(self->private_data);
    if (static_cast<int>(parts.given) == parts.fails_at) return 5;
    *to = ArrowArray{};
    if (parts.given < parts.batches.size()) *to = exported(parts.batches[parts.given++]);
    return 0;
  };
  out.get_last_error = [](ArrowArrayStream*) { return "the tape is torn"; };
  out.release = [](ArrowArrayStream* self) {
    delete static_cast<StreamParts*>(self->private_data);
    self->release = nullptr;
    --live();
  };
  ++live();
  return out;
}

template <class T>
std::string bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Numbers without nulls.
template <class T>
Column numbers(const std::vector<T>& values) {
  return {static_cast<std::int64_t>(values.size()), {"", bytes(values)}};
}

}  // namespace arrow_stream
