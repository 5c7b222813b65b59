"""Frequencies of position tables, to far more digits than a float64 has.

They decide the bytes of a tensor, so they are computed in decimal arithmetic, which is the same everywhere, and rounded
once: to a float64, or to the whole number of small parts of a turn that `elementary.sine` takes.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import lru_cache

from initcli.elementary import PI, TURN

Frequencies = tuple[Decimal, ...]

PRECISE = Context(prec=50)
"""The arithmetic of frequencies."""


@lru_cache(maxsize=64)
def geometric(base: float, count: int, dim: int) -> Frequencies:
    """Return the frequencies base^(−2i / dim) for i < count.

    >>> [float(f) for f in geometric(10000.0, 4, 8)]
    [1.0, 0.1, 0.01, 0.001]
    """
    with localcontext(PRECISE):
        ratio = power(Decimal(base), Decimal(-2) / dim) if count > 1 else Decimal(1)
        found = [Decimal(1)]
        while len(found) < count:
            found.append(found[-1] * ratio)
        return tuple(found[:count])


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """Return base^exponent for base > 0, by exp and ln, which decimal arithmetic rounds correctly."""
    with localcontext(PRECISE):
        return (base.ln() * exponent).exp()


def to_turns(frequency: Decimal) -> int:
    """Return a frequency in radians as turns, in units of 2⁻⁹⁶: frequency / 2π.

    >>> to_turns(Decimal(1)) / TURN
    0.15915494309189535
    """
    with localcontext(PRECISE):
        return int((frequency / (2 * PI) * TURN).to_integral_value())
