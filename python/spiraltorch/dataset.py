"""Samples from memory and files, in orders that depend on seed and epoch alone, in batches."""

from ._core import (
    DataIterator,
    DataLoader,
    from_arrow,
    from_csv,
    from_jsonl,
    from_npy,
    from_tensors,
    from_text,
    from_vec,
)

__all__ = [
    "DataIterator",
    "DataLoader",
    "from_arrow",
    "from_csv",
    "from_jsonl",
    "from_npy",
    "from_tensors",
    "from_text",
    "from_vec",
]
