#include <nanobind/stl/string.h>

#include <spiraltorch/nn/loss.hpp>

#include "nn.hpp"

using namespace nb::literals;
using st::nn::Loss;

void bind_nn_losses(nb::module_& m) {
  nb::class_<Loss>(m, "Loss", "A differentiable number that is to be made small.")
      .def("forward", &Loss::forward, "prediction"_a, "target"_a, Unlocked(), "The (1, 1) loss.")
      .def("__call__", &Loss::forward, "prediction"_a, "target"_a, Unlocked())
      .def("backward", &Loss::backward, "prediction"_a, "target"_a, Unlocked(),
           "The derivative by the prediction.")
      .def("__repr__", &Loss::repr);
  nb::class_<st::nn::MeanSquaredError, Loss>(m, "MeanSquaredError", nb::is_final(),
                                             "Mean of (prediction - target)².")
      .def(nb::init<>());
  nb::class_<st::nn::CrossEntropy, Loss>(
      m, "CrossEntropy", nb::is_final(),
      "Of softmax(prediction) and a column of class numbers, or rows of probabilities.")
      .def(nb::init<>());
}
