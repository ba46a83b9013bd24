#pragma once

#include <spiraltorch/embed/embedding.hpp>

#include "bind.hpp"

void bind_embed_view(nb::class_<st::HierarchyEmbedding>& c);
