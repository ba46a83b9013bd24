#include <nanobind/stl/string.h>

#include <spiraltorch/nn/hyperbolic_loss.hpp>
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
  nb::class_<st::nn::HyperbolicCrossEntropy, Loss>(
      m, "HyperbolicCrossEntropy", nb::is_final(),
      "Logistic cross-entropy of signed hyperbolic lengths and labels in [0, 1].")
      .def(nb::init<double, double>(), "curvature"_a = -1.0, "epsilon"_a = 1e-5);
  nb::class_<st::nn::PoincareDistanceLoss, Loss>(m, "PoincareDistanceLoss", nb::is_final(),
                                                 "Mean squared distance of rows in the ball.")
      .def(nb::init<double>(), "curvature"_a = -1.0);
  nb::class_<st::nn::FermiDiracLoss, Loss>(
      m, "FermiDiracLoss", nb::is_final(),
      "Cross-entropy of fermi_dirac(distance) and edge labels.")
      .def(nb::init<double, double>(), "radius"_a = 2.0, "temperature"_a = 1.0);
  m.def("fermi_dirac", st::nn::fermi_dirac, "distance"_a, "radius"_a = 2.0, "temperature"_a = 1.0,
        Unlocked(), "1/(1 + exp((distance - radius)/temperature)).");
}
