#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <optional>
#include <spiraltorch/geometry/poincare_ball.hpp>
#include <spiraltorch/tensor/complex_tensor.hpp>
#include <spiraltorch/tensor/tensor.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bind.hpp"

/// Keeps a Python-owned object alive from any thread.
template <class Owner>
[[nodiscard]] std::shared_ptr<void> keep_alive(Owner owner) {
  return {new Owner(std::move(owner)), [](void* p) {
            if (Py_IsInitialized() == 0) return;  // the process is ending: leave it
            const nb::gil_scoped_acquire lock;
            delete static_cast<Owner*>(p);
          }};
}

/// Python's numbers, sequences, buffers and foreign arrays as tensors.

/// What `copy` says: None shares where possible, True never, False shares or raises `no_copy`.
enum class CopyPolicy : std::uint8_t { if_needed, always, never };
[[nodiscard]] CopyPolicy copy_policy(nb::handle copy);

/// Any array, buffer or (nested) sequence: 0-D → (1,1), 1-D → (1,n). `only_dlpack` refuses the
/// rest.
[[nodiscard]] st::Tensor import_array(nb::handle object, CopyPolicy copy, bool only_dlpack = false);

/// Exactly `count` numbers from a sequence or buffer, row-major; `length_mismatch` otherwise.
[[nodiscard]] std::vector<double> numbers(const char* op, nb::handle object,
                                          std::optional<std::int64_t> count = {});
[[nodiscard]] std::vector<std::complex<float>> complex_numbers(const char* op, nb::handle object,
                                                               std::int64_t count);

/// A Tensor as it is, a number as (1,1); nothing for other objects.
[[nodiscard]] std::optional<st::Tensor> try_operand(nb::handle object, const st::Tensor& beside);

/// A str or path-like object as the operating system's name.
[[nodiscard]] std::string path_of(nb::handle path);

/// One number; anything else is `dtype`.
[[nodiscard]] double number(const char* op, nb::handle object);

/// None, a sequence or an (r,1) tensor.
[[nodiscard]] st::Weights weights_of(nb::handle object);
[[nodiscard]] std::optional<std::vector<double>> optional_numbers(const char* op,
                                                                  nb::handle object);
/// A list of tensors; TypeError for anything else.
[[nodiscard]] std::vector<st::Tensor> tensors_of(nb::handle object);

/// The device named by a string, as a place for a new tensor.
[[nodiscard]] st::TensorOptions tensor_options(bool requires_grad,
                                               const std::optional<std::string>& device);
/// Where new tensors of this thread go: the device named, else that of the innermost `with
/// session:`, else the CPU.
[[nodiscard]] st::DeviceId new_device(const char* op, const std::optional<std::string>& device);
void push_default_device(st::DeviceId device);
void pop_default_device();
