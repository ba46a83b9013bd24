#pragma once

#include <spiraltorch/base/device_caps.hpp>

#include "bind.hpp"

/// describe_device's dict: always the same keys in the same order, None for what is unknown.
nb::dict caps_dict(const st::DeviceCaps& caps);
