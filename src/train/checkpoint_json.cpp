#include "train/checkpoint_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::train {
namespace {

using Json = nlohmann::json;

// JSON has no NaN: null stands for it.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
double number_of(const Json& j) { return j.is_null() ? std::nan("") : j.get<double>(); }

template <class T, class F>
Json optional(const std::optional<T>& value, F to) {
  return value ? Json(to(*value)) : Json();
}
template <class F>
auto optional_of(const Json& j, F from) -> std::optional<decltype(from(j))> {
  if (j.is_null()) return {};
  return from(j);
}

Json energy_json(const BandEnergy& e) {
  return Json::array({number(e.above), number(e.here), number(e.beneath)});
}
BandEnergy energy_of(const Json& j) {
  return {number_of(j.at(0)), number_of(j.at(1)), number_of(j.at(2))};
}

Json sums_json(const Sums& s) {
  return {{"batches", s.batches},        {"samples", s.samples},
          {"loss", number(s.loss)},      {"weighted_loss", number(s.weighted_loss)},
          {"norm", number(s.norm)},      {"energy", optional(s.energy, energy_json)},
          {"seconds", number(s.seconds)}};
}
Sums sums_of(const Json& j) {
  return {j.at("batches").get<std::int64_t>(),
          j.at("samples").get<std::int64_t>(),
          number_of(j.at("loss")),
          number_of(j.at("weighted_loss")),
          number_of(j.at("norm")),
          optional_of(j.at("energy"), energy_of),
          number_of(j.at("seconds"))};
}

Json train_json(const EpochStats& s) {
  return {{"batches", s.batches},
          {"samples", s.samples},
          {"total_loss", number(s.total_loss)},
          {"average_loss", number(s.average_loss)},
          {"mean_loss", number(s.mean_loss)},
          {"grad_norm", number(s.grad_norm)},
          {"band_energy", optional(s.band_energy, energy_json)},
          {"learning_rate", number(s.learning_rate)},
          {"seconds", number(s.seconds)},
          {"samples_per_second", number(s.samples_per_second)}};
}
EpochStats train_of(const Json& j) {
  return {j.at("batches").get<std::int64_t>(),
          j.at("samples").get<std::int64_t>(),
          number_of(j.at("total_loss")),
          number_of(j.at("average_loss")),
          number_of(j.at("mean_loss")),
          number_of(j.at("grad_norm")),
          optional_of(j.at("band_energy"), energy_of),
          number_of(j.at("learning_rate")),
          number_of(j.at("seconds")),
          number_of(j.at("samples_per_second"))};
}

Json validation_json(const EvalStats& s) {
  return {{"batches", s.batches},
          {"samples", s.samples},
          {"average_loss", number(s.average_loss)},
          {"mean_loss", number(s.mean_loss)},
          {"seconds", number(s.seconds)}};
}
EvalStats validation_of(const Json& j) {
  return {j.at("batches").get<std::int64_t>(), j.at("samples").get<std::int64_t>(),
          number_of(j.at("average_loss")), number_of(j.at("mean_loss")),
          number_of(j.at("seconds"))};
}

Json fit_json(const FitProgress& fit) {
  Json history = Json::array();
  for (const HistoryEntry& entry : fit.history) {
    history.push_back({{"train", train_json(entry.train)},
                       {"validation", optional(entry.validation, validation_json)}});
  }
  return {{"history", history},
          {"best_epoch", optional(fit.best_epoch, [](std::int64_t e) { return e; })},
          {"best", number(fit.best)},
          {"watched", optional(fit.watched, number)},
          {"bad", fit.bad}};
}
FitProgress fit_of(const Json& j) {
  FitProgress fit;
  for (const Json& entry : j.at("history")) {
    fit.history.push_back(
        {train_of(entry.at("train")), optional_of(entry.at("validation"), validation_of)});
  }
  fit.best_epoch =
      optional_of(j.at("best_epoch"), [](const Json& e) { return e.get<std::int64_t>(); });
  fit.best = number_of(j.at("best"));
  fit.watched = optional_of(j.at("watched"), number_of);
  fit.bad = j.at("bad").get<std::int64_t>();
  return fit;
}

Json scheduler_json(const optim::SchedulerState& s) {
  return {{"t", s.t},     {"factor", number(s.factor)}, {"best", optional(s.best, number)},
          {"bad", s.bad}, {"cooldown", s.cooldown},     {"base_rates", s.base_rates}};
}
optim::SchedulerState scheduler_of(const Json& j) {
  optim::SchedulerState s;
  s.t = j.at("t").get<std::int64_t>();
  s.factor = number_of(j.at("factor"));
  s.best = optional_of(j.at("best"), number_of);
  s.bad = j.at("bad").get<std::int64_t>();
  s.cooldown = j.at("cooldown").get<std::int64_t>();
  s.base_rates = j.at("base_rates").get<std::vector<double>>();
  return s;
}

CheckpointFacts facts_of(const Json& j) {
  CheckpointFacts f;
  f.epoch = j.at("epoch").get<std::int64_t>();
  f.step = j.at("step").get<std::int64_t>();
  f.generator = {j.at("generator").at("seed").get<std::uint64_t>(),
                 j.at("generator").at("block").get<std::uint64_t>()};
  const Json& loader = j.at("loader");
  f.position = {loader.at("in_epoch").get<bool>(), loader.at("epoch").get<std::uint64_t>(),
                sums_of(j.at("sums"))};
  const Json& rates = j.at("rates");
  f.fallback_rate = rates.at("fallback").get<double>();
  f.group_rates = rates.at("groups").get<std::vector<double>>();
  f.tape_rates = rates.at("tapes").get<std::map<std::string, double>>();
  f.optimizer_step =
      optional_of(j.at("optimizer_step"), [](const Json& t) { return t.get<std::int64_t>(); });
  f.scheduler = optional_of(j.at("scheduler"), scheduler_of);
  f.fit = optional_of(j.at("fit"), fit_of);
  return f;
}

}  // namespace

std::string to_json(const CheckpointFacts& f) {
  const Json out{
      {"epoch", f.epoch},
      {"step", f.step},
      {"generator", {{"seed", f.generator.seed}, {"block", f.generator.block}}},
      {"loader",
       {{"in_epoch", f.position.in_epoch},
        {"epoch", f.position.loader_epoch},
        {"batches", f.position.sums.batches}}},
      {"sums", sums_json(f.position.sums)},
      {"rates",
       {{"fallback", f.fallback_rate}, {"groups", f.group_rates}, {"tapes", f.tape_rates}}},
      {"optimizer_step", optional(f.optimizer_step, [](std::int64_t t) { return t; })},
      {"scheduler", optional(f.scheduler, scheduler_json)},
      {"fit", optional(f.fit, fit_json)}};
  return out.dump();
}

CheckpointFacts facts_of(const std::string& path, std::string_view json) {
  try {
    return facts_of(Json::parse(json));
  } catch (const Json::exception& error) {
    throw FormatError("resume", text("file '", path, "', metadata 'trainer': got ", error.what(),
                                     ", expected a trainer's record"));
  }
}

}  // namespace spiraltorch::train
