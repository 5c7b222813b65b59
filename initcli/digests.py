"""Content digests: what tensors hold, whatever the format, the order and the cut in which they are stored.

All is SHA-256; integers are unsigned, 8 bytes, little-endian; texts are UTF-8 behind their length in bytes.

    block  = SHA-256(the bytes of 262,144 consecutive elements, row-major, little-endian; the last block may be shorter)
    tensor = SHA-256("initcli/tensor-digest/1" 00 ‖ name ‖ dtype ‖ rank ‖ each dimension ‖ each block's digest)
    total  = SHA-256("initcli/digest/1" 00 ‖ the digest of each tensor, in the order of their names)

The dtype is the spec's word (`float32`, `bfloat16`), a bool is one byte, names are sorted by their UTF-8 bytes. A
scalar has rank 0, and a tensor without elements no block. Metadata is not part of it, nor are ties: of the names that
lead to the same bytes within a file the first alone counts: the first in torch's pickle, the first by name in HDF5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

TENSOR_DOMAIN = b"initcli/tensor-digest/1\0"
TOTAL_DOMAIN = b"initcli/digest/1\0"


class ContentDigest(NamedTuple):
    """The digests of tensors by name, and that of all of them, in hexadecimal."""

    tensors: dict[str, str]
    total: str


class Digester:
    """Takes the blocks of tensors, each tensor's in the order of its elements; tensors may take turns."""

    def __init__(self, tensors: Iterable[tuple[str, str, Sequence[int]]]) -> None:
        """Begin with the name, the dtype's name and the shape of each tensor."""
        self._hashes = {name: hashlib.sha256(_render_head(name, dtype, shape)) for name, dtype, shape in tensors}

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        """Take the digests of a tensor's next blocks, as `checksums.digest_blocks` makes them."""
        self._hashes[name].update(b"".join(blocks))

    def digest(self) -> ContentDigest:
        """Return the digest of all that was taken.

        >>> Digester([("empty", "float32", (0,))]).digest().total[:16]
        '76149343cf90c9ba'
        """
        total = hashlib.sha256(TOTAL_DOMAIN)
        for name in sorted(self._hashes, key=_encode):
            total.update(self._hashes[name].digest())
        return ContentDigest({name: each.hexdigest() for name, each in self._hashes.items()}, total.hexdigest())


def _render_head(name: str, dtype: str, shape: Sequence[int]) -> bytes:
    """Return what stands before a tensor's blocks."""
    texts = b"".join(_count(len(text)) + text for text in (_encode(name), _encode(dtype)))
    return TENSOR_DOMAIN + texts + b"".join(map(_count, (len(shape), *shape)))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _count(number: int) -> bytes:
    return number.to_bytes(8, "little")
