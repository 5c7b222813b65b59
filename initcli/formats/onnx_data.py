"""ONNX with external data: a model of initializers and no nodes, `w.onnx`, and their bytes beside it, `w.onnx.data`.

The initializers are the graph's outputs, so that the model runs, and a program can copy them into a graph of its own
by their names. The model is what the onnx package's protobuf writes. Ties are left out.

Source: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md, checked against onnx 1.23.2 and onnxruntime 1.31.1
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.formats import Contents, Entry, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import refuse_values
from initcli.formats.naming import check_metadata, is_text, refuse_common
from initcli.formats.npy import MAX_RANK
from initcli.formats.onnx_fields import (
    CODES,
    EntryProto,
    GraphProto,
    ModelProto,
    OperatorSetIdProto,
    TensorProto,
    ValueInfoProto,
)
from initcli.formats.onnx_places import locate, read_values
from initcli.formats.onnx_reading import parse_model
from initcli.formats.protobuf import map_file, render_bytes, render_int, render_text
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.reserving import reserve

KIND = "ONNX"
MAX_MODEL_NBYTES = 50_000_000
"""The longest model that is written, some 300,000 tensors: `onnx_reading` takes all that fits. Protobuf has 2 GiB."""
MIN_ALIGNMENT, MAX_ALIGNMENT = 64, 65536
"""Bytes: a cache line, and what Windows can map a file by. `_align` takes a power of 2 between them."""
VERSIONS = {False: (4, 9), True: (9, 19)}
"""Whether there are floats of 8 bits: the oldest version of the format that has all, and of the operators beside it."""


class Onnx:
    """The format `.onnx`; an `edition` of more than 1 gives the file of the data another name."""

    name = "onnx"
    suffixes: tuple[str, ...] = (".onnx",)
    is_directory = False
    is_streamable = False

    def __init__(self, edition: int = 1) -> None:
        self.edition = edition

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what nothing can hold, a tensor without a name, and more axes than NumPy has."""
        refusals = (refuse_common(index, tensor) or _refuse(index, tensor) for index, tensor in enumerate(tensors))
        return [refusal for refusal in refusals if refusal]

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the data, each tensor aligned, in their order, and the model that tells where they are."""
        check_metadata(contents.metadata)
        data = path.with_name(_check_name(name_data(path.name, self.edition)))
        slots, at = list[Slot](), 0
        for tensor in contents.tensors:
            if not tensor.nbytes:  # readers stumble over 0 bytes in another file, so it is whole within the model
                slots.append(Slot(path, 0, 0))
                continue
            at += -at % _align(tensor.nbytes)
            slots.append(Slot(data, at, tensor.nbytes))
            at += tensor.nbytes
        return Layout(tuple(slots), (Seal(path, _render_model(contents, slots)),))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve both files; zeros stand where the model goes."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the initializers, whose data is there, and the model's own metadata."""
        with reading(path, KIND):
            metadata, initializers = parse_model(path)
            tensors = locate(path, initializers)
        return Header(
            metadata, sorted(Entry(name, each.dtype, each.shape, each.nbytes) for name, each in tensors.items())
        )

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, read in place from the disk, but for those that are varints."""
        with reading(path, KIND):
            tensors = locate(path, parse_model(path)[1])
        shelf: dict[Path, mmap.mmap | bytes] = {}
        for name in names:
            if name not in tensors:
                raise missing_tensor(path, name, tensors)
            stored = tensors[name]
            if stored.dtype not in CODES:
                raise refuse_values(path, name, stored.dtype)
            with reading(path, KIND):
                if stored.file not in shelf:
                    shelf = {stored.file: map_file(stored.file)}
                values = read_values(shelf[stored.file], stored, name)
            yield values

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor."""
        return next(self.read_tensors(path, [name]))

    def with_edition(self, edition: int) -> Onnx:
        """Return the format that gives the data another name."""
        return Onnx(edition)

    def is_member(self, path: Path, name: str) -> bool:
        """Tell whether this edition gives the data of the model at `path` this name."""
        return name.casefold() == name_data(path.name, self.edition).casefold()

    def list_members(self, path: Path) -> list[str]:
        """Return the names of the data beside the model at `path` that it leads to, and that are called after it.

        Data of other names may be another model's, too.

        Raises:
            InitcliError: it cannot be read.
        """
        with reading(path, KIND):
            _, initializers = parse_model(path)
        locations = {each.place.location for each in initializers if each.place}
        named_after = re.compile(re.escape(path.name) + r"(\.[0-9]+)?\.data")
        return sorted(filter(named_after.fullmatch, locations))

    def name_entrance(self, path: Path) -> None:
        """Return nothing: the model itself is what programs open."""


def name_data(model: str, edition: int) -> str:
    """Return the name of the data beside a model.

    >>> name_data("w.onnx", 1), name_data("w.onnx", 2)
    ('w.onnx.data', 'w.onnx.2.data')
    """
    return f"{model}.data" if edition == 1 else f"{model}.{edition}.data"


def _check_name(name: str) -> str:
    """Return the name of the data, which the model tells, and which onnx does not open if there is `..` in it."""
    if not is_text(name) or ".." in name:
        what = f"the file name {name!r} cannot be told in an ONNX model: it is no Unicode, or has `..`"
        raise InitcliError(Fault(what, hint="give another name"))
    return name


def _refuse(index: int, tensor: Tensor) -> Refusal | None:
    """Return why no reader could take the tensor."""
    if not tensor.name:
        return Refusal(index, "the name is empty, which ONNX takes for no tensor", "give it a name")
    if len(tensor.shape) > MAX_RANK:
        return Refusal(index, f"`{tensor.name}` has {len(tensor.shape)} axes, and NumPy stops at {MAX_RANK}")
    return None


def _align(nbytes: int) -> int:
    """Return what the offset of a tensor is a multiple of: the power of 2 that is at most a sixteenth of its length.

    From 64 KiB on it begins a page, and from 1 MiB on a unit that Windows maps, as onnxruntime and onnx_ir have it;
    what fills the gaps is a sixteenth of the file at most, or 63 bytes for each of the smallest tensors.

    >>> _align(10), _align(2**16), _align(2**20 - 1), _align(2**30)
    (64, 4096, 32768, 65536)
    """
    return min(max(1 << (nbytes // 16).bit_length() >> 1, MIN_ALIGNMENT), MAX_ALIGNMENT)


def _render_model(contents: Contents, slots: Sequence[Slot]) -> bytes:
    """Return a ModelProto of these initializers, which are its outputs."""
    tensors = contents.tensors
    graph = [render_text(GraphProto.NAME, "initcli")]
    graph += [
        render_bytes(GraphProto.INITIALIZER, _render_tensor(tensor, slot))
        for tensor, slot in zip(tensors, slots, strict=True)
    ]
    graph += [render_bytes(GraphProto.OUTPUT, _render_output(tensor)) for tensor in tensors]
    version, operators = VERSIONS[any(tensor.dtype.name.startswith("float8") for tensor in tensors)]
    model = b"".join(
        [
            render_int(ModelProto.IR_VERSION, version),
            render_text(ModelProto.PRODUCER_NAME, "initcli"),
            render_bytes(ModelProto.GRAPH, b"".join(graph)),
            render_bytes(
                ModelProto.OPSET_IMPORT,
                render_text(OperatorSetIdProto.DOMAIN, "") + render_int(OperatorSetIdProto.VERSION, operators),
            ),
            *(render_bytes(ModelProto.METADATA_PROPS, _render_entry(*each)) for each in contents.metadata.items()),
        ]
    )
    if len(model) > MAX_MODEL_NBYTES:
        what = f"the ONNX model needs {len(model):,} bytes for {len(tensors):,} tensors"
        raise InitcliError(Fault(what, hint=f"{MAX_MODEL_NBYTES:,} bytes are the limit: use `.h5`"))
    return model


def _render_tensor(tensor: Tensor, slot: Slot) -> bytes:
    """Return a TensorProto that tells where the data is, if there is any."""
    parts = [render_int(TensorProto.DIMS, size) for size in tensor.shape]
    parts += [render_int(TensorProto.DATA_TYPE, CODES[tensor.dtype.name]), render_text(TensorProto.NAME, tensor.name)]
    if tensor.nbytes:
        place = {"location": slot.file.name, "offset": str(slot.offset), "length": str(slot.nbytes)}
        parts += [render_bytes(TensorProto.EXTERNAL_DATA, _render_entry(*each)) for each in place.items()]
        parts += [render_int(TensorProto.DATA_LOCATION, TensorProto.EXTERNAL)]
    return b"".join(parts)


def _render_entry(key: str, value: str) -> bytes:
    """Return a StringStringEntryProto."""
    return render_text(EntryProto.KEY, key) + render_text(EntryProto.VALUE, value)


def _render_output(tensor: Tensor) -> bytes:
    """Return a ValueInfoProto with the type and the shape."""
    sizes = (render_int(ValueInfoProto.DIM_VALUE, size) for size in tensor.shape)
    shape = b"".join(render_bytes(ValueInfoProto.DIM, size) for size in sizes)
    kind = render_int(ValueInfoProto.ELEM_TYPE, CODES[tensor.dtype.name]) + render_bytes(ValueInfoProto.SHAPE, shape)
    return render_text(ValueInfoProto.NAME, tensor.name) + render_bytes(
        ValueInfoProto.TYPE, render_bytes(ValueInfoProto.TENSOR_TYPE, kind)
    )


onnx = Onnx()
