"""Sizes as people write them, read to the byte."""

from __future__ import annotations

import pytest

from initcli.errors import InitcliError
from initcli.units import parse_nbytes


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        ("5GB", 5 * 10**9),
        ("100MB", 10**8),
        ("2GiB", 2 * 2**30),
        ("1", 1),
        ("4096", 4096),
        ("12B", 12),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("3 MiB", 3 * 2**20),
        ("1.5GB", 1_500_000_000),
        ("0.001kB", 1),
        ("1.1TB", 1_100_000_000_000),
        ("2tib", 2 * 2**40),
        (" 5gb ", 5 * 10**9),
        ("1EiB", 2**60),
    ],
)
def test_a_size_is_its_number_times_its_unit_exactly(text, nbytes):
    """Powers of 1000 for kB, MB and so on, of 1024 for KiB, MiB and so on; nothing is rounded."""
    assert parse_nbytes(text) == nbytes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no size"),
        ("GB", "is no size"),
        ("-5GB", "is no size"),
        ("1e9", "is no size"),
        ("5,5GB", "is no size"),
        ("٥GB", "is no size"),
        ("nan", "is no size"),
        ("9" * 400, "is no size"),
        ("5GBs", "unknown unit `GBs`"),
        ("5G", "unknown unit `G`"),
        ("5Gb", "unknown unit `Gb`"),
        ("5MIb", "unknown unit `MIb`"),
        ("0", "is no whole number of bytes ≥ 1"),
        ("0GB", "is no whole number of bytes ≥ 1"),
        ("1.5", "is no whole number of bytes ≥ 1"),
        ("0.0001kB", "is no whole number of bytes ≥ 1"),
    ],
)
def test_what_is_no_size_is_refused_with_examples(text, words):
    """A sign, an exponent, a unit of bits, a part of a byte, nothing: each says what it is, and how sizes look."""
    with pytest.raises(InitcliError, match=words) as error:
        parse_nbytes(text)

    assert "`5GB`" in error.value.faults[0].hint
