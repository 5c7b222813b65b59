"""Checksums of a tensor's bytes that are made piece by piece: CRC-32, and digests of blocks."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

BLOCK_ELEMS = 1 << 18
"""The elements of a block: a tensor's digest is made of those of its blocks, so that they can be made side by side."""

_POLYNOMIAL = 0xEDB88320
"""That of CRC-32, ISO 3309, its bits reversed."""


def digest_blocks(values: NDArray[Any]) -> tuple[bytes, ...]:
    """Return the SHA-256 of each block of a tensor's elements, of which the first begins a block."""
    return tuple(
        hashlib.sha256(values[start : start + BLOCK_ELEMS].tobytes()).digest()
        for start in range(0, len(values), BLOCK_ELEMS)
    )


def combine_crc32(first: int, second: int, second_nbytes: int) -> int:
    """Return the CRC-32 of two runs of bytes one behind the other, from each one's own.

    >>> import zlib
    >>> combine_crc32(zlib.crc32(b"weights, "), zlib.crc32(b"biases"), 6) == zlib.crc32(b"weights, biases")
    True

    Source: Mark Adler, zlib's `crc32_combine`: zeros behind the first are a linear map of its bits.
    """
    return _shift(first, second_nbytes) ^ second


def _shift(crc: int, nbytes: int) -> int:
    """Return the CRC register after `nbytes` of zeros."""
    power = 0
    while nbytes and crc:  # zeros behind a register of zeros leave it so
        if nbytes & 1:
            crc = _multiply(_zeros(power), crc)
        nbytes >>= 1
        power += 1
    return crc


@lru_cache(maxsize=64)
def _zeros(power: int) -> tuple[int, ...]:
    """Return the map of the register, a column for each bit, that 2^power bytes of zeros are."""
    if power == 0:
        one_bit = (_POLYNOMIAL, *(1 << bit for bit in range(31)))
        two = _square(one_bit)
        return _square(_square(two))
    return _square(_zeros(power - 1))


def _square(columns: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(_multiply(columns, column) for column in columns)


def _multiply(columns: tuple[int, ...], register: int) -> int:
    product = 0
    for column in columns:
        if register & 1:
            product ^= column
        register >>= 1
        if not register:
            break
    return product
