#include <algorithm>
#include <array>
#include <span>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {
namespace {

constexpr std::array<std::string_view, 3> kKinds{"topk", "midk", "bottomk"};
constexpr std::array<std::string_view, 3> kPolicies{"last", "largest", "raise"};
constexpr std::array<std::string_view, 11> kAlgorithms{
    "none",        "argreduce",   "reservoir",  "quickselect", "radix",         "warp_queue",
    "block_queue", "block_radix", "grid_radix", "tile_sort",   "dispatch_radix"};
constexpr std::array<std::string_view, 4> kStages{"none", "local", "global", "vector"};
constexpr std::array<std::string_view, 3> kProvenances{"rule", "tuned", "override"};

std::string lower_case(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

template <class E>
E parse(std::string_view op, std::string_view what, std::string_view name,
        std::span<const std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<E>(found - names.begin());
  std::string expected;
  for (const std::string_view n : names)
    expected += (expected.empty() ? "" : ", ") + std::string(n);
  fail(Errc::invalid_value, op, text(what, ": got '", name, "', expected one of ", expected));
}

}  // namespace

std::string_view to_text(RankKind kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view to_text(NanPolicy policy) noexcept {
  return kPolicies[static_cast<std::size_t>(policy)];
}
std::string_view to_text(RankAlgorithm algorithm) noexcept {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}
std::string_view to_text(SortStage stage) noexcept {
  return kStages[static_cast<std::size_t>(stage)];
}
std::string_view to_text(PlanProvenance provenance) noexcept {
  return kProvenances[static_cast<std::size_t>(provenance)];
}

RankKind parse_rank_kind(std::string_view op, std::string_view name) {
  std::string key = lower_case(name);
  if (key.ends_with("_k")) key.replace(key.size() - 2, 2, "k");
  if (key == "top" || key == "mid" || key == "bottom") key += 'k';
  const auto found = std::find(kKinds.begin(), kKinds.end(), key);
  if (found == kKinds.end()) {
    fail(Errc::invalid_value, op,
         text("kind: got '", name, "', expected topk, midk or bottomk (top_k, top, …)"));
  }
  return static_cast<RankKind>(found - kKinds.begin());
}

NanPolicy parse_nan_policy(std::string_view op, std::string_view name) {
  return parse<NanPolicy>(op, "nan", name, kPolicies);
}

RankAlgorithm parse_rank_algorithm(std::string_view op, std::string_view name) {
  return parse<RankAlgorithm>(op, "algorithm", name, kAlgorithms);
}

}  // namespace spiraltorch
