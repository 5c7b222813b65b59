"""The wire format of protobuf: fields of a message one after the other, each a number, a kind of value, and the value.

What a field means is known to those who know the message. Fields are written with the least bytes, as protobuf's own
libraries do.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The kinds of values; 3 and 4, groups, are of old and stand in no message that is read here."""
MAX_VARINT_NBYTES = 10
PIECE_NBYTES = 1 << 20
"""How much of packed numbers is decoded at once."""
_FIXED_NBYTES = {FIXED64: 8, FIXED32: 4}


def render_varint(number: int) -> bytes:
    """Return a number from 0 on, seven bits to a byte, the least first.

    >>> render_varint(5).hex(), render_varint(300).hex()
    ('05', 'ac02')
    """
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def render_int(field: int, number: int) -> bytes:
    """Return a field that holds a number from 0 on.

    >>> render_int(2, 300).hex()
    '10ac02'
    """
    return render_varint(field << 3 | VARINT) + render_varint(number)


def render_bytes(field: int, data: bytes) -> bytes:
    """Return a field that holds bytes, or a message.

    >>> render_bytes(7, b"hi").hex()
    '3a026869'
    """
    return render_varint(field << 3 | BYTES) + render_varint(len(data)) + data


def render_text(field: int, text: str) -> bytes:
    """Return a field that holds a text."""
    return render_bytes(field, text.encode())


def map_file(path: Path) -> mmap.mmap | bytes:
    """Return a file, mapped into memory if there is anything in it."""
    with path.open("rb") as file:
        return b"" if not os.fstat(file.fileno()).st_size else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class Field(NamedTuple):
    """A field of a message: its `number`, its `kind`, its `value` if that is a varint, else the bytes [start, stop)."""

    number: int
    kind: int
    value: int
    start: int
    stop: int


class Wire:
    """The bytes of a file of messages, of which at most so many numbers, and bytes of text, are read in all.

    A field begins with a number, and most have a second one, so this bounds the fields too.
    """

    def __init__(self, data: mmap.mmap | bytes, most_numbers: int, most_text_nbytes: int) -> None:
        self.data = data
        self.most_numbers, self.most_text_nbytes = most_numbers, most_text_nbytes
        self._numbers = self._text_nbytes = 0

    def fields(self, start: int, stop: int) -> Iterator[Field]:
        """Yield the fields of the message in the bytes [start, stop).

        Raises:
            ValueError: it ends within a field, has one that cannot be, or there are too many.
        """
        at = start
        while at < stop:
            tag, at = self._read_varint(at, stop)
            number, kind = tag >> 3, tag & 7
            if not 0 < number < 2**29:
                raise ValueError(f"it has a field of the number {number}")
            value = length = 0
            if kind == VARINT:
                value, at = self._read_varint(at, stop)
            elif kind == BYTES:
                length, at = self._read_varint(at, stop)
            elif kind in _FIXED_NBYTES:
                length = _FIXED_NBYTES[kind]
            else:
                raise ValueError(f"it has a field of the unknown kind {kind}")
            if length > stop - at:
                raise ValueError(f"a field claims {length:,} bytes, and there are {stop - at:,}")
            yield Field(number, kind, value, at, at + length)
            at += length

    def numbers(self, field: Field) -> Iterator[int]:
        """Yield the numbers of one occurrence of a repeated field: one, or many that are packed."""
        if field.kind == VARINT:
            yield field.value
        at = field.start
        while at < field.stop:
            number, at = self._read_varint(at, field.stop)
            yield number

    def text(self, field: Field) -> str:
        """Return a text."""
        self._text_nbytes += field.stop - field.start
        if self._text_nbytes > self.most_text_nbytes:
            raise ValueError(f"its texts pass {self.most_text_nbytes:,} bytes")
        return self.data[field.start : field.stop].decode()

    def _read_varint(self, at: int, stop: int) -> tuple[int, int]:
        """Return the number at a place, and the place behind it."""
        self._numbers += 1
        if self._numbers > self.most_numbers:
            raise ValueError(f"it has more than {self.most_numbers:,} numbers")
        number = 0
        for shift in range(0, 7 * MAX_VARINT_NBYTES, 7):
            if at >= stop:
                raise ValueError("it ends within a number")
            byte = self.data[at]
            at += 1
            if byte < 0x80:
                return (number | byte << shift) & (2**64 - 1), at
            number |= (byte & 0x7F) << shift
        raise ValueError(f"it has a number of more than {MAX_VARINT_NBYTES} bytes")


def decode_varints(data: mmap.mmap | bytes, start: int, stop: int) -> Iterator[NDArray[Any]]:
    """Yield the packed varints in the bytes [start, stop) as uint64, piece by piece; of a negative number 2⁶⁴ more.

    >>> [piece.tolist() for piece in decode_varints(bytes.fromhex("05ac02"), 0, 3)]
    [[5, 300]]

    Raises:
        ValueError: the last one does not end, or one is longer than any can be.
    """
    while start < stop:
        stored = np.frombuffer(data[start : min(start + PIECE_NBYTES, stop)], np.uint8)
        ends = np.flatnonzero(stored < 0x80) + 1
        if not len(ends):
            raise ValueError("its values end within a number")
        begins = np.concatenate(([0], ends[:-1]))
        lengths = ends - begins
        if (longest := int(lengths.max())) > MAX_VARINT_NBYTES:
            raise ValueError(f"it has a number of more than {MAX_VARINT_NBYTES} bytes")
        numbers = np.zeros(len(ends), np.uint64)
        for place in range(longest):
            longer = lengths > place
            part = (stored[begins[longer] + place] & 0x7F).astype(np.uint64)
            numbers[longer] |= part << np.uint64(7 * place)
        yield numbers
        start += int(ends[-1])
