"""Hierarchies and their embeddings in the Poincaré ball."""

from ._core import (
    EmbeddingEvaluation,
    EmbeddingLevel,
    EmbeddingNeighbours,
    EmbeddingProgress,
    Hierarchy,
    HierarchyEmbedding,
)

__all__ = [
    "EmbeddingEvaluation",
    "EmbeddingLevel",
    "EmbeddingNeighbours",
    "EmbeddingProgress",
    "Hierarchy",
    "HierarchyEmbedding",
]
