"""The standard normal kept within an interval: its masses and moments, to far more digits than a float64 has.

The masses decide the bytes of a tensor, so they must not depend on a C library: they are computed in decimal
arithmetic, which is the same everywhere, and rounded once. Eighty digits leave room for what cancels in intervals that
are narrow or far out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from math import inf

from initcli.elementary import PI

FARTHEST = 37.0
"""The farthest from the mean, in std, that an interval may begin: beyond it the mass leaves the range of float64."""

_DIGITS = 80


@dataclass(frozen=True)
class Kept:
    """N(0, 1) kept within [low, high]: the mass `below`, `inside` and `above`, and the moments of what is kept."""

    below: float
    inside: float
    above: float
    mean: float
    std: float
    kurtosis: float


@lru_cache(maxsize=1024)
def keep(low: float, high: float) -> Kept:
    """Return the masses and the exact moments of N(0, 1) kept within [low, high]; either may be infinite.

    mₖ = (k − 1) mₖ₋₂ + (lowᵏ⁻¹ φ(low) − highᵏ⁻¹ φ(high)) / mass

    >>> round(keep(-2.0, 2.0).std, 15)
    0.87962566103424
    >>> keep(6.0, inf).mean > 6
    True
    """
    with localcontext(Context(prec=_DIGITS)):
        below, above = _tail(-Decimal(low)), _tail(Decimal(high))
        # of the smaller pair of tails, so that nothing is lost
        inside = _tail(Decimal(low)) - above if low > 0 else _tail(-Decimal(high)) - below
        if inside <= 0:
            return Kept(float(below), 0.0, float(above), low, 0.0, 1.0)
        moment = {-1: Decimal(0), 0: Decimal(1)}
        for k in range(1, 5):
            moment[k] = (k - 1) * moment[k - 2] + (_edge(low, k - 1) - _edge(high, k - 1)) / inside
        m1, m2, m3, m4 = (moment[k] for k in range(1, 5))
        variance = m2 - m1 * m1
        fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4
        return Kept(
            float(below),
            float(inside),
            float(above),
            float(m1),
            float(variance.sqrt()) if variance > 0 else 0.0,
            float(fourth / (variance * variance)) if variance > 0 else 1.0,
        )


def _density(x: Decimal) -> Decimal:
    """Return φ(x) = exp(−x² / 2) / √(2π)."""
    return (-x * x / 2).exp() / (2 * PI).sqrt()


def _edge(x: float, power: int) -> Decimal:
    """Return xᵖ φ(x), which is 0 at the infinities."""
    if abs(x) == inf or (x == 0 and power > 0):
        return Decimal(0)
    return (Decimal(x) ** power if power else Decimal(1)) * _density(Decimal(x))


def _tail(x: Decimal) -> Decimal:
    """Return P(N(0, 1) > x).

    From 4 on by the continued fraction φ(x) / (x + 1 / (x + 2 / (x + …))); nearer by ½ − φ(x) (x + x³/3 + x⁵/15 + …).
    """
    if x.is_infinite():
        return Decimal(x < 0)
    if x < 0:
        return 1 - _tail(-x)
    if x > 4:
        fraction = x
        for k in range(600, 0, -1):
            fraction = x + k / fraction
        return _density(x) / fraction
    term = total = x
    k = 1
    while term > total.scaleb(-_DIGITS):
        k += 2
        term = term * x * x / k
        total += term
    return Decimal("0.5") - _density(x) * total
