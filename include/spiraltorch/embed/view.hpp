#pragma once

#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {

/// What a view shows besides the points.
struct ViewOptions {
  std::optional<std::string> title{};    ///< by default the numbers of nodes and dimensions
  const Hierarchy* hierarchy = nullptr;  ///< edges, sizes and colours; its one root is the centre
};

/// Writes the Poincaré disk of an embedding as one HTML file that needs no network: drag to
/// translate by an isometry, wheel to zoom, search to fly to a node.
///
/// One and two dimensions are shown as they are. Of more, a projection is shown and named in the
/// page: an isometry moves the hierarchy's one root (without one: nothing) to the origin, the
/// tangent vectors there are projected on their two principal axes, and each keeps its length, so
/// distances from the centre are true and angles are the projection's.
///
/// Errors: `empty_input` (not fitted), `unsupported` (not in the Poincaré ball), `non_finite`
/// (coordinates), `out_of_range` (a node of the hierarchy that the embedding does not have), `io`.
/// The file is written beside the target and renamed, so a failure leaves a former file.
///
/// @code
///   write_view(embedding, "disk.html", {.title = "Mammals", .hierarchy = &mammals});
/// @endcode
SPIRALTORCH_API void write_view(const HierarchyEmbedding& embedding, const std::string& path,
                                const ViewOptions& options = {});

}  // namespace spiraltorch
