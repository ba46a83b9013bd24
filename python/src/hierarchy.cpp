#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/embed/hierarchy.hpp>

#include "arrays.hpp"
#include "arrow_stream.hpp"

using namespace nb::literals;
using st::Hierarchy;

namespace {

Hierarchy from_edges(nb::handle edges) {
  if (PySequence_Check(edges.ptr()) == 0 || PyUnicode_Check(edges.ptr())) {
    throw nb::type_error("[from_edges] edges: expected a sequence of pairs or triples");
  }
  std::vector<st::NamedEdge> out;
  for (nb::handle item : edges) {
    const nb::object edge = nb::borrow(item);
    const std::size_t parts = PySequence_Check(edge.ptr()) != 0 ? nb::len(edge) : 0;
    if (parts != 2 && parts != 3) {
      st::fail(st::Errc::length_mismatch, "from_edges",
               st::text("edge ", out.size(), ": got ", parts,
                        " parts, expected child, parent and "
                        "perhaps a weight"));
    }
    out.push_back({nb::cast<std::string>(edge[0]), nb::cast<std::string>(edge[1]),
                   parts == 3 ? number("from_edges", edge[2]) : 1.0});
  }
  return Hierarchy::from_edges(out);
}

Hierarchy from_csv(nb::handle path, std::optional<std::string> delimiter, nb::handle header,
                   std::pair<int, int> columns, std::optional<int> weight,
                   std::optional<std::string> comment) {
  st::CsvOptions o;
  if (delimiter) {
    st::require(delimiter->size() == 1, st::Errc::invalid_value, "from_csv",
                "delimiter: got another length, expected one ASCII character");
    o.delimiter = (*delimiter)[0];
  }
  if (PyBool_Check(header.ptr())) {
    o.header = nb::cast<bool>(header);
  } else if (nb::cast<std::string>(header) != "auto") {
    st::fail(st::Errc::invalid_value, "from_csv", "header: got another string, expected 'auto'");
  }
  o.columns = columns;
  o.weight = weight;
  o.comment = comment.value_or("");
  const std::string file = path_of(path);
  const nb::gil_scoped_release unlock;
  return Hierarchy::from_csv(file, o);
}

Hierarchy from_jsonl(nb::handle path, const std::string& child, const std::string& parent,
                     const std::optional<std::string>& weight) {
  const std::string file = path_of(path);
  const nb::gil_scoped_release unlock;
  return Hierarchy::from_jsonl(file, child, parent, weight);
}

Hierarchy read_by_name(nb::handle path) {
  const std::string file = path_of(path);
  const nb::gil_scoped_release unlock;
  return Hierarchy::read(file);
}

Hierarchy from_arrow(nb::handle source, const st::ArrowEdgeColumn& child,
                     const st::ArrowEdgeColumn& parent,
                     const std::optional<st::ArrowEdgeColumn>& weight) {
  ArrowArrayStream stream = export_arrow_stream("from_arrow", source);
  const nb::gil_scoped_release unlock;
  return Hierarchy::from_arrow(&stream, child, parent, weight);
}

template <class T>
using Parents = nb::ndarray<const T, nb::ndim<1>, nb::device::cpu>;

template <class T>
Hierarchy from_parents(Parents<T> parents) {
  std::vector<std::int64_t> out;
  out.reserve(parents.shape(0));
  for (std::size_t i = 0; i < parents.shape(0); ++i) out.push_back(parents(i));
  const nb::gil_scoped_release unlock;
  return Hierarchy::from_parents(out);
}

std::optional<std::string> optional_path(nb::handle path) {
  if (path.is_none()) return {};
  return path_of(path);
}

st::CyclePolicy cycle_policy(const std::string& cycles) {
  if (cycles == "raise") return st::CyclePolicy::raise;
  if (cycles == "collapse") return st::CyclePolicy::collapse;
  st::fail(st::Errc::invalid_value, "closure",
           st::text("cycles: got '", cycles, "', expected 'raise' or 'collapse'"));
}

st::SplitPairs split_pairs(const std::string& pairs) {
  if (pairs == "any") return st::SplitPairs::any;
  if (pairs == "inferred") return st::SplitPairs::inferred;
  if (pairs == "inner") return st::SplitPairs::inner;
  st::fail(st::Errc::invalid_value, "split",
           st::text("pairs: got '", pairs, "', expected 'any', 'inferred' or 'inner'"));
}

nb::list edges_of(const Hierarchy& h) {
  nb::list out;
  for (const st::Edge& e : h.edges()) out.append(nb::make_tuple(e.child, e.parent, e.weight));
  return out;
}

nb::dict report_of(const Hierarchy& h) {
  const auto report = h.report();
  nb::dict d;
  d["nodes"] = report.nodes;
  d["edges"] = report.edges;
  d["duplicate_edges"] = report.duplicate_edges;
  d["self_edges"] = report.self_edges;
  return d;
}

}  // namespace

void bind_hierarchy(nb::module_& m) {
  nb::class_<Hierarchy>(m, "Hierarchy",
                        "Named nodes and directed, weighted edges child → parent.\n\n"
                        ">>> Hierarchy.from_edges([('dog', 'mammal'), ('cat', 'mammal')])\n"
                        "Hierarchy(nodes=3, edges=2)")
      .def_static("from_edges", from_edges, "edges"_a,
                  "(child, parent) pairs or (child, parent, weight) triples.")
      .def_static("from_csv", from_csv, "path"_a, "delimiter"_a = nb::none(), "header"_a = "auto",
                  "columns"_a = std::pair(0, 1), "weight"_a = nb::none(), "comment"_a = "#",
                  "A .csv, .tsv or .txt file, or such a .gz, in one streaming pass. The first line "
                  "chooses the delimiter where it is None, and whether it is a header.")
      .def_static("from_jsonl", from_jsonl, "path"_a, "child"_a = "child", "parent"_a = "parent",
                  "weight"_a = nb::none(),
                  "JSON lines, or such a .gz: each an object with these keys. Names are strings or "
                  "whole numbers.")
      .def_static("read", read_by_name, "path"_a,
                  "The reader that the name asks for: .jsonl and .ndjson are JSON lines, all else "
                  "CSV; with .gz behind it, compressed.")
      .def_static("from_arrow", from_arrow, "source"_a, "child"_a = "child", "parent"_a = "parent",
                  "weight"_a = nb::none(),
                  "Columns, by name or number, of any object with __arrow_c_stream__. Names are "
                  "strings, integers or dictionaries of either.")
      .def_static("from_parents", from_parents<std::int64_t>, nb::arg("parents").noconvert(),
                  "Node i named by its number, parents[i] = -1 for a root.")
      .def_static("from_parents", from_parents<std::int32_t>, nb::arg("parents").noconvert())
      .def_static(
          "from_parents",
          [](const std::vector<std::int64_t>& parents) {
            const nb::gil_scoped_release unlock;
            return Hierarchy::from_parents(parents);
          },
          "parents"_a)
      .def_static(
          "wordnet_nouns",
          [](nb::handle path) {
            const auto file = optional_path(path);
            const nb::gil_scoped_release unlock;
            return Hierarchy::wordnet_nouns(file);
          },
          "path"_a = nb::none(), "WordNet's nouns from Princeton's data.noun.")
      .def_static(
          "wordnet_mammals",
          [](nb::handle path) {
            const auto file = optional_path(path);
            const nb::gil_scoped_release unlock;
            return Hierarchy::wordnet_mammals(file);
          },
          "path"_a = nb::none(), "The subtree below mammal.n.01.")
      .def(
          "closure",
          [](const Hierarchy& h, const std::string& cycles) {
            const auto policy = cycle_policy(cycles);
            const nb::gil_scoped_release unlock;
            return h.closure(policy);
          },
          "cycles"_a = "raise", "Every node to all its ancestors.")
      .def(
          "split",
          [](const Hierarchy& h, double test, std::uint64_t seed, const std::string& pairs) {
            st::HierarchySplit out = h.split(test, seed, split_pairs(pairs));
            return std::pair(std::move(out.train), std::move(out.test));
          },
          "test"_a = 0.1, "seed"_a = 0, "pairs"_a = "any", Unlocked(),
          "(train, test) for link prediction: closure edges, some of them held out whose ends keep "
          "another one in train. pairs: 'any', 'inferred' (none of the hierarchy's own edges) or "
          "'inner' (no root or leaf at an end, as in Nickel & Kiela 2017). Train on train's edges "
          "as they are.")
      .def("subtree", &Hierarchy::subtree, "root"_a, Unlocked(),
           "A node and all that lies below it.")
      .def("roots", &Hierarchy::roots, "Names of nodes without parents.")
      .def("leaves", &Hierarchy::leaves, "Names of nodes without children.")
      .def("depth", &Hierarchy::depth, Unlocked(), "Edges of the longest path from a root down.")
      .def("index", &Hierarchy::index, "name"_a, "Id of a name.")
      .def(
          "write_tsv",
          [](const Hierarchy& h, nb::handle path) {
            const std::string file = path_of(path);
            const nb::gil_scoped_release unlock;
            h.write_tsv(file);
          },
          "path"_a, "child, parent and, unless all are 1, weight, separated by tabs.")
      .def("report", report_of, "Counts of what was read.")
      .def_prop_ro("nodes", &Hierarchy::nodes, "Names by id.")
      .def_prop_ro("edges", edges_of, "(child id, parent id, weight) triples.")
      .def("__len__", &Hierarchy::len)
      .def("__repr__", &Hierarchy::repr);
}
