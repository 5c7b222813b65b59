"""The law of rows of positive values that sum to one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.laws import Array, Promise
from initcli.laws.whole import WholeTensorLaw
from initcli.stream import Stream

_LEAST, _GREATEST, _STEP = -60.0, 60.0, 1 / 16
"""Where the integral over log t is cut off, and its step: what lies outside is below 1e-24."""


def mean_square(cols: int) -> float:
    """Return E[(U₁ / (U₁ + … + U_cols))²] for independent U of U(0, 1).

    = ∫₀^∞ t a(t) b(t)^(cols − 1) dt,  a(t) = E[U² exp(−t U)],  b(t) = E[exp(−t U)]

    That is 1 / S² = ∫₀^∞ t exp(−t S) dt under the expectation; the trapezoid rule over log t.

    >>> round(mean_square(1), 12), round(2 * mean_square(2), 12)  # of two: 2 (1 − log 2)
    (1.0, 0.61370563888)
    """
    t = np.exp(np.arange(_LEAST, _GREATEST, _STEP))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    u = (nodes + 1) / 2
    near = np.exp(-np.minimum(t, 1.0)[:, None] * u) @ (weights / 2 * u * u)
    far = (2 - np.exp(-t) * (t * t + 2 * t + 2)) / t**3
    squares = np.where(t < 1, near, far)
    return float(np.sum(_STEP * t * t * squares * (-np.expm1(-t) / t) ** (cols - 1)))


@dataclass(frozen=True)
class UnitRows(WholeTensorLaw):
    """A `rows` × `cols` matrix of U(0, 1), each row divided by its sum.

    Of 32 bits each, so that a row's sum is a whole number of 2⁻³³: exact, whatever the order of adding.
    """

    rows: int
    cols: int

    @property
    def promise(self) -> Promise:
        mean = 1 / self.cols
        return Promise(mean, sqrt(max(0.0, mean_square(self.cols) - mean * mean)), 0.0, 1.0)

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return 0 for the mean, which every row has, and a bound for the std.

        The std's error is √(8 / 15) std / √size for long rows, and at most 0.84 std / √size, at three columns.
        """
        return 0.0, self.std / sqrt(size)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the words, the whole numbers, the float64 values, and the rounded tensor."""
        return (8 * 3 + dtype.itemsize) * self.rows * self.cols

    def sample(self, stream: Stream, dtype: DType) -> Array:
        size = self.rows * self.cols
        odd: NDArray[Any] = 2 * stream.draws(0, size, 32).astype(np.int64) + (2**32 + 1)
        parts = odd.reshape(self.rows, self.cols)
        values: Array = (parts / parts.sum(axis=1, dtype=np.int64)[:, None]).reshape(-1)
        return values
