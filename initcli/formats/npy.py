"""NumPy's own files: one tensor in a `.npy`, or a directory with one `.npy` for each tensor; bytes as `np.save`'s.

Neither holds metadata: a `.npy` says only dtype, order and shape.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.files import translate
from initcli.formats import Contents, Entry, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import Chunk, cut, read_stored, refuse_values
from initcli.formats.listing import ONE_TENSOR_HINT, find_listing
from initcli.formats.naming import find_parents, refuse_common, refuse_path
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.reserving import reserve

MAGIC = b"\x93NUMPY"
SUFFIX = ".npy"
MAX_RANK = 64
"""The most axes that NumPy 2 gives an array."""
MAX_PART_NBYTES = 255
"""The longest file name on the common file systems, in bytes."""


class Npy:
    """The format `.npy`: one file, one tensor. The tensor's name is not written."""

    name = "npy"
    suffixes: tuple[str, ...] = (SUFFIX,)
    is_directory = False
    is_streamable = True

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse bfloat16, and every tensor after the first."""
        refusals = []
        for index, tensor in enumerate(tensors):
            if index:
                what = f"a `.npy` file holds one tensor, and `{tensor.name}` is number {index + 1}"
                refusals.append(Refusal(index, what, ONE_TENSOR_HINT))
            elif refusal := refuse_common(index, tensor) or refuse_array(index, tensor):
                refusals.append(refusal)
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the one slot, right after NumPy's header; there is no room for metadata."""
        (tensor,) = contents.tensors
        header = render_header(tensor)
        return Layout((Slot(path, len(header), tensor.nbytes),), (Seal(path, header),))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file; zeros stand where the header goes."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the one tensor, called after its file."""
        return Header({}, [_read_entry(path, path.stem)])

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensor, read in place from the disk."""
        for name in names:
            if name != path.stem:
                raise missing_tensor(path, name, [path.stem])
            yield _open_array(path)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return the tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))

    def read_chunks(self, path: Path, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield the tensor's elements."""
        for name in names:
            if name != path.stem:
                raise missing_tensor(path, name, [path.stem])
            yield from _read_chunks(path, name)


class NpyDirectory:
    """The format `npy` with a directory: `name.npy` for each tensor, `/` in names makes sub-directories."""

    name = "npy"
    suffixes: tuple[str, ...] = ()
    is_directory = True
    is_streamable = False

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what NumPy cannot hold, names that are no file names, and files where a directory must be."""
        parents = find_parents([tensor.name + SUFFIX for tensor in tensors])
        refusals = []
        for index, tensor in enumerate(tensors):
            refusal = (
                refuse_common(index, tensor)
                or refuse_array(index, tensor)
                or refuse_path(index, tensor.name, (".", ".."), "a directory of files")
                or _refuse_length(index, tensor.name)
            )
            if refusal is None and index in parents:
                other = tensors[parents[index]].name
                what = f"`{tensor.name}` needs the file `{tensor.name}{SUFFIX}`, and `{other}` a directory of that name"
                refusal = Refusal(index, what, "rename one of them")
            if refusal:
                refusals.append(refusal)
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return a slot and a header in each tensor's own file; there is no room for metadata."""
        tensors = contents.tensors
        headers = [render_header(tensor) for tensor in tensors]
        files = [path / (tensor.name + SUFFIX) for tensor in tensors]
        slots = (
            Slot(file, len(header), tensor.nbytes) for file, header, tensor in zip(files, headers, tensors, strict=True)
        )
        return Layout(tuple(slots), tuple(map(Seal, files, headers)))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Make and reserve every file; zeros stand where the headers go."""
        layout = self.lay_out(contents, path)
        for slot in layout.slots:
            try:
                slot.file.parent.mkdir(parents=True, exist_ok=True)
                slot.file.touch(exist_ok=False)  # a file system that ignores case must not merge two tensors
            except OSError as error:
                raise translate(error, slot.file, slot.nbytes) from error
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return one entry for each `.npy` file below `path`."""
        names = _list_names(path)
        return Header({}, [_read_entry(path / (name + SUFFIX), name) for name in names])

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, read in place from the disk."""
        known = set(_list_names(path))
        for name in names:
            if name not in known:
                raise missing_tensor(path, name, known)
            yield _open_array(path / (name + SUFFIX))

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))

    def read_chunks(self, path: Path, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield the tensors' elements."""
        known = set(_list_names(path))
        for name in names:
            if name not in known:
                raise missing_tensor(path, name, known)
            yield from _read_chunks(path / (name + SUFFIX), name)


def refuse_array(index: int, tensor: Tensor) -> Refusal | None:
    """Return why NumPy could not read the tensor back."""
    if tensor.dtype.is_extended:
        what = f"`{tensor.name}` is {tensor.dtype}, which a `.npy` file cannot name"
        return Refusal(index, what, "use `.safetensors` or `.h5`, or the dtype float32")
    if len(tensor.shape) > MAX_RANK:
        return Refusal(index, f"`{tensor.name}` has {len(tensor.shape)} axes, and NumPy stops at {MAX_RANK}")
    return None


def _refuse_length(index: int, name: str) -> Refusal | None:
    """Return why the name is too long for a file system."""
    for part in (name + SUFFIX).split("/"):
        if len(part.encode()) > MAX_PART_NBYTES:
            what = f"the name `{name}` needs a file name of {len(part.encode())} bytes"
            return Refusal(index, what, f"file systems stop at {MAX_PART_NBYTES}: use `.safetensors` or `.h5`")
    return None


def render_header(tensor: Tensor) -> bytes:
    """Return the header that `np.save` writes before a row-major array."""
    buffer = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(tensor.dtype.numpy)
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": tuple(tensor.shape)})
    return buffer.getvalue()


def _open_array(path: Path) -> np.memmap[Any, Any]:
    """Return the array of a `.npy` file, read in place; no pickles, and no other format that `np.load` knows."""
    with reading(path, "a NumPy array"):
        return np.lib.format.open_memmap(path, mode="r")


def _read_chunks(path: Path, name: str) -> Iterator[Chunk]:
    """Yield the elements of a `.npy` file, column-major ones too in row-major order."""
    array = _open_array(path)
    if array.dtype.kind not in "biufc":
        raise refuse_values(path, name, array.dtype.name)
    if array.flags.c_contiguous:
        with reading(path, "a NumPy array"), path.open("rb") as file:
            yield from read_stored(file, name, array.dtype, array.offset, array.size)
    else:
        yield from cut(name, array)


def _read_entry(path: Path, name: str) -> Entry:
    """Return what the header of a `.npy` file says."""
    array = _open_array(path)
    return Entry(name, array.dtype.name, array.shape, array.nbytes)


def _list_names(path: Path) -> list[str]:
    """Return the tensors' names below a directory, sorted; symbolic links to directories are not followed."""

    def stop(error: OSError) -> None:
        raise translate(error, path) from error

    names = []
    for folder, _, files in os.walk(path, onerror=stop):
        inside = Path(folder).relative_to(path)
        names += [(inside / file).as_posix().removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX)]
    if not names:
        what = f"the directory `{path}` holds no .npy file and no checkpoint of safetensors files"
        others = sorted(each for each in path.iterdir() if find_listing(each.name))
        raise InitcliError(Fault(what, hint=f"name one weight file{f': `{others[0]}`' if others else ''}"))
    return sorted(names)


npy = Npy()
npy_directory = NpyDirectory()
