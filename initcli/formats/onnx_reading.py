"""What an ONNX model that someone else wrote says of its initializers: each length is checked before it is gone by.

Tensors of text, sparse ones, and those in attributes of nodes are passed over.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, checked against onnx 1.23.2
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from initcli.formats.naming import MAX_NBYTES
from initcli.formats.npy import MAX_RANK
from initcli.formats.onnx_fields import (
    TEXT,
    TYPES,
    EntryProto,
    GraphProto,
    ModelProto,
    TensorProto,
)
from initcli.formats.protobuf import BYTES, VARINT, Field, Wire, map_file
from initcli.formats.safetensors import MAX_HEADER_NBYTES

MAX_NUMBERS = 20_000_000
"""The most tags, lengths and other numbers that are read of a model, in some ten seconds: 60 MB of small tensors."""
MAX_COUNT = 1_000_000
"""The most tensors, and the most entries of the metadata, that are read."""
MAX_TEXT_NBYTES = 100_000_000
"""The most that is read of names and metadata."""

_VALUES = {
    TensorProto.RAW_DATA,
    TensorProto.FLOAT_DATA,
    TensorProto.INT32_DATA,
    TensorProto.INT64_DATA,
    TensorProto.DOUBLE_DATA,
    TensorProto.UINT64_DATA,
}
"""The fields that hold a tensor's elements."""


class Place(NamedTuple):
    """Where data stands in another file: the file as the model calls it, the offset, and the length if it is told."""

    location: str
    offset: int
    length: int | None


class Initializer(NamedTuple):
    """What a model says of a tensor: its type in our words or others', its bytes, and where its elements are.

    They are in another file if there is a `place`, else in the field `values`, if there are any.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    place: Place | None
    values: Field | None


def is_model(start: bytes) -> bool:
    """Tell whether a file's first 8 bytes are a model's: as the length that safetensors begins with, too large.

    >>> is_model(bytes.fromhex("08041207696e6974")), is_model((0x3A0408).to_bytes(8, "little"))
    (True, False)
    """
    has_version = len(start) > 2 and start[0] == ModelProto.IR_VERSION << 3 | VARINT and 0 < start[1] < 0x80
    return has_version and (len(start) < 8 or int.from_bytes(start, "little") > MAX_HEADER_NBYTES)


def parse_model(path: Path) -> tuple[dict[str, str], list[Initializer]]:
    """Return a model's metadata, and what it says of its initializers; no other file is looked at.

    Raises:
        ValueError: it is damaged.
    """
    wire = Wire(map_file(path), MAX_NUMBERS, MAX_TEXT_NBYTES)
    metadata: dict[str, str] = {}
    initializers: dict[str, Initializer] = {}
    has_graph = False
    for field in wire.fields(0, len(wire.data)):
        if field.number == ModelProto.METADATA_PROPS:
            key, value = _parse_entry(wire, field)
            if key in metadata:
                raise ValueError(f"it has the key `{key}` twice")
            metadata[key] = value
            _check_count(metadata)
        elif field.number == ModelProto.GRAPH:
            has_graph = True
            for inner in wire.fields(field.start, field.stop):
                if inner.number == GraphProto.INITIALIZER and (tensor := _parse_tensor(wire, inner)):
                    if tensor.name in initializers:
                        raise ValueError(f"it has the tensor `{tensor.name}` twice")
                    initializers[tensor.name] = tensor
                    _check_count(initializers)
    if not has_graph:
        raise ValueError("it has no graph")
    return metadata, list(initializers.values())


def _check_count(found: Mapping[str, Any]) -> None:
    """Raise an error if a model has more of something than is read."""
    if len(found) > MAX_COUNT:
        raise ValueError(f"it has more than {MAX_COUNT:,} tensors, or entries of metadata")


def _parse_entry(wire: Wire, field: Field) -> tuple[str, str]:
    """Return a key and its value."""
    texts = {EntryProto.KEY: "", EntryProto.VALUE: ""}
    for inner in wire.fields(field.start, field.stop):
        if inner.number in texts:
            texts[inner.number] = wire.text(inner)
    return texts[EntryProto.KEY], texts[EntryProto.VALUE]


def _parse_tensor(wire: Wire, field: Field) -> Initializer | None:
    """Return what a TensorProto says; nothing of one of texts."""
    name, code, shape, is_external = "", 0, list[int](), False
    entries: dict[str, str] = {}
    values: list[Field] = []
    for inner in wire.fields(field.start, field.stop):
        if inner.number == TensorProto.DIMS:
            shape += islice(wire.numbers(inner), MAX_RANK + 1 - len(shape))
        elif inner.number == TensorProto.DATA_TYPE:
            code = inner.value
        elif inner.number == TensorProto.NAME:
            name = wire.text(inner)
        elif inner.number == TensorProto.EXTERNAL_DATA:
            key, value = _parse_entry(wire, inner)
            entries[key] = value
        elif inner.number == TensorProto.DATA_LOCATION:
            is_external = inner.value == TensorProto.EXTERNAL
        elif inner.number == TensorProto.SEGMENT:
            raise ValueError("it has a tensor in segments")
        elif inner.number in _VALUES and (inner.kind != BYTES or inner.stop > inner.start):
            values = [*values[:1], inner]
    if code == TEXT:
        return None
    dtype, nbytes = _measure(name, code, shape)
    place = _parse_place(name, entries) if is_external else None
    if len(values) > 1 and place is None:
        raise ValueError(f"the data of `{name}` stands in more than one piece")
    return Initializer(name, dtype, tuple(shape), nbytes, place, values[0] if values else None)


def _measure(name: str, code: int, shape: list[int]) -> tuple[str, int]:
    """Return the name of an element type, and the bytes of a tensor of it."""
    if code not in TYPES:
        raise ValueError(f"`{name}` has the unknown type {code}")
    if len(shape) > MAX_RANK:
        raise ValueError(f"`{name}` has more than {MAX_RANK} axes")
    dtype, bits = TYPES[code]
    if math.prod(max(size, 1) for size in shape) * bits // 8 > MAX_NBYTES:
        raise ValueError(f"the shape of `{name}` is negative, or larger than any file")
    return dtype, -(-math.prod(shape) * bits // 8)


def _parse_place(name: str, entries: dict[str, str]) -> Place:
    """Return where the `external_data` of a tensor says that its data stands."""
    numbers = {key: entries[key] for key in ("offset", "length") if key in entries}
    for key, text in numbers.items():
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise ValueError(f"the {key} of the data of `{name}` is {text[:40]!r}")
    if not entries.get("location"):
        raise ValueError(f"`{name}` does not tell the file of its data")
    length = int(numbers["length"]) if "length" in numbers else None
    return Place(sys.intern(entries["location"]), int(numbers.get("offset", 0)), length)
