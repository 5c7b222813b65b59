"""What was observed of a run of values: count, mean, spread, extremes, zeros; and how two runs make one.

What is not finite is counted and kept out of all other figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.scratch import Scratch

SQUARED = {4: (2.0**-50, 2.0**50), 8: (2.0**-400, 2.0**480)}
"""By the bytes of a float: distances whose squares, and sums of these, neither overflow nor lose digits below."""


@dataclass(frozen=True)
class Moments:
    """Mergeable statistics of the `count` finite values: `m2` is the sum of squared distances from the mean.

    The mean and m2 are nan where squares leave float64. Beside the finite values stand so many `nans` and `infs`.
    """

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    min: float = inf
    max: float = -inf
    zeros: int = 0
    nans: int = 0
    infs: int = 0

    @property
    def size(self) -> int:
        """The count of all values."""
        return self.count + self.nans + self.infs

    @property
    def std(self) -> float:
        """The standard deviation of the finite values, √(m2 / count); nan for none."""
        return sqrt(self.m2 / self.count) if self.count else nan

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both runs together.

        mean = mean₁ + δ n₂/n,  m2 = m2₁ + m2₂ + δ² n₁n₂/n,  δ = mean₂ − mean₁

        >>> Moments(2, 1.0, 2.0, 0.0, 2.0, 1).merge(Moments(1, 4.0, 0.0, 4.0, 4.0, 0, infs=2))
        Moments(count=3, mean=2.0, m2=8.0, min=0.0, max=4.0, zeros=1, nans=0, infs=2)

        Source: Chan, Golub & LeVeque (1979), Updating Formulae and a Pairwise Algorithm for Computing Sample Variances.
        """
        nans, infs = self.nans + other.nans, self.infs + other.infs
        if not (self.count and other.count):
            return replace(self if self.count else other, nans=nans, infs=infs)
        count = self.count + other.count
        delta = other.mean - self.mean
        return Moments(
            count,
            self.mean + delta * (other.count / count),
            self.m2 + other.m2 + delta * delta * (self.count * (other.count / count)),
            min(self.min, other.min),
            max(self.max, other.max),
            self.zeros + other.zeros,
            nans,
            infs,
        )


def measure(values: NDArray[Any], near: float, scratch: Scratch) -> Moments:
    """Return the moments of float32 or float64 `values`; sums are taken round `near`, the mean that is expected.

    A float32 run should be short (a chunk): its sums are NumPy's pairwise ones, in its own precision, unless that
    would not bear the squares.
    """
    count = len(values)
    if not count:
        return Moments()
    low, high = float(values.min()), float(values.max())
    if not (isfinite(low) and isfinite(high)):
        finite, nans, infs = keep_finite(values)
        return replace(measure(finite, near, scratch), nans=nans, infs=infs)
    least, greatest = SQUARED[values.itemsize]
    reach = max(abs(low - near), abs(high - near))
    if reach and not least <= reach <= greatest:
        if values.itemsize < np.float64().itemsize:
            return measure(values.astype(np.float64), near, scratch)
        return Moments(count, nan, nan, low, high, int(np.count_nonzero(values == 0)))
    distance, squared, is_zero = scratch.take(count, values.dtype, values.dtype, np.bool_)
    centre = values.dtype.type(near)
    if centre:
        np.subtract(values, centre, out=distance)
    else:
        distance = values
    np.multiply(distance, distance, out=squared)
    np.equal(values, 0, out=is_zero)
    shift = float(distance.sum()) / count
    return Moments(
        count,
        float(centre) + shift,
        max(0.0, float(squared.sum()) - count * shift * shift),
        low,
        high,
        int(np.count_nonzero(is_zero)),
    )


def keep_finite(values: NDArray[Any]) -> tuple[NDArray[Any], int, int]:
    """Return the finite values, how many are nan, and how many infinite.

    >>> keep_finite(np.array([1.0, np.nan, -np.inf]))
    (array([1.]), 1, 1)
    """
    finite = values[np.isfinite(values)]
    nans = int(np.count_nonzero(np.isnan(values)))
    return finite, nans, len(values) - len(finite) - nans


def plain(value: float) -> float | None:
    """Return a number that JSON can hold: None for nan and the infinities."""
    return value if isfinite(value) else None
