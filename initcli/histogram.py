"""How values are spread, counted in one pass without knowing their bounds: bins whose width is a power of two.

Bin i of width 2ᵏ holds the values of [i 2ᵏ, (i + 1) 2ᵏ). Two bins of one width are exactly one of the next, so that
histograms merge without loss, in any order, and the least width that needs no more than `MAX_BINS` follows from the
extremes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 24
LEAST_EXPONENT = -1074
"""The exponent of the least float64, 2⁻¹⁰⁷⁴."""
MAX_SCALE = 1000
"""Up to here 2**-exponent is a float64."""
BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Histogram:
    """Counts of values: bin `first` + i, of width 2**`exponent`, holds `counts[i]`; the outermost are not empty."""

    exponent: int = LEAST_EXPONENT
    first: int = 0
    counts: tuple[int, ...] = ()

    @property
    def edges(self) -> list[float]:
        """The bounds of the bins, one more than there are bins."""
        return [_scale(self.first + index, self.exponent) for index in range(len(self.counts) + 1)]

    def merge(self, other: Histogram) -> Histogram:
        """Return the histogram of both.

        >>> Histogram(0, 0, (3, 1)).merge(Histogram(1, 2, (5,)))
        Histogram(exponent=1, first=0, counts=(4, 0, 5))
        """
        if not (self.counts and other.counts):
            return self if self.counts else other
        exponent = max(self.exponent, other.exponent)
        firsts = [each.first >> (exponent - each.exponent) for each in (self, other)]
        lasts = [(each.first + len(each.counts) - 1) >> (exponent - each.exponent) for each in (self, other)]
        first, last = min(firsts), max(lasts)
        doublings = _excess(first, last)
        exponent, first = exponent + doublings, first >> doublings
        counts = [0] * MAX_BINS
        for each in (self, other):
            for index, count in enumerate(each.counts):
                counts[((each.first + index) >> (exponent - each.exponent)) - first] += count
        while not counts[-1]:
            counts.pop()
        return Histogram(exponent, first, tuple(counts))


def tally(values: NDArray[Any], least: float, greatest: float) -> Histogram:
    """Return the histogram of finite float64 values that lie between `least` and `greatest`, both among them.

    >>> tally(np.array([0.0, 1.5, 2.0, 11.5]), 0.0, 11.5)
    Histogram(exponent=-1, first=0, counts=(1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
    """
    exponent = _choose_exponent(least, greatest)
    first, last = (floor(Fraction(value) / Fraction(2) ** exponent) for value in (least, greatest))
    if first == last:
        return Histogram(exponent, first, (len(values),))
    bins = _divide(values, exponent)
    np.subtract(bins, float(first), out=bins)
    return Histogram(exponent, first, tuple(np.bincount(bins.astype(np.intp), minlength=last - first + 1).tolist()))


def render_histogram(counts: Sequence[int]) -> str:
    """Return a block for each bin, as high as its share of the fullest; a blank only for an empty one.

    >>> render_histogram([1, 0, 40, 80])
    '▁ ▄█'
    """
    highest = max(counts, default=0)
    return "".join(BLOCKS[-(-count * (len(BLOCKS) - 1) // highest)] for count in counts)


def _divide(values: NDArray[Any], exponent: int) -> NDArray[Any]:
    """Return ⌊values / 2**exponent⌋; a product could lose the sign of a tiny number, but is quicker than a quotient."""
    if exponent > 0:
        quotients: NDArray[Any] = np.floor_divide(values, 2.0**exponent)
        return quotients
    scaled = values * 2.0**-exponent if exponent > -MAX_SCALE else np.ldexp(values, -exponent)
    return np.floor(scaled, out=scaled)


def _choose_exponent(least: float, greatest: float) -> int:
    """Return the exponent of the least width at which `MAX_BINS` bins reach from `least` to `greatest`."""
    spread = Fraction(greatest) - Fraction(least)
    if not spread:
        return LEAST_EXPONENT
    exponent = spread.numerator.bit_length() - spread.denominator.bit_length() - MAX_BINS.bit_length() - 1
    exponent = max(LEAST_EXPONENT, exponent)
    first, last = (floor(Fraction(value) / Fraction(2) ** exponent) for value in (least, greatest))
    return exponent + _excess(first, last)


def _excess(first: int, last: int) -> int:
    """Return how often the width must double until `MAX_BINS` bins reach from `first` to `last`."""
    doublings = 0
    while (last >> doublings) - (first >> doublings) >= MAX_BINS:
        doublings += 1
    return doublings


def _scale(index: int, exponent: int) -> float:
    """Return index 2**exponent; the bound of the outermost bin of the greatest numbers is the greatest."""
    try:
        return float(index * Fraction(2) ** exponent)
    except OverflowError:
        return float(np.copysign(np.finfo(np.float64).max, index))
