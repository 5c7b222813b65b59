"""NumPy's archive of arrays, `.npz`: a zip with one stored `NAME.npy` for each tensor, as `np.savez` makes them.

It has no room for metadata: `np.load` takes every member for an array.

Source: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.formats import Contents, Entry, Header, Layout, Refusal, Tensor
from initcli.formats.naming import find_parents, refuse_common, refuse_path
from initcli.formats.npy import SUFFIX, refuse_array, render_header
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.zip_layout import MAX_NAME_NBYTES, Member, allocate_zip, lay_out_zip
from initcli.formats.zip_reading import Archive, open_archive

KIND = "an archive of NumPy arrays"
MAX_HEADER_NBYTES = 10_000
"""The longest header of an array that NumPy reads."""

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Npz:
    """The format `.npz`."""

    name = "npz"
    suffixes: tuple[str, ...] = (".npz",)
    is_directory = False
    is_streamable = True

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what NumPy cannot hold, names that cannot be unpacked, and names that NumPy takes for one."""
        names = [tensor.name for tensor in tensors]
        parents, known = find_parents([name + SUFFIX for name in names]), set(names)
        refusals = []
        for index, tensor in enumerate(tensors):
            refusal = (
                refuse_common(index, tensor)
                or refuse_array(index, tensor)
                or refuse_path(index, tensor.name, (".", ".."), "an archive of files")
                or _refuse_length(index, tensor.name)
            )
            if refusal is None and index in parents:
                what = f"`{tensor.name}` is the file `{tensor.name}{SUFFIX}`, and `{names[parents[index]]}` lies in it"
                refusal = Refusal(index, what, "rename one of them")
            stem = tensor.name.removesuffix(SUFFIX)
            if refusal is None and stem != tensor.name and stem in known:
                refusal = Refusal(index, f"`{tensor.name}` is also the file of `{stem}`", "rename one of them")
            if refusal:
                refusals.append(refusal)
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return a member for each tensor, in their order; there is no room for metadata."""
        return lay_out_zip(_list_members(contents.tensors), path)

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file, all zeros."""
        return allocate_zip(_list_members(contents.tensors), path)

    def read_header(self, path: Path) -> Header:
        """Return what the header of each array says."""
        with reading(path, KIND):
            archive = open_archive(path)
            arrays = {_parse_name(member): _map_array(archive, member) for member in archive.records}
            return Header({}, [Entry(name, a.dtype.name, a.shape, a.nbytes) for name, a in sorted(arrays.items())])

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, each checked against its checksum and read in place from the disk."""
        with reading(path, KIND):
            archive = open_archive(path)
            known = {_parse_name(member): member for member in archive.records}
        for name in names:
            if name not in known:
                raise missing_tensor(path, name, known)
            with reading(path, KIND):
                archive.check(known[name])
                array = _map_array(archive, known[name])
            yield array

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))


def _refuse_length(index: int, name: str) -> Refusal | None:
    """Return why the name is too long for a zip."""
    if len(name.encode()) + len(SUFFIX) > MAX_NAME_NBYTES:
        return Refusal(index, f"a name of {len(name.encode()):,} bytes is too long for a zip", "use `.safetensors`")
    return None


def _list_members(tensors: Sequence[Tensor]) -> Iterator[Member]:
    """Yield each tensor's member: the header of a `.npy` and the tensor."""
    for tensor in tensors:
        yield Member(tensor.name + SUFFIX, render_header(tensor), tensor.nbytes)


def _parse_name(member: str) -> str:
    """Return the name of the tensor that a member holds."""
    if not member.endswith(SUFFIX):
        raise ValueError(f"{member!r} in it is no `{SUFFIX}`")
    return member.removesuffix(SUFFIX)


def _map_array(archive: Archive, member: str) -> np.ndarray[Any, Any]:
    """Return a member's array, read in place; never a pickle."""
    start, stop, _ = archive.records[member]
    header = io.BytesIO(archive.data[start : min(stop, start + MAX_HEADER_NBYTES + 12)])
    version = np.lib.format.read_magic(header)
    if version not in _HEADERS:
        raise ValueError(f"{member!r} is of version {version}, whose names are for records")
    shape, is_fortran, dtype = _HEADERS[version](header, max_header_size=MAX_HEADER_NBYTES)
    count, start = math.prod(shape), start + header.tell()
    if dtype.hasobject:
        raise ValueError(f"{member!r} holds Python objects, which are never unpickled")
    if min(shape, default=0) < 0 or count * dtype.itemsize != stop - start:
        raise ValueError(f"{member!r} has {stop - start:,} bytes of data, and its header asks for another size")
    if not count:
        return np.empty(shape, dtype)
    return np.frombuffer(archive.data, dtype, count, start).reshape(shape, order="F" if is_fortran else "C")


npz = Npz()
