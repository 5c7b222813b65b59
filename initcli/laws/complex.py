"""Laws of complex tensors: what their parts are, the real (even) and the imaginary (odd) one of each element.

A complex element takes two draws of 32 bits. Promises and statistics are those of the parts.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import exp, sqrt
from typing import ClassVar

import numpy as np

from initcli.dtypes import DTYPES, DType
from initcli.elementary import log, sine
from initcli.errors import ArgumentError
from initcli.laws import Array, ElementwiseLaw, Promise
from initcli.scratch import Scratch
from initcli.stream import Stream


class ComplexLaw(ElementwiseLaw):
    """A law that fills the parts of complex elements."""

    def check(self, dtype: DType) -> None:
        if dtype.kind != "complex":
            raise ArgumentError(f"a complex law cannot fill {dtype}", "use complex64", parameter="dtype")
        super().check(DTYPES["float32"])


@dataclass(frozen=True)
class AlikeParts(ComplexLaw):
    """Both parts follow `part`, each alone."""

    part: ElementwiseLaw

    @property
    def promise(self) -> Promise:
        return self.part.promise

    @property
    def kurtosis(self) -> float:
        return self.part.kurtosis

    def scales(self) -> tuple[float, ...]:
        return self.part.scales()

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        self.part.fill(stream, start, out, scratch)


@dataclass(frozen=True)
class RealParts(ComplexLaw):
    """The real parts are those of `real`, which draws nothing; the imaginary ones are zero."""

    real: ElementwiseLaw
    is_random: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        """The real parts' promise, mixed half and half with zeros."""
        mean, std, low, high = self.real.promise
        return Promise(mean / 2, sqrt(std**2 / 2 + mean**2 / 4), min(0.0, low), max(0.0, high))

    def standard_errors(self, size: int) -> tuple[float, float]:
        return self.real.standard_errors(size)

    def check(self, dtype: DType) -> None:
        self.real.check(dtype)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out[1::2] = 0
        values = np.empty(len(out) // 2, out.dtype)
        self.real.fill(stream, start // 2, values, scratch)
        out[::2] = values


class Isotropic(ComplexLaw):
    """Every direction alike: z = r (cos 2πv + i sin 2πv), r a function of the first draw u of (0, 1), v the second."""

    @abstractmethod
    def squared_modulus(self, u: Array) -> Array:
        """Return r² at u."""

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        draws = stream.draws(start, start + len(out), 32).astype(np.int64)
        r = np.sqrt(self.squared_modulus((draws[::2] + 0.5) / 2.0**32 + 0.5))
        angle = ((2 * draws[1::2] + 1) << 31).view(np.uint64)  # in units of 2⁻⁶⁴ turns
        whole = np.zeros_like(angle)
        out[::2] = r * sine(angle + _QUARTER, whole)
        out[1::2] = r * sine(angle, whole)


@dataclass(frozen=True)
class Disk(Isotropic):
    """Uniform over the disk of `radius`: r² = radius² u.

    Source: JAX 0.10 `_complex_uniform`, whose disk of radius √2 has E|z|² = 1.
    """

    radius: float

    @property
    def promise(self) -> Promise:
        """Each part has the variance radius² / 4."""
        return Promise(0.0, self.radius / 2, -self.radius, self.radius)

    @property
    def kurtosis(self) -> float:
        """What independent parts would have for this error of their std: var(r²) = radius⁴ / 12 = 2 (κ − 1) std⁴."""
        return 5 / 3

    def squared_modulus(self, u: Array) -> Array:
        return self.radius**2 * u


@dataclass(frozen=True)
class CutModulus(Isotropic):
    """The complex normal with E|z|² = uncut_std², kept where |z| ≤ 2 uncut_std: r² = −uncut_std² ln(1 − (1 − e⁻⁴) u).

    Source: JAX 0.10 `_complex_truncated_normal`.
    """

    uncut_std: float

    @property
    def promise(self) -> Promise:
        """Each part has half of E r² = uncut_std² (1 − 5 e⁻⁴) / (1 − e⁻⁴)."""
        return Promise(0.0, self.uncut_std * sqrt(_MEAN / 2), -2 * self.uncut_std, 2 * self.uncut_std)

    @property
    def kurtosis(self) -> float:
        """What independent parts would have for this error of their std: var(r²) = 2 (κ − 1) std⁴."""
        return 1 + 2 * (_SQUARE - _MEAN**2) / _MEAN**2

    def squared_modulus(self, u: Array) -> Array:
        return -(self.uncut_std**2) * log(1 - _KEPT * u)


_QUARTER = np.uint64(1 << 62)
"""A quarter of a turn in units of 2⁻⁶⁴: sin(angle + a quarter) = cos(angle)."""
_KEPT = 0.9816843611112658
"""1 − e⁻⁴, the share of a complex normal within twice its std."""
_MEAN = (1 - 5 * exp(-4)) / _KEPT
"""The mean of an exponential variable of rate 1 that is kept below 4."""
_SQUARE = (2 - 26 * exp(-4)) / _KEPT
"""The mean of its square."""
