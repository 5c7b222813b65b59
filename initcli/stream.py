"""The bits of one tensor: seekable, keyed by seed and name, the same on every machine (scheme 1).

A stream is a function from an element's index to its bits. Only raw 64-bit words are taken from NumPy's PCG64DXSM:
those are covered by NumPy's stream-compatibility promise, while its samplers (`Generator.normal`) are not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import PCG64DXSM, Generator, SeedSequence
from numpy.typing import NDArray

SCHEME = 1
"""The number of this mapping from (seed, name, index) to bits. Changing a bit of it means a new number."""

_DOMAIN = b"initcli/stream/1\0"


def key_words(name: str) -> list[int]:
    """Return the eight 32-bit words that stand for a tensor's name: SHA-256 of a domain tag and the prefixed name.

    >>> len(key_words("fc1/kernel")), key_words("a") == key_words("b")
    (8, False)
    """
    text = name.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(_DOMAIN + len(text).to_bytes(8, "little") + text).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]


@dataclass(frozen=True)
class Stream:
    """The bits of the tensor called `name` under the non-negative integer `seed`."""

    seed: int
    name: str

    def words(self, start: int, stop: int) -> NDArray[np.uint64]:
        """Return the raw 64-bit words [start, stop)."""
        bits = self._bits()
        bits.advance(start)
        words: NDArray[np.uint64] = bits.random_raw(stop - start)
        return words

    def generator(self) -> Generator:
        """Return NumPy's generator over these bits from the first: its samplers may change with NumPy's version."""
        return Generator(self._bits())

    def _bits(self) -> PCG64DXSM:
        return PCG64DXSM(SeedSequence([*key_words(self.name), self.seed]))

    def draws(self, start: int, stop: int, bits: int) -> NDArray[Any]:
        """Return the signed integers k of elements [start, stop), one of `bits` (32 or 64) bits for each element.

        The element's uniform is u = (k + ½) / 2^bits in (−½, ½). At 64 bits element i is word i; at 32 bits it is the
        low (i even) or high (i odd) half of word i // 2.
        """
        if bits == 64:
            return self.words(start, stop).view(np.int64)
        first = start // 2
        halves = self.words(first, (stop + 1) // 2).astype("<u8", copy=False).view("<i4")
        return halves[start - 2 * first : stop - 2 * first]
