#include "device.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <optional>
#include <spiraltorch/runtime/probe.hpp>
#include <string>
#include <vector>

using namespace nb::literals;

namespace {

nb::object or_none(const std::string& text) { return text.empty() ? nb::none() : nb::cast(text); }

nb::object or_none(std::int64_t number) { return number == 0 ? nb::none() : nb::cast(number); }

nb::dict describe_device(const std::optional<std::string>& device) {
  return caps_dict([&] {
    const nb::gil_scoped_release unlock;
    return st::describe_device(device.value_or("auto"));
  }());
}

nb::list devices() {
  const auto found = [] {
    const nb::gil_scoped_release unlock;
    std::vector<st::DeviceCaps> all;
    for (const st::DeviceId device : st::available_devices()) {
      all.push_back(st::describe_device(device));
    }
    return all;
  }();
  nb::list out;
  for (const st::DeviceCaps& caps : found) out.append(caps_dict(caps));
  return out;
}

nb::dict hip_probe() {
  const st::HipProbe probe = [] {
    const nb::gil_scoped_release unlock;
    return st::hip_probe();
  }();
  nb::list found;
  for (const st::HipDevice& device : probe.devices) {
    nb::dict d;
    d["id"] = device.id;
    d["name"] = device.name;
    d["multi_node"] = device.multi_node;
    found.append(d);
  }
  nb::dict out;
  out["available"] = probe.available;
  out["initialized"] = probe.initialized;
  out["simulated"] = probe.simulated;
  out["error"] = or_none(probe.error);
  out["devices"] = found;
  return out;
}

}  // namespace

nb::dict caps_dict(const st::DeviceCaps& caps) {
  nb::dict libraries;
  for (const st::LibraryStatus& library : caps.libraries) {
    const bool is_silent = library.usable && library.text.empty();
    libraries[library.name.c_str()] = is_silent ? "version unknown" : library.text;
  }
  nb::dict d;
  d["backend"] = std::string(st::backend_name(caps.device.type));
  d["lane_width"] = caps.lane_width;
  d["max_workgroup"] = caps.max_workgroup;
  d["subgroup"] = caps.subgroup;
  d["shared_mem_per_workgroup"] = or_none(caps.shared_bytes);
  d["device"] = st::to_text(caps.device);
  d["available"] = caps.available;
  d["source"] = caps.queried ? "queried" : "template";
  d["name"] = or_none(caps.name);
  d["driver"] = or_none(caps.driver);
  d["arch"] = or_none(caps.arch);
  d["compute_units"] = or_none(caps.compute_units);
  d["memory_bytes"] = or_none(caps.memory_bytes);
  d["cache_bytes"] = or_none(caps.cache_bytes);
  d["libraries"] = libraries;
  d["fingerprint"] = st::fingerprint(caps);
  d["error"] = or_none(caps.error);
  return d;
}

void bind_device(nb::module_& m) {
  m.def(
      "describe_device", describe_device, "device"_a = nb::none(),
      "What a device says of itself and of its run-time libraries, as a dict; where it is absent,\n"
      "the numbers to plan with and the reason in \"error\". None means \"auto\". Never warns.\n\n"
      ">>> describe_device(\"cpu\")[\"available\"]\nTrue");
  m.def("devices", devices, "Descriptions of the devices that are available here.");
  m.def(
      "hip_probe", hip_probe,
      "Whether HIP is here: the devices its runtime reports, else what the environment hints at.\n"
      "Hints never make HIP executable.");
}
