"""GGUF, the files of llama.cpp: typed keys, a table of the tensors, then the tensors, each at a multiple of 32 bytes.

The bytes are those of the gguf package's writer. A spec whose `config` is that of a llama or a GPT-2 of Hugging Face
becomes a model of llama.cpp; of any other, names and values are written as they stand, and the keys are what it says
under `gguf` in its `config`.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, checked against the gguf package 0.19
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.gguf_keys import find_alignment, find_keys, render_key, render_text
from initcli.formats.gguf_reading import (
    CODES,
    MAGIC,
    MAX_COUNT,
    MAX_HEADER_NBYTES,
    MAX_RANK,
    VERSION,
    Table,
    open_table,
)
from initcli.formats.naming import check_metadata, refuse_common
from initcli.formats.reading import reading
from initcli.formats.reserving import reserve
from initcli.formats.stored import list_entries, map_tensors

if TYPE_CHECKING:
    from initcli.plan import Plan

KIND = "GGUF"
MAX_NAME_NBYTES = 63
"""The longest name: llama.cpp's GGML_MAX_NAME, 64, counts the NUL behind it."""


class Gguf:
    """The format `.gguf`; a `config` of Hugging Face, as JSON, goes before that of the spec."""

    name = "gguf"
    suffixes: tuple[str, ...] = (".gguf",)
    is_directory = False
    is_streamable = True

    def __init__(self, config: bytes | None = None) -> None:
        self.config = config

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what ggml has no type, no axes or no room for."""
        refusals = (refuse_common(index, tensor) or _refuse(index, tensor) for index, tensor in enumerate(tensors))
        return [refusal for refusal in refusals if refusal]

    def arrange(self, plan: Plan) -> Plan:
        """Return the plan of a model of Hugging Face as llama.cpp has it, and any other as it is."""
        from initcli.formats.gguf_models import arrange_model, with_config

        if plan.original is not None:
            return plan
        return arrange_model(plan if self.config is None else with_config(plan, self.config))

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the header, and the tensors in their order; zeros fill up the last one, too."""
        tensors = contents.tensors
        check_metadata(contents.metadata)
        keys = find_keys(contents.config or {}, contents.metadata)
        alignment = find_alignment(keys)
        ends = [0, *accumulate(-(-tensor.nbytes // alignment) * alignment for tensor in tensors)]
        header = _render_header(tensors, ends, keys)
        header += bytes(-len(header) % alignment)
        slots = tuple(
            Slot(path, len(header) + begin, tensor.nbytes) for begin, tensor in zip(ends, tensors, strict=False)
        )
        last = slots[-1].offset + slots[-1].nbytes if slots else len(header)
        filling = Seal(path, bytes(len(header) + ends[-1] - last), last)
        return Layout(slots, (Seal(path, header), *([filling] if filling.data else [])))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file; zeros stand where the header goes."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the keys, and the tensors with the blocks of others named as ggml does."""
        table = _open(path)
        return Header(table.metadata, list_entries(table.tensors))

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, read in place from the disk; those of blocks have no elements that could be read."""
        table = _open(path)
        yield from map_tensors(path, names, table.data, table.tensors)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))


def _refuse(index: int, tensor: Tensor) -> Refusal | None:
    """Return why llama.cpp, or the package gguf, could not load the tensor."""
    name, dtype = tensor.name, tensor.dtype
    if dtype.name not in CODES:
        nearest = (
            "float32, float16 or bfloat16" if dtype.kind in ("float", "complex") else "int8, int16, int32 or int64"
        )
        return Refusal(index, f"`{name}` is {dtype}, which GGUF cannot name", f"use {nearest}, or `.safetensors`")
    if len(tensor.shape) > MAX_RANK:
        what = f"`{name}` has {len(tensor.shape)} axes, and GGUF stops at {MAX_RANK}"
        return Refusal(index, what, "use `.safetensors`, or a shape of fewer axes")
    if not tensor.shape and dtype.name == "bfloat16":
        return Refusal(index, f"`{name}` is a bfloat16 without axes, which the gguf package cannot read", "use float32")
    if 0 in tensor.shape:
        return Refusal(index, f"`{name}` has no elements, and llama.cpp divides by each length", "leave it out")
    if "\0" in name or not 0 < len(name.encode()) <= MAX_NAME_NBYTES:
        what = f"the name {name!r} is empty, has a NUL or takes more than {MAX_NAME_NBYTES} bytes"
        return Refusal(index, what, "llama.cpp's names are like `blk.0.attn_q.weight`")
    return None


def _render_header(tensors: Sequence[Tensor], ends: Sequence[int], keys: Mapping[str, Any]) -> bytes:
    """Return the keys and the table of tensors, which begin at `ends` behind the header."""
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(keys))]
    parts += [render_key(key, value) for key, value in keys.items()]
    for tensor, begin in zip(tensors, ends, strict=False):
        rank = len(tensor.shape)
        numbers = struct.pack(f"<I{rank}QIQ", rank, *tensor.shape[::-1], CODES[tensor.dtype.name], begin)
        parts.append(render_text(tensor.name) + numbers)
    header = b"".join(parts)
    if len(header) > MAX_HEADER_NBYTES or max(len(tensors), len(keys)) > MAX_COUNT:
        what = f"the GGUF header needs {len(header):,} bytes for {len(tensors):,} tensors"
        limit = f"{MAX_HEADER_NBYTES:,} bytes and {MAX_COUNT:,} tensors or keys"
        raise InitcliError(Fault(what, hint=f"initcli reads {limit}: use `.h5`"))
    return header


def _open(path: Path) -> Table:
    """Return what a file holds."""
    with reading(path, KIND):
        return open_table(path)


gguf = Gguf()
