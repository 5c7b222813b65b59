"""Laws that draw nothing and are no single value: a list, an array that broadcasts, an identity matrix repeated."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, hypot, prod, sqrt
from typing import ClassVar

import numpy as np

from initcli.dtypes import DType
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds, share_promise
from initcli.scratch import Scratch
from initcli.stream import Stream

_SUMMING = 4 * float(np.finfo(np.float64).eps)
"""How far, of the greatest value, the sums of a mean and a std may round away from the formula's."""


class ListLaw(ElementwiseLaw):
    """A law of the given `values`."""

    values: tuple[float | int | bool, ...]
    is_random: ClassVar[bool] = False

    def standard_errors(self, size: int) -> tuple[float, float]:
        greatest = _SUMMING * max(abs(float(value)) for value in self.values)
        return greatest, greatest

    def check(self, dtype: DType) -> None:
        for value in self.values:
            check_holds(dtype, value)


@dataclass(frozen=True)
class Listed(ListLaw):
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

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(self.values[-1])
        written = self.values[start : start + len(out)]
        out[: len(written)] = np.array(written, out.dtype)


@dataclass(frozen=True)
class Broadcast(ListLaw):
    """The `values`, at least one, of an array of shape `given` that broadcasts to `shape`."""

    values: tuple[float | int | bool, ...]
    given: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def promise(self) -> Promise:
        size = len(self.values)
        mean = fsum(value / size for value in self.values)
        std = hypot(*(value - mean for value in self.values)) / sqrt(size)
        return Promise(mean, std, float(min(self.values)), float(max(self.values)))

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        padded = (1,) * (len(self.shape) - len(self.given)) + self.given
        at = np.unravel_index(np.arange(start, start + len(out)), self.shape) if self.shape else ()
        source = np.zeros(len(out), np.int64)
        for i, (axis, n) in enumerate(zip(at, padded, strict=True)):
            source += axis * prod(padded[i + 1 :]) if n > 1 else 0
        out[:] = np.array(self.values, out.dtype)[source]


@dataclass(frozen=True)
class TiledEye(ElementwiseLaw):
    """A `rows` × `cols` matrix of square identities, times `gain`, side by side along the longer axis."""

    rows: int
    cols: int
    gain: float | int | bool = 1.0
    is_random: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        gain, share = float(self.gain), 1 / max(1, min(self.rows, self.cols))
        return share_promise(gain, share)

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
