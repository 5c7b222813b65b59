"""Tensors of a file that is mapped into memory as a whole, each a range of its bytes."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from initcli.dtypes import DTYPES
from initcli.formats import Entry
from initcli.formats.chunks import refuse_values
from initcli.formats.reading import missing_tensor


class Stored(NamedTuple):
    """A tensor in a file: its type in our words or the format's, its shape, the file's bytes [start, stop)."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def list_entries(tensors: Mapping[str, Stored]) -> list[Entry]:
    """Return what a header says of the tensors, in the order of their names."""
    return sorted(Entry(name, each.dtype, each.shape, each.stop - each.start) for name, each in tensors.items())


def map_tensors(
    path: Path, names: Iterable[str], data: mmap.mmap, tensors: Mapping[str, Stored]
) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the tensors called `names`, read in place from the map of the file at `path`.

    Raises:
        InitcliError: there is no such tensor, or its type has no numbers that could be read.
    """
    for name in names:
        if name not in tensors:
            raise missing_tensor(path, name, tensors)
        stored = tensors[name]
        if stored.dtype not in DTYPES:
            raise refuse_values(path, name, stored.dtype)
        dtype = DTYPES[stored.dtype].numpy
        is_empty = stored.start == stored.stop
        yield np.empty(stored.shape, dtype) if is_empty else np.ndarray(stored.shape, dtype, data, stored.start)
