#pragma once

#include <string>
#include <vector>

#include "fake.hpp"

namespace fake {

/// An environment variable's value, or nothing.
std::string variable(const char* name);
std::vector<std::string> split(const std::string& s, char at);
/// The adapters, in the order of FAKE_WGPU_ADAPTERS.
std::vector<WGPUAdapterImpl>& adapters();
WGPUAdapterImpl& adapter_at(int index);

}  // namespace fake
