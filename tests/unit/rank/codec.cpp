#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "check_error.hpp"
#include "rank_caps.hpp"
#include "spiraltorch/rank/plan.hpp"

using namespace spiraltorch;
using Json = nlohmann::ordered_json;

TEST_CASE("a plan survives JSON") {
  for (const DeviceCaps& caps :
       {rank_caps::cpu(), rank_caps::cpu(1, 1), rank_caps::gpu(DeviceType::wgpu),
        rank_caps::gpu(DeviceType::cuda), rank_caps::gpu(DeviceType::hip)}) {
    for (const RankKind kind : {RankKind::topk, RankKind::midk, RankKind::bottomk}) {
      for (const std::int64_t rows : {0, 1, 3, 5000}) {
        for (const std::int64_t cols : {0, 1, 31, 2048, 65536, 10000000}) {
          for (const std::int64_t k : {0, 1, 7, 300, 5000}) {
            const RankPlan p = plan({kind, rows, cols, k}, caps, "AUTO");
            const RankPlan back = plan_from_json(to_json(p));
            REQUIRE(back == p);
            REQUIRE(lower(back) == lower(p));
          }
        }
      }
    }
  }
}

TEST_CASE("an overridden plan survives JSON, whatever its reasons hold") {
  const DeviceCaps caps = rank_caps::cpu();
  RankPlanFields f = *replace(plan({RankKind::topk, 2, 200000, 50}, caps), caps,
                              {.algorithm = RankAlgorithm::radix, .channel_stride = 70001});
  f.rejected.push_back({RankAlgorithm::argreduce, "\"quoted\" \\ and\nlines, ⌊x⌋"});
  f.requested_device = "ünusual";
  const RankPlan p(f);
  CHECK(plan_from_json(to_json(p)) == p);
}

TEST_CASE("JSON holds the mapping's keys first, in order") {
  const Json j = Json::parse(to_json(plan({RankKind::topk, 2, 2000, 50}, rank_caps::cpu())));
  std::string keys;
  for (const auto& item : j.items()) {
    keys += item.key() + " ";
    if (item.key() == "choice") break;
  }
  CHECK(keys == "kind rows cols k choice ");
  keys.clear();
  for (const auto& item : j.at("choice").items()) keys += item.key() + " ";
  CHECK(keys ==
        "use_2ce workgroup kl channel_stride merge_kind merge_detail tile compaction_tile ");
}

TEST_CASE("text that is not a consistent plan is refused") {
  const std::string good = to_json(plan({RankKind::topk, 2, 2000, 50}, rank_caps::cpu()));
  for (const char* bad :
       {"", "{", "[]", "{}", "null", "3", "\"topk\"", "\xff", "{\"kind\":\"topk\"}"}) {
    CAPTURE(bad);
    check_error(Errc::invalid_value, [&] { (void)plan_from_json(bad); });
  }
  check_error(Errc::invalid_value, [&] { (void)plan_from_json(good.substr(0, good.size() / 2)); });
  const Json whole = Json::parse(good);
  for (const auto& item : whole.items()) {
    if (item.key() == "backend") continue;  // follows from the device
    CAPTURE(item.key());
    Json less = whole;
    less.erase(item.key());
    check_error(Errc::invalid_value, [&] { (void)plan_from_json(less.dump()); });
    Json other = whole;
    other[item.key()] = Json::object({{"a", 1}});
    check_error(Errc::invalid_value, [&] { (void)plan_from_json(other.dump()); });
  }
  for (const auto& [key, value] : {std::pair<const char*, Json>{"kind", "max"},
                                   {"rows", -1},
                                   {"rows", 4294967296},
                                   {"device", "gpu"},
                                   {"algorithm", "sort"},
                                   {"sort_stage", "quick"},
                                   {"provenance", "luck"},
                                   {"planner_version", 0},
                                   {"workspace_bytes", 1},
                                   {"grid", Json::array({1, 2})},
                                   {"rejected", Json::array({"x"})}}) {
    CAPTURE(key);
    Json other = whole;
    other[key] = value;
    check_error(Errc::invalid_value, [&] { (void)plan_from_json(other.dump()); });
  }
}
