#pragma once

#include <spiraltorch/tensor/tensor.hpp>

#include "bind.hpp"

/// The parts of Tensor's binding that stand in files of their own.
void bind_tensor_index(nb::class_<st::Tensor>& c);
void bind_tensor_gather(nb::class_<st::Tensor>& c);
void bind_tensor_exchange(nb::class_<st::Tensor>& c);
/// Type slots: the buffer protocol.
nb::type_slots tensor_slots();

/// One index of an axis: a number or a slice.
struct AxisIndex {
  st::Slice slice;
  bool is_number = false;
};
/// Reads `t[key]`'s key as (rows, columns); TypeError for other keys, `out_of_range` for numbers.
std::pair<AxisIndex, AxisIndex> read_key(nb::handle key, st::Shape shape);
