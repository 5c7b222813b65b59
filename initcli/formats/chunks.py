"""A file's tensors in pieces: how values are read in memory that does not grow with a tensor.

A format that can read a part of a tensor has `read_chunks` of its own; of any other whole tensors are read and cut.
Those that are maps of a file take no memory for long: what was read of a map is given back to the system.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from initcli.checksums import BLOCK_ELEMS
from initcli.errors import Fault, InitcliError
from initcli.formats import Format

CHUNK_ELEMS = BLOCK_ELEMS
"""The elements of a chunk: as many as the engine draws at once, and as a block of a digest has."""
KEPT_CHUNKS = 16
"""The chunks of a map that are read until it is given back."""

Box = tuple[slice, ...]


class Chunk(NamedTuple):
    """Elements of the tensor called `name`, flat and little-endian, of which the first is its element `start`."""

    name: str
    start: int
    values: NDArray[Any]


@runtime_checkable
class ChunkReader(Protocol):
    """A format that reads a part of a tensor without the rest."""

    def read_chunks(self, path: Path, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield the chunks of the tensors called `names`, in this order and that of their elements."""


@runtime_checkable
class Seeker(Protocol):
    """A format that begins to read a tensor anywhere."""

    def seek_chunks(self, path: Path, name: str, start: int) -> Iterator[Chunk]:
        """Yield the chunks of a tensor from the one that holds its element `start`."""


def read_chunks(chosen: Format, path: Path, names: Sequence[str]) -> Iterator[Chunk]:
    """Yield the chunks of the tensors called `names`, one tensor after the other; one without elements has none.

    Raises:
        InitcliError: there is no such tensor, or its values cannot be read.
    """
    if isinstance(chosen, ChunkReader):
        yield from chosen.read_chunks(path, names)
        return
    for name, array in zip(names, chosen.read_tensors(path, names), strict=True):
        yield from cut(name, array)


def seek_chunks(chosen: Format, path: Path, name: str, start: int) -> Iterator[Chunk]:
    """Yield the chunks of a tensor from the one that holds its element `start`; a seeker reads none before it.

    Raises:
        InitcliError: there is no such tensor, or its values cannot be read.
    """
    if isinstance(chosen, Seeker):
        yield from chosen.seek_chunks(path, name, start)
    elif isinstance(chosen, ChunkReader):
        yield from (chunk for chunk in chosen.read_chunks(path, [name]) if chunk.start + len(chunk.values) > start)
    else:
        yield from cut(name, chosen.read_tensor(path, name), start)


def cut(name: str, array: Any, start: int = 0) -> Iterator[Chunk]:
    """Yield the chunks of an array, or of what takes slices as one and has a `shape`, from that of element `start`."""
    size = prod(array.shape)
    for first in _starts(start, size):
        if first % (KEPT_CHUNKS * CHUNK_ELEMS) == 0:
            _give_back(array)
        parts = [
            np.asarray(array[box]).reshape(-1) for box in boxes(array.shape, first, min(first + CHUNK_ELEMS, size))
        ]
        yield Chunk(name, first, little_endian(np.concatenate(parts) if len(parts) > 1 else parts[0]))


def _give_back(array: Any) -> None:
    """Let the system have the memory of a map that the array lies in; what is still needed, it reads again."""
    while isinstance(array, np.ndarray):
        array = array.base
    array = array.obj if isinstance(array, memoryview) else array
    if isinstance(array, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        array.madvise(mmap.MADV_DONTNEED)


def boxes(shape: Sequence[int], start: int, stop: int) -> Iterator[Box]:
    """Yield the boxes that the elements [start, stop) of a row-major array are made of, in order.

    >>> array = np.arange(60).reshape(3, 4, 5)
    >>> [array[box].ravel().tolist() for box in boxes(array.shape, 8, 22)]
    [[8, 9], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19], [20, 21]]
    """
    if not shape:
        yield ()
        return
    inner = prod(shape[1:])
    first, last = -(-start // inner), stop // inner
    if first > last:
        yield from _boxes_of_row(shape, last, start - last * inner, stop - last * inner)
        return
    if start < first * inner:
        yield from _boxes_of_row(shape, first - 1, start - (first - 1) * inner, inner)
    if first < last:
        yield (slice(first, last),)
    if last * inner < stop:
        yield from _boxes_of_row(shape, last, 0, stop - last * inner)


def _boxes_of_row(shape: Sequence[int], row: int, start: int, stop: int) -> Iterator[Box]:
    return ((slice(row, row + 1), *box) for box in boxes(shape[1:], start, stop))


def read_stored(
    file: BinaryIO, name: str, dtype: np.dtype[Any], offset: int, size: int, *, start: int = 0
) -> Iterator[Chunk]:
    """Yield the chunks of a tensor whose `size` elements stand in a file from `offset` on, row-major; not those before
    the one of element `start`.
    """
    for first in _starts(start, size):
        stored = np.empty(min(CHUNK_ELEMS, size - first) * dtype.itemsize, np.uint8)
        file.seek(offset + first * dtype.itemsize)
        if file.readinto(stored.data) < len(stored):  # type: ignore[attr-defined]
            raise InitcliError(Fault(f"`{file.name}` ends within `{name}`", hint="is the file whole?"))
        yield Chunk(name, first, little_endian(stored.view(dtype)))


def _starts(first: int, size: int) -> range:
    """Return where the chunks of a tensor begin, from the one of element `first`."""
    return range(first - first % CHUNK_ELEMS, size, CHUNK_ELEMS)


def little_endian(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values with their least byte first."""
    return values.astype(values.dtype.newbyteorder("<")) if values.dtype.str.startswith(">") else values


def refuse_values(path: Path, name: str, dtype: str) -> InitcliError:
    """Return the error for a tensor whose element type has no numbers that NumPy can hold."""
    return InitcliError(Fault(f"`{name}` in `{path}` is {dtype}, whose values initcli does not read"))
