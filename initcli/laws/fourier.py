"""The kernels of a short-time Fourier transform, and the windows that are sums of cosines.

Every sine is that of a fraction of a turn, which integers reduce exactly, so that the values are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np

from initcli.dtypes import DType
from initcli.elementary import QUARTER, TURN, Words, multiply, sine, split
from initcli.laws import Array, Promise, check_holds
from initcli.laws.kernel import IndexedLaw, Indices

COSINE_SUMS: dict[str, tuple[float, ...]] = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}
"""The weights aₖ of each window: Σ (−1)ᵏ aₖ cos(2π k t / period). As in SciPy 1.17, `scipy.signal.windows`."""


def cosine_window(name: str, length: int, is_periodic: bool) -> Array:
    """Return the window of that name, whose period is its length, or one less for a symmetric one.

    >>> cosine_window("hann", 5, is_periodic=False).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if length == 1:
        return np.ones(1)
    times = np.arange(length)
    period = length if is_periodic else length - 1
    window = np.zeros(length)
    for k, weight in enumerate(COSINE_SUMS[name]):
        window += (-1) ** k * weight * cosine(k * times, period)
    return window


def cosine(part: Indices, whole: int) -> Array:
    """Return cos(2π part / whole) of whole numbers.

    >>> cosine(np.arange(5), 4).tolist()
    [1.0, 0.0, -1.0, 0.0, 1.0]
    """
    angle, rest = _turns(part, whole)
    return sine(angle + np.uint64(QUARTER >> 32), rest)


def sine_of(part: Indices, whole: int) -> Array:
    """Return sin(2π part / whole) of whole numbers."""
    return sine(*_turns(part, whole))


def _turns(part: Indices, whole: int) -> tuple[Words, Words]:
    """Return part / whole turns as `sine` takes them, quarters of a turn exactly."""
    quarters, beyond = np.divmod(4 * (part % whole), whole)
    unit = (np.array(each, np.uint64) for each in split(TURN // (4 * whole)))
    angles, rests = multiply(beyond.astype(np.uint64), *unit)
    return angles + (quarters.astype(np.uint64) << np.uint64(62)), rests


@dataclass(frozen=True)
class Fourier(IndexedLaw):
    """A kernel (time, 1, bin) of window[t] cos(−2π t f / n) / scale, n = 2 (bins − 1), or `is_imag` of the sine."""

    window: tuple[float, ...]
    bins: int
    scale: float = 1.0
    is_imag: bool = False

    @property
    def period(self) -> int:
        """The samples of the transform, n."""
        return 2 * (self.bins - 1)

    @property
    def promise(self) -> Promise:
        """By Σ_f cos(2π t f / n), which is the bins for t ≡ 0 (mod n), else 1 for even t and 0 for odd t."""
        if not self.window or not self.bins:
            return Promise(0.0, 0.0, 0.0, 0.0)
        times, size = np.arange(len(self.window)), len(self.window) * self.bins
        weights = np.array(self.window) / self.scale
        doubled = self._sum_of_cosines(2 * times)
        squares = (self.bins - doubled if self.is_imag else self.bins + doubled) / 2
        mean = fsum(weights * (self._sum_of_sines(times) if self.is_imag else self._sum_of_cosines(times))) / size
        std = sqrt(max(0.0, fsum(weights * weights * squares) / size - mean**2))
        edges = np.array([edge * self.window / self.scale for edge in self._edges(times)])
        return Promise(mean, std, float(edges.min()), float(edges.max()))

    def _sum_of_cosines(self, times: Indices) -> Array:
        return np.where(times % self.period == 0, self.bins, 1 - times % 2).astype(np.float64)

    def _sum_of_sines(self, times: Indices) -> Array:
        """Return Σ_f −sin(2π t f / n): −cot(π t / n) for odd t, else 0."""
        odd = np.where(times % 2, times, 1)
        cotangent = cosine(odd, 2 * self.period) / sine_of(odd, 2 * self.period)
        return np.where(times % 2, -cotangent, 0.0)

    def _edges(self, times: Indices) -> tuple[Array, Array]:
        """Return the least and the greatest cosine of each time, or ± the greatest modulus of its sines.

        The angles of a time are the multiples of gcd(t, n) / n turns; one of those nearest to where the extreme lies.
        """
        step = np.gcd(times, self.period)
        count = self.period // step
        if not self.is_imag:
            return cosine(count // 2 * step, self.period), np.ones(len(times))
        greatest = np.maximum(*(sine_of((count // 4 + i) * step, self.period) for i in (0, 1)))
        return -greatest, greatest

    def check(self, dtype: DType) -> None:
        check_holds(dtype, 0.5)

    def values(self, index: Indices) -> Array:
        time, bin_ = np.divmod(index, self.bins)
        part = time % self.period * bin_
        found = -sine_of(part, self.period) if self.is_imag else cosine(part, self.period)
        found *= np.array(self.window)[time]
        found /= self.scale
        return found
