#include <nlohmann/json.hpp>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/plan.hpp"
#include "spiraltorch/rank/tuning.hpp"

namespace spiraltorch {
namespace {

using Json = nlohmann::ordered_json;

SortStage parse_stage(const std::string& name) {
  for (const SortStage s :
       {SortStage::none, SortStage::local, SortStage::global, SortStage::vector}) {
    if (to_text(s) == name) return s;
  }
  fail(Errc::invalid_value, "RankPlan",
       text("sort_stage: got '", name, "', expected none, local, global or vector"));
}

PlanProvenance parse_provenance(const std::string& name) {
  for (const PlanProvenance p :
       {PlanProvenance::rule, PlanProvenance::tuned, PlanProvenance::overridden}) {
    if (to_text(p) == name) return p;
  }
  fail(Errc::invalid_value, "RankPlan",
       text("provenance: got '", name, "', expected rule, tuned or override"));
}

Json choice_json(const RankChoice& c) {
  return {{"use_2ce", c.use_2ce},
          {"workgroup", c.workgroup},
          {"kl", c.kl},
          {"channel_stride", c.channel_stride},
          {"merge_kind", c.merge_kind},
          {"merge_detail", c.merge_detail},
          {"tile", c.tile},
          {"compaction_tile", c.compaction_tile}};
}

RankChoice choice_from(const Json& j) {
  return {j.at("use_2ce").get<bool>(),
          j.at("workgroup").get<std::int64_t>(),
          j.at("kl").get<std::int64_t>(),
          j.at("channel_stride").get<std::int64_t>(),
          j.at("merge_kind").get<std::int64_t>(),
          j.at("merge_detail").get<std::int64_t>(),
          j.at("tile").get<std::int64_t>(),
          j.at("compaction_tile").get<std::int64_t>()};
}

RankPlanFields fields_from(const Json& j) {
  const auto number = [&](const char* key) { return j.at(key).get<std::int64_t>(); };
  const auto word = [&](const char* key) { return j.at(key).get<std::string>(); };
  RankPlanFields p;
  p.problem = {parse_rank_kind("RankPlan", word("kind")), number("rows"), number("cols"),
               number("k")};
  p.choice = choice_from(j.at("choice"));
  p.k_effective = number("k_effective");
  p.device = parse_device("RankPlan", word("device")).device;
  p.requested_device = word("requested_device");
  p.simulated = j.at("simulated").get<bool>();
  p.algorithm = parse_rank_algorithm("RankPlan", word("algorithm"));
  p.sort_stage = parse_stage(word("sort_stage"));
  p.subgroup = j.at("subgroup").get<bool>();
  p.grid = j.at("grid").get<std::array<std::int64_t, 3>>();
  p.block = number("block");
  p.shared_bytes = number("shared_bytes");
  p.passes = number("passes");
  p.workspace_bytes = number("workspace_bytes");
  p.provenance = parse_provenance(word("provenance"));
  for (const Json& r : j.at("rejected")) {
    p.rejected.push_back(
        {parse_rank_algorithm("RankPlan", r.at(0).get<std::string>()), r.at(1).get<std::string>()});
  }
  p.fingerprint = word("fingerprint");
  p.planner_version = number("planner_version");
  return p;
}

}  // namespace

std::string to_json(const RankPlan& plan) {
  const RankPlanFields& p = *plan;
  Json rejected = Json::array();
  for (const Rejection& r : p.rejected) {
    rejected.push_back(Json::array({std::string(to_text(r.algorithm)), r.reason}));
  }
  const Json j{{"kind", to_text(p.problem.kind)},
               {"rows", p.problem.rows},
               {"cols", p.problem.cols},
               {"k", p.problem.k},
               {"choice", choice_json(p.choice)},
               {"k_effective", p.k_effective},
               {"device", to_text(p.device)},
               {"requested_device", p.requested_device},
               {"backend", backend_name(p.device.type)},
               {"simulated", p.simulated},
               {"algorithm", to_text(p.algorithm)},
               {"sort_stage", to_text(p.sort_stage)},
               {"subgroup", p.subgroup},
               {"grid", p.grid},
               {"block", p.block},
               {"shared_bytes", p.shared_bytes},
               {"passes", p.passes},
               {"workspace_bytes", p.workspace_bytes},
               {"provenance", to_text(p.provenance)},
               {"rejected", std::move(rejected)},
               {"fingerprint", p.fingerprint},
               {"planner_version", p.planner_version}};
  return j.dump();
}

RankPlan plan_from_json(std::string_view content) {
  try {
    return RankPlan(fields_from(Json::parse(content)));
  } catch (const Json::exception& e) {
    fail(Errc::invalid_value, "RankPlan",
         text("fields: got ", e.what(), ", expected those of to_dict()"));
  }
}

std::string to_json(const TuningTable& table) {
  Json entries = Json::array();
  for (const TuningEntry& e : table.entries) {
    entries.push_back({{"kind", to_text(e.bucket.kind)},
                       {"log2_rows", e.bucket.log2_rows},
                       {"log2_cols", e.bucket.log2_cols},
                       {"log2_k", e.bucket.log2_k},
                       {"algorithm", to_text(e.algorithm)},
                       {"parameters", Json::object()},
                       {"median", e.median},
                       {"mad", e.mad}});
  }
  const Json j{{"planner_version", table.planner_version},
               {"fingerprint", table.fingerprint},
               {"entries", std::move(entries)}};
  return j.dump(1);
}

TuningTable tuning_from_json(std::string_view content) {
  try {
    const Json j = Json::parse(content);
    TuningTable t;
    t.planner_version = j.at("planner_version").get<std::int64_t>();
    t.fingerprint = j.at("fingerprint").get<std::string>();
    for (const Json& e : j.at("entries")) {
      TuningEntry entry;
      entry.bucket = {parse_rank_kind("tuning", e.at("kind").get<std::string>()),
                      e.at("log2_rows").get<std::int64_t>(), e.at("log2_cols").get<std::int64_t>(),
                      e.at("log2_k").get<std::int64_t>()};
      entry.algorithm = parse_rank_algorithm("tuning", e.at("algorithm").get<std::string>());
      entry.median = e.at("median").get<double>();
      entry.mad = e.at("mad").get<double>();
      t.entries.push_back(entry);
    }
    return t;
  } catch (const Json::exception& e) {
    fail(Errc::invalid_value, "tuning", text("table: got ", e.what(), ", expected a tuning table"));
  }
}

}  // namespace spiraltorch
