#pragma once

#include "bind.hpp"

void bind_optim_schedulers(nb::module_& m);
