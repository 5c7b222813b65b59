"""What was observed of a run of values: count, mean, spread, extremes, zeros; and how two runs make one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.scratch import Scratch


@dataclass(frozen=True)
class Moments:
    """Mergeable statistics: `m2` is the sum of squared distances from the mean, `std` divides it by the count."""

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    min: float = inf
    max: float = -inf
    zeros: int = 0

    @property
    def std(self) -> float:
        """The standard deviation of these values, √(m2 / count); nan for none."""
        return sqrt(self.m2 / self.count) if self.count else nan

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both runs together.

        mean = mean₁ + δ n₂/n,  m2 = m2₁ + m2₂ + δ² n₁n₂/n,  δ = mean₂ − mean₁

        >>> Moments(2, 1.0, 2.0, 0.0, 2.0, 1).merge(Moments(1, 4.0, 0.0, 4.0, 4.0, 0))
        Moments(count=3, mean=2.0, m2=8.0, min=0.0, max=4.0, zeros=1)

        Source: Chan, Golub & LeVeque (1979), Updating Formulae and a Pairwise Algorithm for Computing Sample Variances.
        """
        if not (self.count and other.count):
            return self if self.count else other
        count = self.count + other.count
        delta = other.mean - self.mean
        return Moments(
            count,
            self.mean + delta * (other.count / count),
            self.m2 + other.m2 + delta * delta * (self.count * (other.count / count)),
            min(self.min, other.min),
            max(self.max, other.max),
            self.zeros + other.zeros,
        )


def measure(values: NDArray[Any], near: float, scratch: Scratch) -> Moments:
    """Return the moments of float32 or float64 `values`; sums are taken round `near`, the mean that is expected.

    A float32 run should be short (a chunk): its sums are NumPy's pairwise ones, in its own precision.
    """
    count = len(values)
    if not count:
        return Moments()
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
        float(values.min()),
        float(values.max()),
        int(np.count_nonzero(is_zero)),
    )
