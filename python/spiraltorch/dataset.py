"""Samples from memory and files, in orders that depend on seed and epoch alone, in batches."""

from ._core import (
    DataIterator,
    DataLoader,
    from_tensors,
    from_vec,
)

__all__ = [
    "DataIterator",
    "DataLoader",
    "from_tensors",
    "from_vec",
]
