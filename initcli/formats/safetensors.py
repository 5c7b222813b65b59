"""safetensors: a JSON header, then the tensors back to back; our own header, read back by the library.

The official writer puts metadata in random order, leaves mode 0600 and cannot write in pieces. For one metadata key the
bytes here are the same as its own.

Source: https://github.com/huggingface/safetensors#format, checked against `save_file` of 0.8.0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.formats import Contents, Entry, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import Chunk, read_stored, refuse_values
from initcli.formats.naming import check_metadata, refuse_common
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.reserving import reserve

MAX_HEADER_NBYTES = 100_000_000
"""The longest header, with its padding, that the library reads."""

CODES = {
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "complex64": "C64",
    "float32": "F32",
    "uint32": "U32",
    "int32": "I32",
    "bfloat16": "BF16",
    "float16": "F16",
    "uint16": "U16",
    "int16": "I16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""The header's word for each dtype, in the order that the official writer puts tensors in: it keeps them aligned."""

FOREIGN = {
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "F4": ("float4_e2m1fn", 4),
}
"""The words of other writers: ml_dtypes' name, and the bits of one element."""


_FLOAT8 = {code: name for name, code in CODES.items() if name.startswith("float8")}


class Safetensors:
    """The format `.safetensors`."""

    name = "safetensors"
    suffixes: tuple[str, ...] = (".safetensors",)
    is_directory = False
    is_streamable = True

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse the one name that the header needs for itself, and what nothing can hold."""
        refusals = []
        for index, tensor in enumerate(tensors):
            if tensor.name == "__metadata__":
                refusals.append(Refusal(index, "safetensors keeps the name `__metadata__` for itself", "rename it"))
            elif refusal := refuse_common(index, tensor):
                refusals.append(refusal)
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return where each tensor goes: the official order, dtype by `CODES` and then name, with no gap."""
        tensors = contents.tensors
        check_metadata(contents.metadata)
        rank = {name: place for place, name in enumerate(CODES)}
        order = sorted(range(len(tensors)), key=lambda index: (rank[tensors[index].dtype.name], tensors[index].name))
        ends = [0, *accumulate(tensors[index].nbytes for index in order)]
        header = _render_header([tensors[index] for index in order], ends, contents.metadata)
        slots = {
            index: Slot(path, len(header) + begin, tensors[index].nbytes)
            for index, begin in zip(order, ends, strict=False)
        }
        return Layout(tuple(slots[index] for index in range(len(tensors))), (Seal(path, header),))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file; zeros stand where the header goes."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the names, types and shapes that the library finds."""
        from safetensors import safe_open

        with reading(path, "safetensors"), safe_open(path, "np") as file:
            entries = []
            for name in sorted(file.keys()):
                piece = file.get_slice(name)
                entries.append(_parse_entry(name, piece.get_dtype(), tuple(piece.get_shape())))
            return Header(dict(file.metadata() or {}), entries)

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors."""
        from safetensors import safe_open

        _ = DTYPES["bfloat16"].numpy  # loads ml_dtypes, which teaches NumPy, and so safetensors, the name `bfloat16`
        with reading(path, "safetensors"), safe_open(path, "np") as file:
            known = set(file.keys())
            for name in names:
                if name not in known:
                    raise missing_tensor(path, name, known)
                code = file.get_slice(name).get_dtype()
                yield _read_float8(path, name) if code in _FLOAT8 else file.get_tensor(name)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return a copy of one tensor."""
        return next(self.read_tensors(path, [name]))

    def read_chunks(self, path: Path, names: Iterable[str], start: int = 0) -> Iterator[Chunk]:
        """Yield the elements from where the header, which the library has checked, says that they stand."""
        entries = {entry.name: entry for entry in self.read_header(path).entries}
        with reading(path, "safetensors"), path.open("rb") as file:
            begin, table = _read_table(file)
            for name in names:
                if name not in entries:
                    raise missing_tensor(path, name, entries)
                entry = entries[name]
                if entry.dtype not in DTYPES:
                    raise refuse_values(path, name, entry.dtype)
                offset = begin + table[name]["data_offsets"][0]
                yield from read_stored(
                    file, name, DTYPES[entry.dtype].numpy, offset, math.prod(entry.shape), start=start
                )

    def seek_chunks(self, path: Path, name: str, start: int) -> Iterator[Chunk]:
        """Yield the elements from the chunk of element `start`."""
        return self.read_chunks(path, [name], start)


def _render_header(tensors: Sequence[Tensor], ends: Sequence[int], metadata: Mapping[str, str]) -> bytes:
    """Return the length, the JSON and spaces up to a multiple of 8, for tensors in the order of their bytes."""
    table: dict[str, object] = {"__metadata__": {"format": "pt"} | {k: v for k, v in metadata.items() if k != "format"}}
    for tensor, (begin, end) in zip(tensors, pairwise(ends), strict=True):
        table[tensor.name] = {
            "dtype": CODES[tensor.dtype.name],
            "shape": tensor.shape,
            "data_offsets": (begin, end),
        }
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER_NBYTES:
        raise InitcliError(
            Fault(
                f"the safetensors header needs {len(text):,} bytes, and readers stop at {MAX_HEADER_NBYTES:,}",
                hint="fewer tensors, shorter names, or HDF5: `.h5`",
            )
        )
    return len(text).to_bytes(8, "little") + text


def _read_table(file: BinaryIO) -> tuple[int, dict[str, Any]]:
    """Return where the tensors' bytes begin, and the header's table, which the library has checked."""
    begin = 8 + int.from_bytes(file.read(8), "little")
    return begin, json.loads(file.read(begin - 8))


def _read_float8(path: Path, name: str) -> np.ndarray[Any, Any]:
    """Return a copy of a tensor that the library cannot give to NumPy."""
    with path.open("rb") as file:
        begin, table = _read_table(file)
        entry = table[name]
        file.seek(begin + entry["data_offsets"][0])
        dtype = DTYPES[_FLOAT8[entry["dtype"]]].numpy
        return np.frombuffer(file.read(math.prod(entry["shape"])), dtype).reshape(entry["shape"]).copy()


def _parse_entry(name: str, code: str, shape: tuple[int, ...]) -> Entry:
    """Return what the header says of one tensor, in our words."""
    ours = {code: name for name, code in CODES.items()}
    if code in ours:
        dtype, bits = ours[code], 8 * DTYPES[ours[code]].itemsize
    elif code in FOREIGN:
        dtype, bits = FOREIGN[code]
    else:
        raise InitcliError(Fault(f"`{name}` has the element type `{code}`, which initcli does not know"))
    return Entry(name, dtype, shape, math.prod(shape) * bits // 8)


safetensors = Safetensors()
