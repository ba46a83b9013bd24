#include <map>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/nn/state_file.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "train/checkpoint_json.hpp"
#include "train/trainer_state.hpp"

// A checkpoint is a state file of kind "checkpoint": tensors model/<name>, tape/<name>,
// optim/<slot>/<name>, best/<name>, and the metadata `trainer`.
namespace spiraltorch {
namespace {

using train::CheckpointFacts;
constexpr const char* kKind = "checkpoint";

nn::ModulePtr module_for(std::string_view op, const nn::ModulePtr& given,
                         const nn::ModulePtr& last) {
  const nn::ModulePtr& module = given != nullptr ? given : last;
  require(module != nullptr, Errc::invalid_value, op,
          "module: got none and none was trained yet, expected one");
  return module;
}

// The optimizer's parameters by the names that the module gives them, else by their position.
std::vector<std::string> optimizer_names(const optim::Optimizer& optimizer,
                                         const nn::NamedParameters& named) {
  std::map<std::uintptr_t, std::string> known;
  for (const auto& [name, parameter] : named) known.emplace(parameter.identity(), name);
  std::vector<std::string> out;
  for (const auto& parameter : optimizer.parameters()) {
    const auto found = known.find(parameter.identity());
    out.push_back(found != known.end() ? found->second : text("#", out.size()));
  }
  return out;
}

// Reads a file's tensors by name, each to be used exactly once.
class Reader {
 public:
  Reader(std::string path, const nn::StateFile& file) : path_(std::move(path)) {
    for (const auto& [name, tensor] : file.tensors) left_.emplace(name, tensor);
  }

  [[nodiscard]] std::optional<Tensor> try_take(const std::string& name) {
    const auto found = left_.find(name);
    if (found == left_.end()) return {};
    Tensor out = found->second;
    left_.erase(found);
    return out;
  }

  [[nodiscard]] Tensor take(const std::string& name, Shape shape) {
    const auto tensor = try_take(name);
    if (!tensor) {
      fail(Errc::invalid_value, "resume",
           text("file '", path_, "': got no '", name, "', expected it"));
    }
    check_same_shape("resume", name, tensor->shape(), shape);
    if (ops::first_non_finite(*tensor) >= 0) {
      fail(Errc::non_finite, "resume",
           text(name, ": got a non-finite entry, expected finite ones"));
    }
    return *tensor;
  }

  void check_used_up() const {
    if (left_.empty()) return;
    fail(Errc::invalid_value, "resume",
         text("file '", path_, "': got '", left_.begin()->first,
              "', expected only what this module and trainer have"));
  }

 private:
  std::string path_;
  std::map<std::string, Tensor> left_;
};

// `load_state` checks the shapes.
optim::OptimizerState optimizer_state(Reader& reader, const CheckpointFacts& facts,
                                      const std::vector<std::string>& names) {
  if (!facts.optimizer_step) {
    fail(Errc::invalid_value, "resume", "optimizer: got a checkpoint without one, expected one");
  }
  optim::OptimizerState state{*facts.optimizer_step, facts.group_rates, {}};
  for (const std::string& name : names) {
    auto& slots = state.slots.emplace_back();
    for (const char* slot : {"momentum", "first", "second", "second_max"}) {
      if (auto tensor = reader.try_take(text("optim/", slot, "/", name))) {
        slots.emplace(slot, *tensor);
      }
    }
  }
  return state;
}

// What resume will write, gathered and checked before anything changes.
struct Changes {
  std::vector<std::pair<nn::Parameter, Tensor>> values{};
  std::vector<std::pair<std::shared_ptr<Hypergrad>, Tensor>> tapes{};
  std::vector<std::pair<std::shared_ptr<Hypergrad>, double>> rates{};
  std::optional<optim::OptimizerState> optimizer{};
  nn::StateDict best{};
};

void gather_parameter(Reader& reader, const CheckpointFacts& facts, const std::string& name,
                      const nn::Parameter& parameter, Changes& changes) {
  check_inplace("resume", parameter);
  changes.values.emplace_back(
      parameter, reader.take("model/" + name, parameter.shape()).to(parameter.device()));
  const auto rate = facts.tape_rates.find(name);
  if ((parameter.tape() != nullptr) != (rate != facts.tape_rates.end())) {
    fail(Errc::invalid_value, "resume",
         text("parameter '", name, "': got ",
              parameter.tape() != nullptr ? "a tape, expected none as in the checkpoint"
                                          : "no tape, expected one as in the checkpoint"));
  }
  if (parameter.tape() == nullptr) return;
  changes.rates.emplace_back(parameter.tape(), rate->second);
  changes.tapes.emplace_back(parameter.tape(),
                             reader.take("tape/" + name, parameter.shape()).to(parameter.device()));
}

Changes gather(const std::string& path, const nn::StateFile& file, const CheckpointFacts& facts,
               const nn::Module& module, const TrainerOptions& options) {
  Changes changes;
  Reader reader(path, file);
  const auto named = module.named_parameters();
  nn::check_manifolds("resume", file.manifolds, named, "model/");
  for (const auto& [name, parameter] : named) {
    gather_parameter(reader, facts, name, parameter, changes);
    if (auto best = reader.try_take("best/" + name)) {
      check_same_shape("resume", name, best->shape(), parameter.shape());
      changes.best.emplace_back(name, best->to(parameter.device()));
    }
  }
  if (options.optimizer != nullptr) {
    changes.optimizer = optimizer_state(reader, facts, optimizer_names(*options.optimizer, named));
  }
  if ((options.scheduler != nullptr) != facts.scheduler.has_value()) {
    fail(Errc::invalid_value, "resume",
         text("scheduler: got ", options.scheduler != nullptr ? "one" : "none", ", expected ",
              facts.scheduler ? "one" : "none", " as in the checkpoint"));
  }
  reader.check_used_up();
  return changes;
}

void write(const Changes& changes, const CheckpointFacts& facts, ModuleTrainer::State& state) {
  if (changes.optimizer) {
    const optim::OptimizerState before = state.options.optimizer->state();
    state.options.optimizer->load_state(*changes.optimizer);
    try {
      if (facts.scheduler) state.options.scheduler->load_state(*facts.scheduler);
    } catch (...) {
      state.options.optimizer->load_state(before);
      throw;
    }
  } else if (facts.scheduler) {
    state.options.scheduler->load_state(*facts.scheduler);
  }
  for (auto [parameter, value] : changes.values) parameter.copy_(value);
  for (const auto& [tape, buffer] : changes.tapes) {
    tape->reset();
    if (buffer.squared_l2_norm() > 0) tape->accumulate_wave(buffer);
  }
  for (const auto& [tape, rate] : changes.rates) tape->set_learning_rate(rate);
  *state.fallback_rate = facts.fallback_rate;
  set_rng_state(facts.generator);
}

}  // namespace

void ModuleTrainer::checkpoint(const std::string& path, const nn::ModulePtr& given,
                               const std::optional<DataLoader>& loader) {
  const NoGrad guard;
  const nn::ModulePtr module = module_for("checkpoint", given, state_->module);
  const auto named = module->named_parameters();
  nn::StateFile file{nn::manifolds_of(named, "model/"), {}, {}};
  CheckpointFacts facts;
  facts.epoch = state_->epoch;
  facts.step = state_->step;
  facts.generator = rng_state();
  facts.position = state_->position;
  const auto& where = loader ? loader : state_->loader;
  if (!facts.position.in_epoch && where) facts.position.loader_epoch = where->epoch();
  facts.fallback_rate = *state_->fallback_rate;
  for (const auto& [name, parameter] : named) {
    file.tensors.emplace_back("model/" + name, parameter);
    if (parameter.tape() == nullptr) continue;
    file.tensors.emplace_back("tape/" + name, parameter.tape()->buffer());
    facts.tape_rates.emplace(name, parameter.tape()->learning_rate());
  }
  if (const auto& optimizer = state_->options.optimizer; optimizer != nullptr) {
    const optim::OptimizerState state = optimizer->state();
    const auto names = optimizer_names(*optimizer, named);
    facts.optimizer_step = state.step;
    facts.group_rates = state.learning_rates;
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (const auto& [slot, tensor] : state.slots[i]) {
        file.tensors.emplace_back(text("optim/", slot, "/", names[i]), tensor);
      }
    }
  }
  if (state_->options.scheduler != nullptr) facts.scheduler = state_->options.scheduler->state();
  facts.fit = state_->fit;
  if (state_->fit) {
    for (const auto& [name, value] : state_->fit->best_values) {
      file.tensors.emplace_back("best/" + name, value);
    }
  }
  file.metadata.emplace("trainer", train::to_json(facts));
  nn::write_state_file("checkpoint", path, kKind, file);
}

void ModuleTrainer::resume(const std::string& path, const nn::ModulePtr& given,
                           const std::optional<DataLoader>& loader) {
  const NoGrad guard;
  const nn::ModulePtr module = module_for("resume", given, state_->module);
  const nn::StateFile file = nn::read_state_file("resume", path, kKind);
  const auto trainer = file.metadata.find("trainer");
  if (trainer == file.metadata.end()) {
    throw FormatError("resume", text("file '", path, "': got no metadata 'trainer', expected it"));
  }
  CheckpointFacts facts = train::facts_of(path, trainer->second);
  Changes changes = gather(path, file, facts, *module, state_->options);
  module->zero_grad();
  state_->module = module;
  state_->attach_scheduler(*module);
  write(changes, facts, *state_);
  if (loader) loader->set_epoch(static_cast<std::int64_t>(facts.position.loader_epoch));
  state_->epoch = facts.epoch;
  state_->step = facts.step;
  state_->position = facts.position;
  state_->resumed = facts.position;
  state_->fit = std::move(facts.fit);
  state_->fit_resumed = state_->fit.has_value();
  if (state_->fit) state_->fit->best_values = std::move(changes.best);
}

}  // namespace spiraltorch
