"""Numbers with units, as people read and write them."""

from __future__ import annotations

import re
from fractions import Fraction

from initcli.errors import ArgumentError

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
_MAX_DIGITS = 300
_PREFIXES = "kmgtpe"
FACTORS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate(_PREFIXES, 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate(_PREFIXES, 1)},
}
"""The bytes of each unit, in small letters: kB, MB, … of the SI, and KiB, MiB, … of IEC 80000-13."""


def render_nbytes(nbytes: int) -> str:
    """Return a number of bytes for people, in powers of 1000.

    >>> render_nbytes(498_000_000), render_nbytes(1_536), render_nbytes(12)
    ('498 MB', '1.54 kB', '12 B')
    """
    units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    size = float(nbytes)
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}"


def parse_nbytes(text: str) -> int:
    """Return the number of bytes that people write with a unit, or without one.

    >>> parse_nbytes("5GB"), parse_nbytes("1.5 MiB"), parse_nbytes("4096")
    (5000000000, 1572864, 4096)

    Raises:
        ArgumentError: no number, an unknown unit, a part of a byte, or nothing at all. `Gb` is unknown: it means bits.
    """
    parts = _SIZE.fullmatch(text.strip()) if len(text) <= _MAX_DIGITS else None
    if parts is None:
        raise ArgumentError(f"`{text[:40]}` is no size", _EXAMPLES)
    number, unit = parts.groups()
    factor = FACTORS.get(unit.lower())
    if factor is None or (unit.endswith("b") and unit != unit.lower()):
        raise ArgumentError(f"unknown unit `{unit[:40]}` in `{text[:40]}`", _EXAMPLES)
    nbytes = Fraction(number) * factor
    if nbytes.denominator != 1 or nbytes < 1:
        raise ArgumentError(f"`{text[:40]}` is no whole number of bytes ≥ 1", _EXAMPLES)
    return int(nbytes)


_EXAMPLES = "write `5GB` (10⁹ each), `2GiB` (2³⁰ each), `100MB` or plain bytes"
