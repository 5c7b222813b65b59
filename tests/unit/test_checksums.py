"""Checksums made of pieces are those of the whole."""

import hashlib
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from initcli.checksums import BLOCK_ELEMS, combine_crc32, digest_blocks


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_crc_of_two_runs_is_that_of_both_together(first: bytes, second: bytes) -> None:
    """zlib says what it is; an empty run changes nothing."""
    assert combine_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


def test_long_runs_of_zeros_cost_nothing() -> None:
    """Ten million zeros behind a byte, by 24 squarings."""
    zeros = bytes(10_000_000)

    assert combine_crc32(zlib.crc32(b"x"), zlib.crc32(zeros), len(zeros)) == zlib.crc32(b"x" + zeros)


def test_blocks_are_digested_one_by_one() -> None:
    """The last may be short, and nothing has no blocks."""
    values = np.arange(BLOCK_ELEMS + 3, dtype="<f4")

    assert digest_blocks(values) == (
        hashlib.sha256(values[:BLOCK_ELEMS].tobytes()).digest(),
        hashlib.sha256(values[BLOCK_ELEMS:].tobytes()).digest(),
    )
    assert digest_blocks(values[:0]) == ()
