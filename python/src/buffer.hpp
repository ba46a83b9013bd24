#pragma once

#include <memory>

#include "bind.hpp"

/// What one export by the buffer protocol says: a two-dimensional, C-contiguous matrix.
struct BufferLayout {
  void* data;
  Py_ssize_t rows;
  Py_ssize_t cols;
  Py_ssize_t item_size;
  char* format;  ///< static storage
  bool read_only;
};

/// What a consumer holds: a handle that keeps the memory, and the arrays that Py_buffer points to.
template <class Handle>
struct ExportedBuffer {
  Handle handle;
  Py_ssize_t shape[2];
  Py_ssize_t strides[2];
};

/// Fills `view` for a consumer; returns what bf_getbuffer returns.
template <class Handle>
int export_buffer(PyObject* self, Py_buffer* view, int flags, const Handle& handle,
                  const BufferLayout& layout) {
  auto exported = std::make_unique<ExportedBuffer<Handle>>(ExportedBuffer<Handle>{
      handle, {layout.rows, layout.cols}, {layout.cols * layout.item_size, layout.item_size}});
  view->buf = layout.data;
  view->len = layout.rows * layout.cols * layout.item_size;
  view->itemsize = layout.item_size;
  view->readonly = layout.read_only ? 1 : 0;
  view->ndim = 2;
  view->format = (flags & PyBUF_FORMAT) != 0 ? layout.format : nullptr;
  view->shape = exported->shape;
  view->strides = exported->strides;
  view->suboffsets = nullptr;
  view->internal = exported.release();
  view->obj = Py_NewRef(self);
  return 0;
}

/// Refuses with a BufferError.
inline int refuse_buffer(Py_buffer* view, const char* why) {
  view->obj = nullptr;
  PyErr_SetString(PyExc_BufferError, why);
  return -1;
}

template <class Handle>
void release_buffer(PyObject*, Py_buffer* view) {
  delete static_cast<ExportedBuffer<Handle>*>(view->internal);
}
