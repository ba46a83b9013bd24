#include <optional>
#include <utility>

#include "embed/arrow_column.hpp"
#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {

Hierarchy Hierarchy::from_arrow(ArrowArrayStream* from, const ArrowEdgeColumn& child,
                                const ArrowEdgeColumn& parent,
                                const std::optional<ArrowEdgeColumn>& weight) {
  data::check_live(from);
  data::ArrowStreamOwned stream;
  stream.take(from);
  const auto schema = data::batch_schema(stream.get());
  const auto column = [&](const ArrowEdgeColumn& which, const char* what) {
    return ArrowNodeColumn(*schema, data::place_of(*schema, which, what), what,
                           std::string_view(what) == "weight");
  };
  ArrowNodeColumn children = column(child, "child");
  ArrowNodeColumn parents = column(parent, "parent");
  std::optional<ArrowNodeColumn> weights;
  if (weight) weights.emplace(column(*weight, "weight"));
  HierarchyBuilder builder(data::kFromArrow);
  data::ArrowOwned<ArrowArray> batch;
  for (std::int64_t place = 0; data::next_batch(stream.get(), batch);) {
    const std::int64_t rows = batch->length;
    if (rows == 0) continue;
    children.bind(*batch, rows);
    parents.bind(*batch, rows);
    if (weights) weights->bind(*batch, rows);
    const unsigned char* valid = data::valid_rows(*batch);
    for (std::int64_t row = 0; row < rows; ++row, ++place) {
      if (valid != nullptr && !data::arrow_bit(valid, batch->offset + row)) {
        throw FormatError(data::kFromArrow, text("row ", place, ": got null, expected an edge"));
      }
      builder.edge(children.name(row, place), parents.name(row, place),
                   weights ? weights->number(row, place) : 1.0, "row", place);
    }
  }
  return builder.finish();
}

}  // namespace spiraltorch
