#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/nn/embedding.hpp>

#include "arrays.hpp"
#include "embed.hpp"

using namespace nb::literals;
using st::HierarchyEmbedding;

namespace {

void bind_evaluation(nb::class_<HierarchyEmbedding>& c) {
  c.def("evaluate", &HierarchyEmbedding::evaluate, "hierarchy"_a, "sample"_a = nb::none(),
        "seed"_a = 0, Unlocked(),
        "Exact reconstruction: each ancestor of u ranked among all nodes not linked to u; of "
        "`sample` nodes drawn by seed, if given.");
  c.def("evaluate_links", &HierarchyEmbedding::evaluate_links, "train"_a, "test"_a, Unlocked(),
        "Link prediction: each edge of test ranked among all nodes linked to u in neither.");
}

void bind_neighbours(nb::module_& m, nb::class_<HierarchyEmbedding>& c) {
  using Neighbours = st::EmbeddingNeighbours;
  nb::class_<Neighbours>(m, "EmbeddingNeighbours", "The nearest nodes of several, nearest first.")
      .def_ro("indices", &Neighbours::indices, "(queries, k): rows of the embedding.")
      .def_ro("distances", &Neighbours::distances, "(queries, k).");
  c.def("nearest", &HierarchyEmbedding::nearest, "name"_a, "k"_a = 10, Unlocked(),
        "The k nearest other nodes with their distances.");
  c.def(
      "nearest_many",
      [](const HierarchyEmbedding& e, const std::vector<std::string>& names, std::int64_t k) {
        const nb::gil_scoped_release unlock;
        return e.nearest_many(names, k);
      },
      "names"_a, "k"_a = 10, "The same for several nodes: row numbers and distances.");
  c.def("ancestors_guess", &HierarchyEmbedding::ancestors_guess, "name"_a, "k"_a = 10, Unlocked(),
        "The k nearest of the nodes whose norm is smaller, with their distances.");
  c.def("score", &HierarchyEmbedding::score, "child"_a, "parent"_a, "alpha"_a = 1000.0, Unlocked(),
        "-(1 + alpha (|parent| - |child|)) d(child, parent): the larger, the likelier that parent "
        "is above child.");
}

void bind_exports(nb::class_<HierarchyEmbedding>& c) {
  c.def("to_poincare", &HierarchyEmbedding::to_poincare, Unlocked(),
        "(nodes, dim) points of the ball, a copy.");
  c.def("to_lorentz", &HierarchyEmbedding::to_lorentz, Unlocked(),
        "(nodes, dim + 1) points of the hyperboloid, time first.");
  c.def("to_module", &HierarchyEmbedding::to_module, "name"_a = "poincare_embedding", Unlocked(),
        "A PoincareEmbedding of the points; row i is names[i].");
  c.def(
      "export_word2vec",
      [](const HierarchyEmbedding& e, nb::handle path, const std::optional<std::string>& space) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        e.export_word2vec(file, space);
      },
      "path"_a, "space"_a = nb::none(),
      "word2vec's text format; `space` stands for white space in names, an error without it.");
}

}  // namespace

void bind_embed_queries(nb::module_& m, nb::class_<HierarchyEmbedding>& c) {
  bind_evaluation(c);
  bind_neighbours(m, c);
  bind_exports(c);
}
