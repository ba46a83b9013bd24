#include "embed_view.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <spiraltorch/embed/view.hpp>

#include "arrays.hpp"

using namespace nb::literals;
using st::HierarchyEmbedding;

namespace {

void view(const HierarchyEmbedding& e, nb::handle path, const st::Hierarchy* hierarchy,
          std::optional<std::string> title) {
  const std::string file = path_of(path);
  const nb::gil_scoped_release unlock;
  st::write_view(e, file, {.title = std::move(title), .hierarchy = hierarchy});
}

}  // namespace

void bind_embed_view(nb::class_<HierarchyEmbedding>& c) {
  c.def(
      "view", view, "path"_a, "hierarchy"_a = nb::none(), "title"_a = nb::none(),
      "Writes the Poincaré disk as one HTML file: drag, zoom, search. The hierarchy gives edges.");
}
