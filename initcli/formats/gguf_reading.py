"""Reading the header of a GGUF file that someone else wrote: each length is checked before anything is read by it.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, checked against the gguf package 0.19
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from initcli.formats.gguf_keys import ALIGNMENT, ARRAY, DEFAULT_ALIGNMENT, FLOAT32, SCALARS, STRING, UINT32
from initcli.formats.naming import MAX_NBYTES
from initcli.formats.stored import Stored

MAGIC = b"GGUF"
VERSION = 3
VERSIONS = (2, VERSION)
"""Version 3 says of version 2 that there may be big-endian files, too; else they are the same."""
MAX_HEADER_NBYTES = 100_000_000
"""The longest header that is read and written: as safetensors has it. That of 256,000 tokens takes some 10 MB."""
MAX_COUNT = 1_000_000
"""The most tensors, and the most keys, that are read and written."""
MAX_RANK = 4
"""The most axes that ggml gives a tensor, GGML_MAX_DIMS."""
MAX_SHOWN = 16
"""The longest list among the metadata that is shown; a vocabulary is only counted."""

CODES = {
    "float32": 0,
    "float16": 1,
    "int8": 24,
    "int16": 25,
    "int32": 26,
    "int64": 27,
    "float64": 28,
    "bfloat16": 30,
}
"""ggml's number for each dtype that there is a plain array of."""

QUANTIZED = {
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136),
    29: ("iq1_m", 256, 56),
    34: ("tq1_0", 256, 54),
    35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17),
    40: ("nvfp4", 64, 36),
    41: ("q1_0", 128, 18),
}
"""The types of blocks: ggml's name, the elements of a block and its bytes. Source: GGML_QUANT_SIZES of gguf 0.19."""

_SIZES = {
    **{code: (name, 1, size) for (name, code), size in zip(CODES.items(), (4, 2, 1, 2, 4, 8, 8, 2), strict=True)},
    **QUANTIZED,
}
_INT32, _INT64 = struct.Struct("<I"), struct.Struct("<Q")


class Table(NamedTuple):
    """A whole file, mapped into memory, the text of its metadata, and its tensors by name."""

    data: mmap.mmap
    metadata: dict[str, str]
    tensors: dict[str, Stored]


class Cursor:
    """A place in the header of a file, and what follows there."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0
        self.stop = min(len(data), MAX_HEADER_NBYTES)

    def skip(self, count: int) -> int:
        """Pass over bytes and return where they begin."""
        start = self.at
        if count > self.stop - start:
            is_long = self.stop < len(self.data)
            raise ValueError(f"its header passes {MAX_HEADER_NBYTES:,} bytes" if is_long else "it ends in its header")
        self.at += count
        return start

    def read(self, form: struct.Struct) -> Any:
        """Return the one value of this form."""
        return form.unpack_from(self.data, self.skip(form.size))[0]

    def count(self, kind: str, least: int) -> int:
        """Return a count of things that each take at least so many bytes."""
        count: int = self.read(_INT64)
        if count > (self.stop - self.at) // least:
            raise ValueError(f"it claims {count:,} {kind}, for which there is no room")
        return count

    def text(self) -> bytes:
        """Return the bytes of a text."""
        count: int = self.read(_INT64)
        start = self.skip(count)
        return self.data[start : start + count]


def open_table(path: Path) -> Table:
    """Return what a file holds; only its header is read.

    Raises:
        ValueError: the file is damaged, or of a version that is not known.
    """
    with path.open("rb") as file:
        cursor = Cursor(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if cursor.data[: len(MAGIC)] != MAGIC:
        raise ValueError("it does not begin with `GGUF`")
    cursor.skip(len(MAGIC))
    version = cursor.read(_INT32)
    if version not in VERSIONS:
        is_big = int.from_bytes(version.to_bytes(4, "big"), "little") in VERSIONS
        raise ValueError("it is big-endian" if is_big else f"its version is {version}, and known are 2 and 3")
    tensor_count, key_count = cursor.count("tensors", 24), cursor.count("keys", 13)
    if max(tensor_count, key_count) > MAX_COUNT:
        raise ValueError(f"it has more than {MAX_COUNT:,} tensors or keys")
    metadata: dict[str, str] = {}
    for _ in range(key_count):
        key, value = _read_key(cursor)
        if key in metadata:
            raise ValueError(f"it has the key `{key}` twice")
        metadata[key] = value
    alignment = int(metadata.get(ALIGNMENT, DEFAULT_ALIGNMENT))
    return Table(cursor.data, metadata, _read_tensors(cursor, tensor_count, alignment))


def _read_key(cursor: Cursor) -> tuple[str, str]:
    """Return a key and the text of its value."""
    key, code = cursor.text().decode(), cursor.read(_INT32)
    if key == ALIGNMENT:
        alignment = cursor.read(_INT32)
        if code != UINT32 or not alignment or alignment & (alignment - 1):
            raise ValueError(f"its `{ALIGNMENT}` is no power of 2 of the type uint32")
        return key, str(alignment)
    if code != ARRAY:
        value = _read_value(cursor, code)
        return key, value if isinstance(value, str) else json.dumps(value)
    code = cursor.read(_INT32)
    count = cursor.count("values", SCALARS[code].size if code in SCALARS else 8)
    if count <= MAX_SHOWN:
        return key, json.dumps([_read_value(cursor, code) for _ in range(count)], ensure_ascii=False)
    if code in SCALARS:
        cursor.skip(count * SCALARS[code].size)
    else:
        for _ in range(count):
            _check_type(code)
            cursor.skip(cursor.read(_INT64))
    return key, f"{count:,} {'texts' if code == STRING else 'values'}"


def _read_value(cursor: Cursor, code: int) -> Any:
    """Return a value of a type; a float of 32 bits in its own shortest form."""
    if code in SCALARS:
        value = cursor.read(SCALARS[code])
        return float(str(np.float32(value))) if code == FLOAT32 else value
    _check_type(code)
    return cursor.text().decode(errors="replace")


def _check_type(code: int) -> None:
    """Raise an error unless this is the one type left beside the scalars."""
    if code != STRING:
        raise ValueError("it has a list of lists" if code == ARRAY else f"it has a value of the unknown type {code}")


def _read_tensors(cursor: Cursor, count: int, alignment: int) -> dict[str, Stored]:
    """Return the tensors by name, each apart from all others and within the file."""
    tensors: dict[str, Stored] = {}
    for _ in range(count):
        name = cursor.text().decode()
        if name in tensors:
            raise ValueError(f"it has the tensor `{name}` twice")
        tensors[name] = _read_tensor(cursor, name, alignment)
    start = -(-cursor.at // alignment) * alignment
    tensors = {name: each._replace(start=start + each.start, stop=start + each.stop) for name, each in tensors.items()}
    for name, each in tensors.items():
        if each.stop > len(cursor.data):
            raise ValueError(f"the data of `{name}` ends at byte {each.stop:,}, behind the end of the file")
    filled = sorted((each.start, each.stop, name) for name, each in tensors.items() if each.stop > each.start)
    for (_, stop, one), (following, _, other) in pairwise(filled):
        if following < stop:
            raise ValueError(f"the data of `{one}` and `{other}` overlap")
    return tensors


def _read_tensor(cursor: Cursor, name: str, alignment: int) -> Stored:
    """Return a tensor whose bytes count from the beginning of the data."""
    rank = cursor.read(_INT32)
    if rank > MAX_RANK:
        raise ValueError(f"`{name}` has {rank:,} axes, and ggml stops at {MAX_RANK}")
    shape = tuple(cursor.read(_INT64) for _ in range(rank))[::-1]
    code, offset = cursor.read(_INT32), cursor.read(_INT64)
    if code not in _SIZES:
        raise ValueError(f"`{name}` has the unknown type {code}")
    dtype, block, nbytes = _SIZES[code]
    if math.prod(max(size, 1) for size in shape) * nbytes > MAX_NBYTES:
        raise ValueError(f"the shape of `{name}` is larger than any file")
    if (shape[-1] if shape else 1) % block:
        raise ValueError(f"the rows of `{name}` are no whole blocks of {dtype}")
    if offset % alignment:
        raise ValueError(f"the data of `{name}` is not aligned to {alignment} bytes")
    return Stored(dtype, shape, offset, offset + math.prod(shape) // block * nbytes)
