"""JSON read at once, without the place of anything: of a spec without a fault no place is ever asked for.

The standard library's reader is some fifty times as quick as one that keeps places. Whoever finds a fault in such a
tree reads the text again with `json_document`, which tells where it stands.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from initcli.document.tree import MAX_DIGITS, Entry, Node, Scalar
from initcli.errors import Position


class CarefulError(Exception):
    """The text is no JSON that can be read without more care."""


class QuickNode(Node):
    """A node that makes those below it whenever they are asked for, all at one `position`."""

    __slots__ = ("data",)
    data: Any

    def __init__(self, data: Any, position: Position) -> None:
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "position", position)

    @property
    def value(self) -> Scalar | tuple[Node, ...] | Mapping[str, Entry]:
        """The value, made of the plain data."""
        if isinstance(self.data, dict):
            return {key: Entry(self.position, QuickNode(each, self.position)) for key, each in self.data.items()}
        if isinstance(self.data, list):
            return tuple(QuickNode(each, self.position) for each in self.data)
        scalar: Scalar = self.data
        return scalar

    def to_data(self) -> Any:
        """Return the plain data."""
        return self.data


def read_quickly(text: str, source: str) -> Node:
    """Return the tree of JSON text that was UTF-8; every place is the whole of it, which is line 0.

    Raises:
        CarefulError: it is not JSON, or there is something in it that needs a second look.
    """
    if r"\ud" in text or r"\uD" in text:
        raise CarefulError  # perhaps half of a surrogate pair
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_int=_short_int, parse_float=_finite, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        raise CarefulError from None
    return QuickNode(data, Position(source, 0, 0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise CarefulError
    return data


@lru_cache
def _short_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise CarefulError
    return int(text)


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise CarefulError
    return value


def _refuse(text: str) -> NoReturn:
    raise CarefulError(text)
