"""The heads of msgpack: what says of each value its kind and its length, written and read without its contents.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import mmap

_WIDTHS = (1, 2, 4, 8)
_FIRSTS = {"bin": (0xC4, 0), "ext": (0xC7, 0), "int": (0xCC, 0), "str": (0xD9, 0), "list": (0xDC, 1), "map": (0xDE, 1)}
"""Of each kind the head whose length is shortest, and the place of that width in `_WIDTHS`."""
_SHORT = {"int": (0x00, 128), "map": (0x80, 16), "list": (0x90, 16), "str": (0xA0, 32)}
"""The heads of one byte: the first, and how many there are."""
_HEADS = {
    first + place - least: (kind, _WIDTHS[place])
    for kind, (first, least) in _FIRSTS.items()
    for place in range(least, 4 if kind == "int" else 3)
}
_SKIPPED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
"""Nil, booleans, floats and negative integers: the bytes behind the first."""


def render_head(kind: str, length: int) -> bytes:
    """Return the shortest head of a value: of an integer it is the whole.

    >>> render_head("int", 300).hex(), render_head("map", 2).hex(), render_head("bin", 5).hex()
    ('cd012c', '82', 'c405')
    """
    start, count = _SHORT.get(kind, (0, 0))
    if length < count:
        return bytes([start + length])
    first, least = _FIRSTS[kind]
    place = next(place for place in range(least, 4) if length < 256 ** _WIDTHS[place])
    return bytes([first + place - least]) + length.to_bytes(_WIDTHS[place], "big")


def render_text(text: str) -> bytes:
    """Return a text."""
    data = text.encode()
    return render_head("str", len(data)) + data


def render_ext(code: int, length: int) -> bytes:
    """Return the head of an extension's value; some lengths have heads of their own.

    >>> render_ext(1, 16).hex(), render_ext(1, 17).hex()
    ('d801', 'c71101')
    """
    if length in (1, 2, 4, 8, 16):
        return bytes([0xD4 + length.bit_length() - 1, code])
    return render_head("ext", length) + bytes([code])


class Cursor:
    """A place in a file of msgpack, and what follows there."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def skip(self, count: int) -> int:
        """Pass over bytes and return where they begin."""
        start = self.at
        if count > len(self.data) - start:
            raise ValueError("it ends too early")
        self.at += count
        return start

    def uint(self, width: int) -> int:
        """Return an integer of so many bytes."""
        start = self.skip(width)
        return int.from_bytes(self.data[start : start + width], "big")

    def head(self) -> tuple[str, int]:
        """Return a value's kind and its length: of a positive integer the value, of other scalars the bytes to skip."""
        first = self.uint(1)
        for kind, (start, count) in _SHORT.items():
            if start <= first < start + count:
                return kind, first - start
        if first in _HEADS:
            kind, width = _HEADS[first]
            return kind, self.uint(width)
        if 0xD4 <= first <= 0xD8:
            return "ext", 1 << (first - 0xD4)
        if first >= 0xE0 or first in _SKIPPED:
            return "scalar", _SKIPPED.get(first, 0)
        raise ValueError(f"the byte 0x{first:02x} is no head of msgpack")

    def expect(self, kind: str) -> int:
        """Return the length of a value that must be of this kind."""
        found, length = self.head()
        if found != kind:
            raise ValueError(f"it has a {found} where a {kind} must be")
        return length

    def text(self, longest: int) -> str:
        """Return a text of at most so many bytes."""
        length = self.expect("str")
        if length > longest:
            raise ValueError(f"it has a name of {length:,} bytes")
        start = self.skip(length)
        return self.data[start : start + length].decode()
