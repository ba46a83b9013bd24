#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <new>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <string>

#include "rank.hpp"

using namespace nb::literals;

namespace {

const st::RankPlanFields& fields(const PyRankPlan& p) { return **p.plan; }

nb::object loads(const std::string& json) {
  return nb::module_::import_("json").attr("loads")(json);
}

nb::dict choice_dict(const st::RankChoice& c) {
  nb::dict d;
  d["use_2ce"] = c.use_2ce;
  d["workgroup"] = c.workgroup;
  d["kl"] = c.kl;
  d["channel_stride"] = c.channel_stride;
  d["merge_kind"] = c.merge_kind;
  d["merge_detail"] = c.merge_detail;
  d["tile"] = c.tile;
  d["compaction_tile"] = c.compaction_tile;
  return d;
}

nb::object choice(const PyRankPlan& p) {
  return nb::module_::import_("types").attr("MappingProxyType")(choice_dict(fields(p).choice));
}

constexpr const char* kKeys[] = {"kind", "rows", "cols", "k", "choice"};

nb::list keys() {
  nb::list out;
  for (const char* key : kKeys) out.append(nb::str(key));
  return out;
}

std::string kind(const PyRankPlan& p) { return std::string(to_text(fields(p).problem.kind)); }

// The mapping's value, or an invalid object.
nb::object item(const PyRankPlan& p, const std::string& key) {
  const st::RankProblem& q = fields(p).problem;
  if (key == "kind") return nb::cast(kind(p));
  if (key == "rows") return nb::cast(q.rows);
  if (key == "cols") return nb::cast(q.cols);
  if (key == "k") return nb::cast(q.k);
  if (key == "choice") return choice(p);
  return {};
}

nb::object get_item(const PyRankPlan& p, nb::handle key) {
  nb::object found;
  if (PyUnicode_Check(key.ptr())) found = item(p, nb::cast<std::string>(key));
  if (!found.is_valid()) throw nb::key_error(nb::str(key).c_str());
  return found;
}

bool is_key(const PyRankPlan& p, nb::handle key) {
  return PyUnicode_Check(key.ptr()) && item(p, nb::cast<std::string>(key)).is_valid();
}

void bind_mapping(nb::class_<PyRankPlan>& c) {
  c.def("__getitem__", get_item);
  c.def("__contains__", is_key);
  c.def("__len__", [](const PyRankPlan&) { return 5; });
  c.def("__iter__", [](const PyRankPlan&) { return nb::iter(keys()); });
  c.def(
      "keys", [](const PyRankPlan&) { return keys(); }, "kind, rows, cols, k, choice.");
  c.def(
      "values",
      [](const PyRankPlan& p) {
        nb::list out;
        for (const char* key : kKeys) out.append(item(p, key));
        return out;
      },
      "The keys' values.");
  c.def(
      "items",
      [](const PyRankPlan& p) {
        nb::list out;
        for (const char* key : kKeys) out.append(nb::make_tuple(nb::str(key), item(p, key)));
        return out;
      },
      "Pairs of key and value.");
  c.def(
      "get",
      [](const PyRankPlan& p, nb::handle key, nb::object fallback) {
        return is_key(p, key) ? get_item(p, key) : fallback;
      },
      "key"_a, "default"_a = nb::none(), "The key's value, or the default.");
}

void bind_attributes(nb::class_<PyRankPlan>& c) {
  using P = const PyRankPlan&;
  c.def_prop_ro("kind", kind, "topk, midk or bottomk.");
  c.def_prop_ro(
      "rows", [](P p) { return fields(p).problem.rows; }, "Rows.");
  c.def_prop_ro(
      "cols", [](P p) { return fields(p).problem.cols; }, "Columns.");
  c.def_prop_ro(
      "k", [](P p) { return fields(p).problem.k; }, "Elements wanted of each row.");
  c.def_prop_ro("choice", choice, "What is launched, a read-only mapping.");
  c.def_prop_ro(
      "use_2ce", [](P p) { return fields(p).choice.use_2ce; }, "More than one launch.");
  c.def_prop_ro(
      "workgroup", [](P p) { return fields(p).choice.workgroup; },
      "Threads of the launch that reads the input.");
  c.def_prop_ro(
      "kl", [](P p) { return fields(p).choice.kl; }, "Items held per lane.");
  c.def_prop_ro(
      "channel_stride", [](P p) { return fields(p).choice.channel_stride; },
      "Columns of a piece of a split row; 0: not split.");
  c.def_prop_ro(
      "merge_kind", [](P p) { return fields(p).choice.merge_kind; },
      "0 sort or none, 1 workgroup or core, 2 warp, 3 radix.");
  c.def_prop_ro(
      "merge_detail", [](P p) { return fields(p).choice.merge_detail; },
      "0 none, 1 one queue, 2 lists, 3 tile sort, 4 warp queue, 6 and 7 radix.");
  c.def_prop_ro(
      "tile", [](P p) { return fields(p).choice.tile; }, "Columns read per sweep.");
  c.def_prop_ro(
      "compaction_tile", [](P p) { return fields(p).choice.compaction_tile; },
      "Columns per tile of the ordered compaction; 0: none.");
  c.def_prop_ro(
      "k_effective", [](P p) { return fields(p).k_effective; }, "min(k, cols).");
  c.def_prop_ro(
      "device", [](P p) { return st::to_text(fields(p).device); }, "The device it is for.");
  c.def_prop_ro(
      "requested_device", [](P p) { return fields(p).requested_device; }, "The string asked for.");
  c.def_prop_ro(
      "backend", [](P p) { return std::string(st::backend_name(fields(p).device.type)); },
      "cpu, wgpu, cuda or hip.");
  c.def_prop_ro(
      "simulated", [](P p) { return fields(p).simulated; },
      "Made from a template: to read, never to execute.");
  c.def_prop_ro(
      "algorithm", [](P p) { return std::string(to_text(fields(p).algorithm)); },
      "How it selects.");
  c.def_prop_ro(
      "sort_stage", [](P p) { return std::string(to_text(fields(p).sort_stage)); },
      "How survivors are sorted.");
  c.def_prop_ro(
      "subgroup", [](P p) { return fields(p).subgroup; }, "Whether subgroup operations are used.");
  c.def_prop_ro(
      "grid", [](P p) { return nb::tuple(nb::cast(fields(p).grid)); },
      "Grid of the launch that reads the input; CPU: tasks first.");
  c.def_prop_ro(
      "block", [](P p) { return fields(p).block; }, "Its threads.");
  c.def_prop_ro(
      "shared_bytes", [](P p) { return fields(p).shared_bytes; }, "Its workgroup memory.");
  c.def_prop_ro(
      "passes", [](P p) { return fields(p).passes; }, "How often the input is read at most.");
  c.def_prop_ro(
      "workspace_bytes", [](P p) { return fields(p).workspace_bytes; },
      "All scratch, allocated before the first launch.");
  c.def_prop_ro(
      "provenance", [](P p) { return std::string(to_text(fields(p).provenance)); },
      "rule, tuned or override.");
  c.def_prop_ro(
      "rejected",
      [](P p) {
        nb::list out;
        for (const st::Rejection& r : fields(p).rejected) {
          out.append(nb::make_tuple(std::string(to_text(r.algorithm)), r.reason));
        }
        return nb::tuple(out);
      },
      "(algorithm, reason) of each earlier choice that cannot serve.");
  c.def_prop_ro(
      "fingerprint", [](P p) { return fields(p).fingerprint; },
      "Of the capabilities it was made for.");
  c.def_prop_ro(
      "planner_version", [](P p) { return fields(p).planner_version; },
      "Raised with every change of rules or lowering.");
}

st::PlanOverrides overrides_of(nb::kwargs changes) {
  st::PlanOverrides out;
  for (const auto& [key, value] : changes) {
    const auto name = nb::cast<std::string>(key);
    if (name == "algorithm") {
      if (!PyUnicode_Check(value.ptr())) throw nb::type_error("[replace] algorithm: expected str");
      out.algorithm = st::parse_rank_algorithm("replace", nb::cast<std::string>(value));
    } else if (name == "workgroup") {
      out.workgroup = integer("replace", "workgroup", value);
    } else if (name == "channel_stride") {
      out.channel_stride = integer("replace", "channel_stride", value);
    } else {
      throw nb::type_error(st::text("[replace] argument: got '", name,
                                    "', expected algorithm, workgroup or channel_stride")
                               .c_str());
    }
  }
  return out;
}

PyRankPlan from_json(const std::string& json) {
  return {std::make_shared<const st::RankPlan>(st::plan_from_json(json))};
}

void bind_methods(nb::class_<PyRankPlan>& c) {
  c.def(
      "lower",
      [](const PyRankPlan& p, bool sorted, const std::string& nan) {
        return nb::tuple(nb::cast(st::lower(*p.plan, sorted, st::parse_nan_policy("lower", nan))));
      },
      "sorted"_a = true, "nan"_a = "last", "The launches of one execution, in order.");
  c.def(
      "explain", [](const PyRankPlan& p) { return st::explain(*p.plan); },
      "The choice and why, what was ruled out, and the launches.");
  c.def(
      "replace",
      [](const PyRankPlan& p, nb::kwargs changes) {
        return PyRankPlan{
            std::make_shared<const st::RankPlan>(st::replace(*p.plan, overrides_of(changes)))};
      },
      "changes"_a, "The plan with another algorithm, workgroup or channel_stride, validated.");
  c.def(
      "to_dict", [](const PyRankPlan& p) { return loads(st::to_json(*p.plan)); },
      "All fields as plain values.");
  c.def_static(
      "from_dict",
      [](nb::dict d) {
        return from_json(nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(d)));
      },
      "fields"_a, "The plan of such a dict; InvalidArgument where its fields do not agree.");
  c.def("__eq__", [](const PyRankPlan& p, nb::handle other) -> nb::object {
    if (!nb::isinstance<PyRankPlan>(other)) return nb::borrow(Py_NotImplemented);
    return nb::cast(*p.plan == *nb::cast<const PyRankPlan&>(other).plan);
  });
  c.def("__hash__", [](const PyRankPlan& p) {
    return static_cast<Py_hash_t>(std::hash<std::string>()(st::to_json(*p.plan)) >> 1);
  });
  c.def("__repr__", [](const PyRankPlan& p) {
    const st::RankPlanFields& f = fields(p);
    return st::text("RankPlan(", kind(p), ", rows=", f.problem.rows, ", cols=", f.problem.cols,
                    ", k=", f.problem.k, ", device='", st::to_text(f.device), "', algorithm='",
                    to_text(f.algorithm), "')");
  });
  c.def("__getstate__", [](const PyRankPlan& p) { return st::to_json(*p.plan); });
  c.def("__setstate__",
        [](PyRankPlan& self, const std::string& json) { new (&self) PyRankPlan(from_json(json)); });
}

void bind_launch(nb::module_& m) {
  nb::class_<st::Launch> c(m, "Launch", "One launch of a plan.");
  c.def_ro("kernel", &st::Launch::kernel, "Its name.");
  c.def_prop_ro(
      "grid", [](const st::Launch& l) { return nb::tuple(nb::cast(l.grid)); }, "Blocks.");
  c.def_ro("block", &st::Launch::block, "Threads of a block.");
  c.def_ro("shared_bytes", &st::Launch::shared_bytes, "Workgroup memory.");
  c.def_prop_ro(
      "tasks", [](const st::Launch& l) { return l.grid[0]; }, "CPU: tasks.");
  c.def_prop_ro(
      "threads", [](const st::Launch& l) { return l.block; }, "CPU: threads.");
  c.def("__eq__", [](const st::Launch& l, nb::handle other) -> nb::object {
    if (!nb::isinstance<st::Launch>(other)) return nb::borrow(Py_NotImplemented);
    return nb::cast(l == nb::cast<const st::Launch&>(other));
  });
  c.def("__hash__", [](const st::Launch& l) {
    return nb::hash(nb::make_tuple(l.kernel, nb::tuple(nb::cast(l.grid)), l.block, l.shared_bytes));
  });
  c.def("__repr__", [](const st::Launch& l) {
    return st::text("Launch(kernel='", l.kernel, "', grid=(", l.grid[0], ", ", l.grid[1], ", ",
                    l.grid[2], "), block=", l.block, ", shared_bytes=", l.shared_bytes, ")");
  });
}

}  // namespace

void bind_rank_plan(nb::module_& m) {
  bind_launch(m);
  nb::class_<PyRankPlan> c(
      m, "RankPlan",
      "How a selection will run: a read-only mapping with the keys kind, rows, cols, k and choice, "
      "and more as attributes.\n\n"
      ">>> plan(\"topk\", 8, 65536, 1024)[\"choice\"][\"workgroup\"] > 0\nTrue");
  bind_attributes(c);
  bind_mapping(c);
  bind_methods(c);
  nb::module_::import_("collections.abc").attr("Mapping").attr("register")(c);
  const auto planned = [](nb::handle kind, nb::handle rows, nb::handle cols, nb::handle k,
                          const std::optional<std::string>& device) {
    return make_plan(kind, rows, cols, k, device.value_or("auto"));
  };
  m.def("plan", planned, "kind"_a, "rows"_a, "cols"_a, "k"_a, "device"_a = nb::none(),
        "Plans a selection: kind topk, midk or bottomk; sizes 0 to 2**32-1. An absent device is "
        "planned from its template, simulated.");
  m.def(
      "plan_topk",
      [planned](nb::handle rows, nb::handle cols, nb::handle k,
                const std::optional<std::string>& device) {
        return planned(nb::str("topk"), rows, cols, k, device);
      },
      "rows"_a, "cols"_a, "k"_a, "device"_a = nb::none(), "plan(\"topk\", ...).");
}
