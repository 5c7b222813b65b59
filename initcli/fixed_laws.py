"""Laws that draw nothing and are no single value: a list of values, and an identity matrix repeated."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, hypot, sqrt

import numpy as np

from initcli.dtypes import DType
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds
from initcli.scratch import Scratch
from initcli.stream import Stream

_SUMMING = 4 * float(np.finfo(np.float64).eps)
"""How far, of the greatest value, the sums of a mean and a std may round away from the formula's."""


@dataclass(frozen=True)
class Listed(ElementwiseLaw):
    """The `values` in order, and the last of them on to the end of the `size` elements; 1 ≤ len(values) ≤ size."""

    values: tuple[float | int | bool, ...]
    size: int

    @property
    def promise(self) -> Promise:
        rest = self.size - len(self.values) + 1
        shares = [1 / self.size] * (len(self.values) - 1) + [rest / self.size]
        mean = fsum(share * value for share, value in zip(shares, self.values, strict=True))
        std = hypot(*(sqrt(share) * (value - mean) for share, value in zip(shares, self.values, strict=True)))
        return Promise(mean, std, float(min(self.values)), float(max(self.values)))

    def standard_errors(self, size: int) -> tuple[float, float]:
        greatest = _SUMMING * max(abs(float(value)) for value in self.values)
        return greatest, greatest

    def check(self, dtype: DType) -> None:
        for value in self.values:
            check_holds(dtype, value)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(self.values[-1])
        written = self.values[start : start + len(out)]
        out[: len(written)] = np.array(written, out.dtype)


@dataclass(frozen=True)
class TiledEye(ElementwiseLaw):
    """A `rows` × `cols` matrix of square identities, times `gain`, side by side along the longer axis."""

    rows: int
    cols: int
    gain: float | int | bool = 1.0

    @property
    def promise(self) -> Promise:
        gain, share = float(self.gain), 1 / max(1, min(self.rows, self.cols))
        return Promise(gain * share, abs(gain) * sqrt(share * (1 - share)), min(0.0, gain), max(0.0, gain))

    def standard_errors(self, size: int) -> tuple[float, float]:
        return _SUMMING * abs(float(self.gain)), _SUMMING * abs(float(self.gain))

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.gain)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(0)
        if not len(out):
            return
        row, col = np.divmod(np.arange(start, start + len(out), dtype=np.int64), self.cols)
        out[(row - col) % min(self.rows, self.cols) == 0] = self.gain
