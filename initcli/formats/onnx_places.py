"""Where the elements of an ONNX model's tensors are, in the model itself or in files beside it, and reading them.

A file beside the model must lie in the model's directory, and each place in it.

Source: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md, checked against onnx 1.23.2
"""

from __future__ import annotations

import math
import mmap
import os
import stat
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.formats.onnx_fields import FIXED_FIELDS, VARINT_FIELDS, TensorProto
from initcli.formats.onnx_reading import Initializer
from initcli.formats.protobuf import BYTES, decode_varints


class Stored(NamedTuple):
    """A tensor whose elements are the bytes [start, stop) of `file`, as they are or as varints."""

    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    file: Path
    start: int
    stop: int
    is_varints: bool = False


def locate(path: Path, initializers: list[Initializer]) -> dict[str, Stored]:
    """Return where the tensors of the model at `path` are; their data is there in full length.

    Raises:
        InitcliError: a file beside the model is absent.
        ValueError: it is outside of the model's directory, or the data does not fit the shape, ends behind the file, or
            overlaps another's.
    """
    roots = os.path.realpath(path.parent), os.path.dirname(os.path.realpath(path))  # noqa: PTH120, texts are compared
    files: dict[str, tuple[Path, int]] = {}
    tensors: dict[str, Stored] = {}
    for each in initializers:
        if each.place is None:
            tensors[each.name] = _find_values(path, each)
            continue
        location, offset, length = each.place
        if location not in files:
            files[location] = _find_file(path, location, roots)
        file, size = files[location]
        if length not in (None, each.nbytes):
            raise ValueError(f"the data of `{each.name}` takes {length:,} bytes, and its shape {each.nbytes:,}")
        if offset + each.nbytes > size:
            raise ValueError(f"the data of `{each.name}` ends behind the end of `{location}`")
        tensors[each.name] = Stored(each.dtype, each.shape, each.nbytes, file, offset, offset + each.nbytes)
    _check_apart(tensors)
    return tensors


def _find_values(path: Path, tensor: Initializer) -> Stored:
    """Return where the elements of a tensor are that has them in the model itself."""
    field, name = tensor.values, tensor.name
    if field is None:
        if tensor.nbytes:
            raise ValueError(f"`{name}` has no data")
        return Stored(tensor.dtype, tensor.shape, 0, path, 0, 0)
    is_varints = field.number not in (TensorProto.RAW_DATA, FIXED_FIELDS.get(tensor.dtype))
    if is_varints and field.number != VARINT_FIELDS.get(tensor.dtype, TensorProto.INT32_DATA):
        raise ValueError(f"the data of `{name}` stands in a field of another type")
    if is_varints and field.kind != BYTES:
        raise ValueError(f"the data of `{name}` is not packed")
    if not is_varints and field.stop - field.start != tensor.nbytes:
        found = field.stop - field.start
        raise ValueError(f"the data of `{name}` takes {found:,} bytes, and its shape {tensor.nbytes:,}")
    return Stored(tensor.dtype, tensor.shape, tensor.nbytes, path, field.start, field.stop, is_varints)


def _find_file(path: Path, location: str, roots: Sequence[str]) -> tuple[Path, int]:
    """Return a file that the model at `path` calls `location`, and its size.

    A link may lead into the `roots` alone: the model's directory, and the one that the model itself is linked from, as
    Hugging Face's cache has it.
    """
    pure = PureWindowsPath(location)  # both `/` and `\\` part it, and a drive is none of a name
    if pure.anchor or ".." in pure.parts or "\0" in location:
        raise ValueError(f"it leads to {location!r}, which is no path within its directory")
    file = path.parent / location
    real = Path(os.path.realpath(file))
    if not any(real.is_relative_to(root) for root in roots):
        raise ValueError(f"it leads to {location!r}, which is a link out of its directory")
    try:
        status = real.stat()
    except FileNotFoundError:
        what = f"`{path}` leads to `{location}` beside it, which does not exist"
        raise InitcliError(Fault(what, hint="the two belong together: copy or download both")) from None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"it leads to {location!r}, which is not a regular file")
    return file, status.st_size


def _check_apart(tensors: dict[str, Stored]) -> None:
    """Raise an error if two tensors share a part of their bytes; those of ties may be all the same."""
    filled = sorted(
        (each.file, each.start, each.stop, name) for name, each in tensors.items() if each.stop > each.start
    )
    for (file, start, stop, one), (next_file, next_start, next_stop, other) in pairwise(filled):
        if file == next_file and next_start < stop and (start, stop) != (next_start, next_stop):
            raise ValueError(f"the data of `{one}` and `{other}` overlap")


def read_values(data: mmap.mmap | bytes, tensor: Stored, name: str) -> NDArray[Any]:
    """Return a tensor of an open file's `data`: read in place from the disk, or decoded from varints.

    Raises:
        ValueError: there are more or fewer varints than elements.
    """
    dtype = DTYPES[tensor.dtype].numpy
    if tensor.start == tensor.stop:
        return np.empty(tensor.shape, dtype)
    if not tensor.is_varints:
        return np.ndarray(tensor.shape, dtype, data, tensor.start)
    size, filled = math.prod(tensor.shape), 0
    if size > tensor.stop - tensor.start:
        raise ValueError(f"`{name}` has fewer values than elements")
    values = np.empty(size, dtype)
    for piece in decode_varints(data, tensor.start, tensor.stop):
        if filled + len(piece) > size:
            raise ValueError(f"`{name}` has more values than elements")
        narrow = piece.astype(bool if dtype.kind == "b" else f"<u{dtype.itemsize}")
        values[filled : filled + len(piece)] = narrow.view(dtype)
        filled += len(piece)
    if filled < size:
        raise ValueError(f"`{name}` has fewer values than elements")
    return values.reshape(tensor.shape)
