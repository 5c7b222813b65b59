"""Flax's msgpack files: maps within maps, whose leaves are arrays; `flax.serialization` writes the same bytes.

A name is cut at each `/`. There is no room for metadata: one more leaf would not fit the model. Flax cuts an array of
more than 1 GiB into chunks, which are neither written nor read.

Source: https://github.com/google/flax/blob/main/flax/serialization.py, checked against flax 0.12.8
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.dtypes import DTYPES
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.msgpack import Cursor, render_ext, render_head, render_text
from initcli.formats.naming import find_parents, refuse_common, refuse_path
from initcli.formats.npy import MAX_RANK
from initcli.formats.reading import reading
from initcli.formats.reserving import reserve
from initcli.formats.safetensors import MAX_HEADER_NBYTES
from initcli.formats.stored import Stored, list_entries, map_tensors

KIND = "Flax's msgpack"
MAX_CHUNK_NBYTES = 2**30
"""The longest array that Flax writes in one piece."""
CHUNKED = "__msgpack_chunked_array__"
"""The key by which Flax knows an array in chunks."""
MAX_TREE_NBYTES = 100_000_000
"""The most that is read of all names, a hundred bytes more for each: a file can repeat a long one at little cost."""
MAX_DEPTH = 100
ARRAY, SCALAR = 1, 3
"""Flax's extension types: an array, and NumPy's scalar, which stands in a file as one."""


class FlaxMsgpack:
    """The format `.msgpack`."""

    name = "msgpack"
    suffixes: tuple[str, ...] = (".msgpack",)
    is_directory = False
    is_streamable = True

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse names that are no paths, arrays that Flax would cut, and an array where a map must be."""
        parents = find_parents([tensor.name for tensor in tensors])
        refusals = []
        for index, tensor in enumerate(tensors):
            refusal = (
                refuse_common(index, tensor)
                or refuse_path(index, tensor.name, (CHUNKED,), "a tree of maps")
                or _refuse(index, tensor)
            )
            if refusal is None and index in parents:
                other = tensors[parents[index]].name
                what = f"`{tensor.name}` cannot be an array and hold `{other}`"
                refusal = Refusal(index, what, "rename one of them")
            if refusal:
                refusals.append(refusal)
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the heads and the arrays, in the order that Flax has: names are sorted within each map."""
        tensors = contents.tensors
        slots, seals, at = {}, [], 0
        for index, head in _render_heads(tensors):
            seals.append(Seal(path, head, at))
            at += len(head)
            if index is not None:
                slots[index] = Slot(path, at, tensors[index].nbytes)
                at += tensors[index].nbytes
        return Layout(tuple(slots[index] for index in range(len(tensors))), tuple(seals))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file; zeros stand where the heads go."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the arrays of the tree; leaves of other kinds, such as the count of steps, are passed over."""
        _, arrays = _open(path)
        return Header({}, list_entries(arrays))

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, read in place from the disk."""
        yield from map_tensors(path, names, *_open(path))

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))


def is_tree(start: bytes) -> bool:
    """Tell whether a file's first 8 bytes are a map's: as the length that safetensors begins with, too large.

    >>> is_tree(bytes.fromhex("82a16590")), is_tree((0x82).to_bytes(8, "little"))
    (True, False)
    """
    is_map = 0x80 < start[0] < 0x90 or start[0] in (0xDE, 0xDF) or start == b"\x80"
    return is_map and (len(start) < 8 or int.from_bytes(start, "little") > MAX_HEADER_NBYTES)


def _refuse(index: int, tensor: Tensor) -> Refusal | None:
    """Return why Flax could not read the tensor back from one piece."""
    if tensor.nbytes > MAX_CHUNK_NBYTES:
        what = f"`{tensor.name}` takes {tensor.nbytes:,} bytes, and Flax cuts what is above {MAX_CHUNK_NBYTES:,}"
        return Refusal(index, what, "use `.safetensors`")
    if len(tensor.shape) > MAX_RANK:
        return Refusal(index, f"`{tensor.name}` has {len(tensor.shape)} axes, and NumPy stops at {MAX_RANK}")
    return None


def _render_heads(tensors: Sequence[Tensor]) -> Iterator[tuple[int | None, bytes]]:
    """Yield each tensor's index, in the order of the file, and what stands before its data; None if there is none."""
    paths = sorted((tensor.name.split("/"), index) for index, tensor in enumerate(tensors))
    sizes: dict[tuple[str, ...], int] = {(): 0}
    for parts, _ in paths:
        for depth in range(len(parts), 0, -1):
            sizes[tuple(parts[: depth - 1])] = sizes.get(tuple(parts[: depth - 1]), 0) + 1
            if depth > 1 and sizes[tuple(parts[: depth - 1])] > 1:
                break
    head, before = render_head("map", sizes[()]), list[str]()
    if not paths:
        yield None, head
    for parts, index in paths:
        same = next((depth for depth, (a, b) in enumerate(zip(parts, before, strict=False)) if a != b), 0)
        for depth in range(same, len(parts) - 1):
            head += render_text(parts[depth]) + render_head("map", sizes[tuple(parts[: depth + 1])])
        yield index, head + render_text(parts[-1]) + _render_array(tensors[index])
        head, before = b"", parts


def _render_array(tensor: Tensor) -> bytes:
    """Return what stands before the data of an array: an extension of a list of shape, type and bytes."""
    shape = render_head("list", len(tensor.shape)) + b"".join(render_head("int", size) for size in tensor.shape)
    inner = render_head("list", 3) + shape + render_text(tensor.dtype.name) + render_head("bin", tensor.nbytes)
    return render_ext(ARRAY, len(inner) + tensor.nbytes) + inner


def _open(path: Path) -> tuple[mmap.mmap, dict[str, Stored]]:
    """Return a file, mapped into memory, and its arrays by name."""
    with reading(path, KIND):
        with path.open("rb") as file:
            cursor = Cursor(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        arrays: dict[str, Stored] = {}
        _read_map(cursor, cursor.expect("map"), [], arrays, MAX_TREE_NBYTES)
        if cursor.at < len(cursor.data):
            raise ValueError("there are bytes behind its end")
        return cursor.data, arrays


def _read_map(cursor: Cursor, count: int, path: list[str], arrays: dict[str, Stored], room: int) -> int:
    """Add the arrays of a map at this path, and return how many bytes of names are left."""
    if len(path) >= MAX_DEPTH:
        raise ValueError(f"its maps are more than {MAX_DEPTH} deep")
    for _ in range(count):
        parts = [*path, cursor.text(MAX_TREE_NBYTES)]
        name = "/".join(parts)
        room -= len(name) + 100
        if room < 0:
            raise ValueError(f"its tree takes more than {MAX_TREE_NBYTES:,} bytes")
        if parts[-1] == CHUNKED:
            raise ValueError(f"`{'/'.join(path)}` is an array in chunks, which initcli does not read")
        kind, length = cursor.head()
        if kind == "map":
            room = _read_map(cursor, length, parts, arrays, room)
        elif kind == "list":
            raise ValueError(f"`{name}` is a list, which Flax writes as a map")
        elif kind == "ext" and cursor.uint(1) in (ARRAY, SCALAR):
            if name in arrays:
                raise ValueError(f"it has `{name}` twice")
            arrays[name] = _read_array(cursor, name, cursor.at + length)
        else:
            cursor.skip(0 if kind == "int" else length)
    return room


def _read_array(cursor: Cursor, name: str, stop: int) -> Stored:
    """Return an array whose extension ends at `stop`."""
    if cursor.expect("list") != 3 or (rank := cursor.expect("list")) > MAX_RANK:
        raise ValueError(f"`{name}` is no array of at most {MAX_RANK} axes")
    shape = tuple(cursor.expect("int") for _ in range(rank))
    dtype = cursor.text(40)
    nbytes = cursor.expect("bin")
    start = cursor.skip(nbytes)
    if cursor.at != stop or (dtype in DTYPES and math.prod(shape) * DTYPES[dtype].itemsize != nbytes):
        raise ValueError(f"the data of `{name}` does not fit its shape")
    return Stored(dtype, shape, start, start + nbytes)


flax_msgpack = FlaxMsgpack()
