#include "embed.hpp"

#include <nanobind/stl/function.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/embed/embedding.hpp>

#include "arrays.hpp"
#include "embed_view.hpp"

using namespace nb::literals;
using st::Hierarchy;
using st::HierarchyEmbedding;

namespace {

// A Python callable as the progress callback; signals (Ctrl-C) are looked at after each epoch.
st::ProgressCallback progress_of(nb::handle callback) {
  const bool given = !callback.is_none();
  return [callback, given](const st::EmbeddingProgress& p) {
    const nb::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) nb::raise_python_error();
    if (!given) return true;
    const nb::object go_on = callback(p);
    return go_on.is_none() || nb::cast<bool>(go_on);
  };
}

bool fit(HierarchyEmbedding& e, const Hierarchy& h, nb::handle progress) {
  const auto callback = progress_of(progress);
  const nb::gil_scoped_release unlock;
  return e.fit(h, callback);
}

bool resume(HierarchyEmbedding& e, const Hierarchy& h, nb::handle progress) {
  const auto callback = progress_of(progress);
  const nb::gil_scoped_release unlock;
  return e.resume(h, callback);
}

void construct(HierarchyEmbedding* self, std::int64_t dim, std::string manifold, double curvature,
               std::optional<std::int64_t> epochs, std::optional<std::int64_t> batch,
               std::optional<double> lr, std::optional<std::int64_t> negatives,
               std::optional<std::int64_t> burn_in, std::optional<double> burn_in_factor,
               double sampling_power, std::string init, std::optional<double> init_radius,
               double init_scale, std::uint64_t seed, std::string device,
               std::optional<int> threads, std::string dtype, bool grouped, bool closure,
               std::string mode, std::string objective, std::optional<double> loss_power,
               std::optional<std::int64_t> local_negatives, std::optional<double> local_from) {
  new (self) HierarchyEmbedding({.dim = dim,
                                 .manifold = std::move(manifold),
                                 .curvature = curvature,
                                 .objective = std::move(objective),
                                 .loss_power = loss_power,
                                 .local_negatives = local_negatives,
                                 .local_from = local_from,
                                 .epochs = epochs,
                                 .batch = batch,
                                 .lr = lr,
                                 .negatives = negatives,
                                 .burn_in = burn_in,
                                 .burn_in_factor = burn_in_factor,
                                 .sampling_power = sampling_power,
                                 .init = std::move(init),
                                 .init_radius = init_radius,
                                 .init_scale = init_scale,
                                 .seed = seed,
                                 .device = std::move(device),
                                 .threads = threads,
                                 .dtype = std::move(dtype),
                                 .grouped = grouped,
                                 .closure = closure,
                                 .mode = std::move(mode)});
}

nb::dict options_of(const HierarchyEmbedding& e) {
  const st::EmbeddingOptions& o = e.options();
  nb::dict d;
  d["dim"] = o.dim;
  d["manifold"] = o.manifold;
  d["curvature"] = o.curvature;
  d["epochs"] = o.epochs;
  d["batch"] = o.batch;
  d["lr"] = o.lr;
  d["negatives"] = o.negatives;
  d["burn_in"] = o.burn_in;
  d["burn_in_factor"] = o.burn_in_factor;
  d["sampling_power"] = o.sampling_power;
  d["init"] = o.init;
  d["init_radius"] = o.init_radius;
  d["init_scale"] = o.init_scale;
  d["seed"] = o.seed;
  d["device"] = o.device;
  d["threads"] = o.threads;
  d["dtype"] = o.dtype;
  d["grouped"] = o.grouped;
  d["closure"] = o.closure;
  d["mode"] = o.mode;
  d["objective"] = o.objective;
  d["loss_power"] = o.loss_power;
  d["local_negatives"] = o.local_negatives;
  d["local_from"] = o.local_from;
  return d;
}

void bind_results(nb::module_& m) {
  using Evaluation = st::EmbeddingEvaluation;
  nb::class_<Evaluation::Level>(m, "EmbeddingLevel", "Figures of one depth.")
      .def_ro("mean_rank", &Evaluation::Level::mean_rank)
      .def_ro("map", &Evaluation::Level::map)
      .def_ro("nodes", &Evaluation::Level::nodes)
      .def_ro("pairs", &Evaluation::Level::pairs);
  nb::class_<Evaluation>(m, "EmbeddingEvaluation", "Figures of reconstruction or link prediction.")
      .def_ro("mean_rank", &Evaluation::mean_rank, "Over ranked pairs.")
      .def_ro("map", &Evaluation::map, "Over nodes with one.")
      .def_ro("nodes", &Evaluation::nodes)
      .def_ro("pairs", &Evaluation::pairs)
      .def_ro("sampled", &Evaluation::sampled, "Whether the nodes were drawn from more.")
      .def_ro("per_depth", &Evaluation::per_depth, "The same by depth.")
      .def("__repr__", [](const Evaluation& e) {
        return st::text("EmbeddingEvaluation(mean_rank=", e.mean_rank, ", map=", e.map,
                        ", pairs=", e.pairs, ")");
      });
  using Progress = st::EmbeddingProgress;
  nb::class_<Progress>(m, "EmbeddingProgress", "One epoch's figures.")
      .def_ro("epoch", &Progress::epoch)
      .def_ro("epochs", &Progress::epochs)
      .def_ro("loss", &Progress::loss)
      .def_ro("pairs_per_second", &Progress::pairs_per_second)
      .def_ro("seconds_left", &Progress::seconds_left);
}

void bind_use(nb::class_<HierarchyEmbedding>& c) {
  c.def("fit", fit, "hierarchy"_a, "progress"_a = nb::none(),
        "Trains from the start; progress(p) returning False stops. Returns whether it finished.");
  c.def("resume", resume, "hierarchy"_a, "progress"_a = nb::none(),
        "Goes on where a stopped or loaded training is.");
  c.def_prop_ro(
      "vectors", &HierarchyEmbedding::vectors,
      "(nodes, dim) points, a copy; (nodes, dim + 1), time first, of a Lorentz embedding.");
  c.def_prop_ro("names", &HierarchyEmbedding::names, "Names by row.");
  c.def_prop_ro("epochs_done", &HierarchyEmbedding::epochs_done, "Epochs trained.");
  c.def_prop_ro("is_fitted", &HierarchyEmbedding::is_fitted, "Whether there are vectors.");
  c.def_prop_ro("options", options_of, "What it was made with; None follows from the nodes.");
  c.def_prop_ro(
      "dim", [](const HierarchyEmbedding& e) { return e.options().dim; }, "Dimensions.");
  c.def_prop_ro(
      "curvature", [](const HierarchyEmbedding& e) { return e.options().curvature; },
      "Curvature of the ball.");
  c.def("index", &HierarchyEmbedding::index, "name"_a, "Row of a name.");
  c.def("distance", &HierarchyEmbedding::distance, "a"_a, "b"_a, "Distance of two nodes.");
  c.def(
      "save",
      [](const HierarchyEmbedding& e, nb::handle path) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        e.save(file);
      },
      "path"_a, "safetensors with names, model and training state.");
  c.def_static(
      "load",
      [](nb::handle path) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        return HierarchyEmbedding::load(file);
      },
      "path"_a, "Reads what save wrote.");
  c.def(
      "export_csv",
      [](const HierarchyEmbedding& e, nb::handle path) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        e.export_csv(file);
      },
      "path"_a, "name, then coordinates, separated by commas.");
  c.def("__len__", [](const HierarchyEmbedding& e) { return e.names().size(); });
  c.def("__repr__", &HierarchyEmbedding::repr);
}

}  // namespace

void bind_embed(nb::module_& m) {
  bind_results(m);
  auto c = nb::class_<HierarchyEmbedding>(m, "HierarchyEmbedding",
                                          "Points of the Poincaré ball for the nodes of a "
                                          "hierarchy (Nickel & Kiela 2017).");
  c.def("__init__", construct, "dim"_a = 10, "manifold"_a = "poincare", "curvature"_a = -1.0,
        "epochs"_a = nb::none(), "batch"_a = nb::none(), "lr"_a = nb::none(),
        "negatives"_a = nb::none(), "burn_in"_a = nb::none(), "burn_in_factor"_a = nb::none(),
        "sampling_power"_a = 0.0, "init"_a = "tree", "init_radius"_a = nb::none(),
        "init_scale"_a = 1e-3, "seed"_a = 0, "device"_a = "cpu", "threads"_a = nb::none(),
        "dtype"_a = "float32", "grouped"_a = true, "closure"_a = true, "mode"_a = "auto",
        "objective"_a = "papers", "loss_power"_a = nb::none(), "local_negatives"_a = nb::none(),
        "local_from"_a = nb::none());
  bind_use(c);
  bind_embed_queries(m, c);
  bind_embed_view(c);
}
