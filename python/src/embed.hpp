#pragma once

#include <spiraltorch/embed/embedding.hpp>

#include "bind.hpp"

/// What is asked of a trained embedding: evaluation, neighbours, other models, other formats.
void bind_embed_queries(nb::module_& m, nb::class_<st::HierarchyEmbedding>& c);
