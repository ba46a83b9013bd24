#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/parameter.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::nn {

class Module;
using ModulePtr = std::shared_ptr<Module>;
using NamedParameters = std::vector<std::pair<std::string, Parameter>>;
/// Copies by name, in definition order.
using StateDict = std::vector<std::pair<std::string, Tensor>>;

/// A differentiable map with parameters. A class derived from it defines `forward` and registers
/// its parameters and modules; ownership is shared, so that a layer may occur several times.
///
/// Names: a parameter's as registered, a child's with the prefix `name.`; native layers called L
/// have `L::weight` and so on. A shared object appears once, at its first place.
///
/// Errors: `invalid_value` for a cycle, a null child, a name registered twice, names that do not
/// fit; `shape_mismatch`, `non_finite`, `graph` on loading. A call that throws changes nothing.
///
/// @code
///   auto net = std::make_shared<Sequential>(std::vector<ModulePtr>{
///       std::make_shared<Linear>(4, 8), std::make_shared<Relu>()});
///   Tensor y = net->forward(Tensor(3, 4));
/// @endcode
class SPIRALTORCH_API Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual Tensor forward(const Tensor& input) = 0;

  [[nodiscard]] std::vector<Parameter> parameters() const;
  [[nodiscard]] virtual NamedParameters named_parameters() const;
  /// Direct ones, each once.
  [[nodiscard]] std::vector<ModulePtr> children() const;
  /// All below this one, each once, every one before its own.
  [[nodiscard]] std::vector<ModulePtr> descendants() const;
  /// Sets the mode here and below.
  void train(bool mode = true);
  void eval() { train(false); }
  [[nodiscard]] bool training() const noexcept { return training_; }
  void zero_grad();

  [[nodiscard]] StateDict state_dict() const;
  /// Copies values in by name, projected to the ball where a parameter lives on one; with `strict`
  /// names that are missing or unexpected are errors. All checks come first.
  void load_state_dict(const StateDict& state, bool strict = true);

  /// Writes the parameters as safetensors (nn/state_file.hpp), atomically; `io`.
  void save(const std::string& path) const;
  /// Reads any valid safetensors file with the right names; a tensor of rank 1 is one row, other
  /// float types than F32 are rounded with `cast` only (`dtype` otherwise), recorded curvatures
  /// must match (`curvature_mismatch`). `FormatError` for malformed files. All checks come first.
  void load(const std::string& path, bool strict = true, bool cast = false);

  /// Forward, then the vector-Jacobian product: accumulates the parameters' gradients, returns the
  /// input's.
  Tensor backward(const Tensor& input, const Tensor& grad_output);

  /// In constructor form, containers indented.
  [[nodiscard]] virtual std::string repr() const;

  /// What a class calls for its parts; a name given again takes the new object at its old place.
  void register_parameter(std::string_view name, const Parameter& parameter);
  void register_module(std::string_view name, const ModulePtr& module);
  /// Whether there was such a name.
  bool unregister(std::string_view name);
  /// Lets go of every part.
  void clear_parts() noexcept { entries_.clear(); }
  /// Registered modules that nobody else holds: what a garbage collector follows.
  [[nodiscard]] std::vector<Module*> exclusive_children() const;

 protected:
  struct Entry {
    std::string name;
    std::variant<Parameter, ModulePtr> part;
  };
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] virtual std::string type_name() const { return "Module"; }
  /// `invalid_value` for null, this module, or one that holds it.
  void check_child(std::string_view op, const ModulePtr& module) const;

 private:
  void put(std::string_view op, std::string_view name, std::variant<Parameter, ModulePtr> part);
  std::vector<Entry> entries_;
  bool training_ = true;
};

}  // namespace spiraltorch::nn
