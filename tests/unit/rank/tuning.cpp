#include "spiraltorch/rank/tuning.hpp"

#include <doctest/doctest.h>

#include "check_error.hpp"
#include "rank_caps.hpp"

using namespace spiraltorch;

namespace {

constexpr RankProblem kProblem{RankKind::topk, 8, 60000, 40};

TuningTable table(const RankProblem& q, RankAlgorithm algorithm) {
  return {kPlannerVersion, fingerprint(rank_caps::cpu()), {{bucket_of(q), algorithm, 1e-3, 1e-5}}};
}

RankPlan tuned(const TuningTable& t) { return plan(kProblem, rank_caps::cpu(), "cpu", &t); }

}  // namespace

TEST_CASE("buckets are powers of two") {
  CHECK(bucket_of({RankKind::midk, 1, 2, 3}) == TuningBucket{RankKind::midk, 0, 1, 1});
  CHECK(bucket_of({RankKind::topk, 1023, 1024, 1025}) == TuningBucket{RankKind::topk, 9, 10, 10});
  CHECK(bucket_of({RankKind::topk, 4294967295, 4294967295, 4294967295}) ==
        TuningBucket{RankKind::topk, 31, 31, 31});
  CHECK(bucket_of({RankKind::topk, 0, 0, 0}) == TuningBucket{RankKind::topk, 0, 0, 0});
}

TEST_CASE("an entry is found by its exact bucket") {
  const TuningTable t = table(kProblem, RankAlgorithm::radix);
  REQUIRE(find_entry(t, bucket_of(kProblem)) == &t.entries[0]);
  CHECK(find_entry(t, bucket_of({RankKind::topk, 15, 65535, 63})) == &t.entries[0]);
  CHECK(find_entry(t, bucket_of({RankKind::bottomk, 8, 60000, 40})) == nullptr);
  CHECK(find_entry(t, bucket_of({RankKind::topk, 16, 60000, 40})) == nullptr);
  CHECK(find_entry(t, bucket_of({RankKind::topk, 8, 65536, 40})) == nullptr);
  CHECK(find_entry(t, bucket_of({RankKind::topk, 8, 60000, 64})) == nullptr);
  CHECK(find_entry({}, bucket_of(kProblem)) == nullptr);
}

TEST_CASE("a time beats the rules' by more than 3 % and three deviations") {
  CHECK(beats_rule(0.9, 0.0, 1.0, 0.0));
  CHECK_FALSE(beats_rule(0.97, 0.0, 1.0, 0.0));
  CHECK(beats_rule(0.9699, 0.0, 1.0, 0.0));
  CHECK_FALSE(beats_rule(1.0, 0.0, 1.0, 0.0));
  CHECK_FALSE(beats_rule(2.0, 0.0, 1.0, 0.0));
  CHECK(beats_rule(0.5, 0.125, 1.0, 0.0));  // 0.5 + 3·0.125 < 1
  CHECK_FALSE(beats_rule(0.5, 0.25, 1.0, 0.0));
  CHECK_FALSE(beats_rule(0.5, 0.0, 1.0, 0.25));
  CHECK_FALSE(beats_rule(0.25, 0.25, 1.0, 0.0));  // exactly three are not more than three
}

TEST_CASE("a table survives JSON") {
  TuningTable t = table(kProblem, RankAlgorithm::radix);
  t.entries.push_back({{RankKind::midk, 0, 31, 5}, RankAlgorithm::quickselect, 0.1, 1.0 / 3.0});
  CHECK(tuning_from_json(to_json(t)) == t);
  CHECK(tuning_from_json(to_json(TuningTable{})) == TuningTable{});
  const std::string good = to_json(t);
  check_error(Errc::invalid_value, [&] { (void)tuning_from_json(good.substr(0, 60)); });
  for (const char* bad : {"", "[]", "{}", "7", "{\"planner_version\":1}",
                          R"({"planner_version":1,"fingerprint":"a","entries":[{}]})",
                          R"({"planner_version":1,"fingerprint":"a","entries":3})",
                          R"({"planner_version":"1","fingerprint":"a","entries":[]})"}) {
    CAPTURE(bad);
    check_error(Errc::invalid_value, [&] { (void)tuning_from_json(bad); });
  }
  std::string renamed = good;
  renamed.replace(renamed.find("\"radix\""), 7, "\"sort_\"");
  check_error(Errc::invalid_value, [&] { (void)tuning_from_json(renamed); });
}

TEST_CASE("a tuned entry changes the plan of its bucket") {
  const RankPlan rule = plan(kProblem, rank_caps::cpu(), "cpu");
  REQUIRE(rule->algorithm == RankAlgorithm::reservoir);
  const RankPlan p = tuned(table(kProblem, RankAlgorithm::radix));
  CHECK(p->algorithm == RankAlgorithm::radix);
  CHECK(p->provenance == PlanProvenance::tuned);
  CHECK(p->choice.merge_kind == 3);
  CHECK(p->rejected == rule->rejected);
  CHECK(explain(p).find("tuning table") != std::string::npos);
  CHECK(tuned(table(kProblem, RankAlgorithm::reservoir))->provenance == PlanProvenance::tuned);
}

TEST_CASE("an entry that cannot serve, or of another bucket, changes nothing") {
  const RankPlan rule = plan(kProblem, rank_caps::cpu(), "cpu");
  CHECK(tuned(table(kProblem, RankAlgorithm::argreduce)) == rule);    // k is not 1
  CHECK(tuned(table(kProblem, RankAlgorithm::block_radix)) == rule);  // not the CPU's
  CHECK(tuned(table(kProblem, RankAlgorithm::none)) == rule);
  CHECK(tuned(table({RankKind::topk, 8, 60000, 80}, RankAlgorithm::radix)) == rule);
  CHECK(tuned(table({RankKind::midk, 8, 60000, 40}, RankAlgorithm::radix)) == rule);
  CHECK(tuned({}) == rule);
  const RankPlan empty = plan({RankKind::topk, 0, 60000, 40}, rank_caps::cpu(), "cpu", nullptr);
  CHECK(empty->provenance == PlanProvenance::rule);
}
