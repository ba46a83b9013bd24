#pragma once

#include <spiraltorch/nn/module.hpp>
#include <utility>

#include "bind.hpp"

void bind_nn_layers(nb::module_& m);
void bind_nn_losses(nb::module_& m);

/// Puts a new layer's parameters where new tensors of this thread go.
void place_parameters(st::nn::Module& module);

/// Constructs a layer in `self`, on the thread's default device.
template <class Layer, class... Arguments>
void construct_layer(Layer* self, Arguments&&... arguments) {
  new (self) Layer(std::forward<Arguments>(arguments)...);
  try {
    place_parameters(*self);
  } catch (...) {
    self->~Layer();
    throw;
  }
}
