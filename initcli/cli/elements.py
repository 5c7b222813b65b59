"""The values of a tensor, whole or in part: laid out for a screen, a number beside the other for a pipe, or data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initcli.cli.tables import escape, render_shape
from initcli.dtypes import DTYPES
from initcli.formats import Entry
from initcli.formats.chunks import refuse_values
from initcli.formats.reading import missing_tensor
from initcli.formats.weights import WeightFile
from initcli.selection import keep_rows, parse_selection, split_selection

LINES = 1000
"""How many lines are printed at once."""


class Part(NamedTuple):
    """The `values` of the `selection` of a tensor."""

    entry: Entry
    selection: str
    values: NDArray[Any]


def read_part(weights: WeightFile, text: str) -> Part:
    """Return what `NAME` or `NAME[0:3, :5]` means in a file; a tensor may have brackets in its own name.

    Raises:
        InitcliError: no such tensor, a selection that it does not have, or elements that are no numbers.
    """
    entries = weights.entries | weights.ties
    name, selection = (text, "...") if text in entries else split_selection(text)
    if name not in entries:
        raise missing_tensor(weights.path, name, entries)
    entry = entries[name]
    if entry.dtype not in DTYPES:
        raise refuse_values(weights.path, name, entry.dtype)
    rows, *others = parse_selection(selection, entry.shape) or [slice(None)]
    kept, shifted = keep_rows(rows, entry.shape[0] if entry.shape else 1)
    return Part(entry, selection, _read_rows(weights, entry, kept)[(shifted, *others)[: len(entry.shape)]])


def _read_rows(weights: WeightFile, entry: Entry, kept: range) -> NDArray[Any]:
    """Return some rows of a tensor, which is read from the first of them to the last."""
    inner = prod(entry.shape[1:])
    start, stop = kept.start * inner, kept.stop * inner
    parts = []
    for chunk in weights.seek_chunks(entry.name, start) if start < stop else ():
        parts.append(chunk.values[max(0, start - chunk.start) : stop - chunk.start])
        if chunk.start + len(chunk.values) >= stop:
            break
    flat = np.concatenate(parts) if parts else np.empty(0, DTYPES[entry.dtype].numpy)
    return flat.reshape((len(kept), *entry.shape[1:]) if entry.shape else ())


def describe_part(part: Part) -> dict[str, Any]:
    """Return a part as plain data: null for what is not finite, a pair for a complex number."""
    return {
        "name": part.entry.name,
        "dtype": part.entry.dtype,
        "shape": list(part.entry.shape),
        "selection": part.selection,
        "values": _to_lists(part.values),
    }


def render_part(part: Part, width: int) -> str:
    """Return a line on the part and its values as NumPy shows them, the middle of many left out."""
    what = f"{part.entry.name}[{part.selection}]: {part.entry.dtype}, {render_shape(part.values.shape)}"
    of = "" if part.values.shape == part.entry.shape else f" of {render_shape(part.entry.shape)}"
    return f"{escape(what)}{of}\n{np.array2string(part.values, max_line_width=width)}"


def render_rows(values: NDArray[Any]) -> Iterator[str]:
    """Yield many lines at a time: a line for each row, its numbers as short as they can be read back, none left out.

    An empty line stands between matrices. NumPy's `loadtxt` reads it.
    """
    rows = values if values.ndim else values.reshape(1)
    indices = np.ndindex(rows.shape[:-1])
    lines = (
        "\n" * (len(index) > 1 and index[-1] == 0 and any(index)) + " ".join(map(str, rows[index])) for index in indices
    )
    while block := list(itertools.islice(lines, LINES)):
        yield "\n".join(block)


def _to_lists(values: NDArray[Any]) -> Any:
    if values.dtype.kind == "c":
        values = np.stack([values.real, values.imag], axis=-1)
    if values.dtype.kind in "biu":
        return values.tolist()
    numbers = values.astype(np.float64)
    is_finite = np.isfinite(numbers)
    if is_finite.all():
        return numbers.tolist()
    plain = numbers.astype(object)
    plain[~is_finite] = None
    return plain.tolist()
