"""A part of a tensor as NumPy writes it, `[0:3, ..., -1]`: read as data, checked against the shape, never evaluated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import EllipsisType
from typing import TypeAlias

from initcli.errors import ArgumentError

Index: TypeAlias = int | slice
"""What one axis keeps."""

MAX_DIGITS = 18
_HINT = "write indices and slices as NumPy does: `[0:3, ..., -1]`"
_INT = re.compile(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}", re.ASCII)


def split_selection(text: str) -> tuple[str, str]:
    """Return the name and what stands in the brackets behind it.

    >>> split_selection("h.0.weight[0:3, :5]"), split_selection("bias")
    (('h.0.weight', '0:3, :5'), ('bias', '...'))
    """
    if not text.endswith("]") or "[" not in text:
        return text, "..."
    name, _, inside = text[:-1].rpartition("[")
    return name, inside


def parse_selection(text: str, shape: Sequence[int]) -> tuple[Index, ...]:
    """Return what each axis of `shape` keeps: an index from 0, or a slice.

    >>> parse_selection("-1, ..., ::2", (4, 5, 6))
    (3, slice(None, None, None), slice(None, None, 2))

    Raises:
        ArgumentError: no such notation, too many indices, a step of 0, or an index that the axis does not have.
    """
    items = [_parse_item(item.strip(), text) for item in text.split(",")] if text.strip() else []
    rest = [place for place, item in enumerate(items) if item is ...]
    if len(rest) > 1:
        raise ArgumentError(f"`[{text}]` has `...` twice", "once is enough")
    missing = len(shape) - (len(items) - len(rest))
    if missing < 0:
        what = f"`[{text}]` is for {len(items) - len(rest)} or more axes, and the tensor has {len(shape)}"
        raise ArgumentError(what, "leave some out")
    at = rest[0] if rest else len(items)
    items[at : at + 1] = [slice(None)] * missing
    return tuple(
        _check_index(item, size, axis)
        for axis, (item, size) in enumerate(zip(items, shape, strict=True))
        if item is not ...
    )


def keep_rows(index: Index, size: int) -> tuple[range, Index]:
    """Return the rows that an index of the first axis spans, and what it is when only these are there.

    >>> keep_rows(slice(8, 1, -3), 10), keep_rows(4, 10)
    ((range(2, 9), slice(6, None, -3)), (range(4, 5), 0))
    """
    if not isinstance(index, slice):
        return range(index, index + 1), 0
    rows = range(*index.indices(size))
    if not rows:
        return range(0), slice(None)
    first, last = min(rows[0], rows[-1]), max(rows[0], rows[-1])
    begin = rows[0] - first
    return range(first, last + 1), slice(begin, None, rows.step)


def _parse_item(item: str, text: str) -> Index | EllipsisType:
    """Return one of the things between the commas."""
    if item == "...":
        return ...
    if _INT.fullmatch(item):
        return int(item)
    bounds = [bound.strip() for bound in item.split(":")]
    if len(bounds) not in (2, 3) or not all(not bound or _INT.fullmatch(bound) for bound in bounds):
        raise ArgumentError(f"`{item}` in `[{text}]` is no index and no slice", _HINT)
    start, stop, step = ([int(bound) if bound else None for bound in bounds] + [None])[:3]
    if step == 0:
        raise ArgumentError(f"`{item}` in `[{text}]` has the step 0", "a step is 1 or more, or negative to go back")
    return slice(start, stop, step)


def _check_index(item: Index, size: int, axis: int) -> Index:
    """Return a slice as it is, and an index counted from 0."""
    if isinstance(item, slice):
        return item
    if not -size <= item < size:
        limits = f"it has 0 to {size - 1}" if size else "it is empty"
        raise ArgumentError(f"there is no index {item} on axis {axis}: {limits}", "negative indices count from the end")
    return item % size
