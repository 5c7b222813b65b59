"""Laws whose values are mostly zeros: a convolution's identity, and normal values with zeros strewn among them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import hypot, prod, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.laws import Array, ElementwiseLaw, Law, Normal, Promise, check_holds, share_promise
from initcli.laws.whole import WholeTensorLaw, draw_normal
from initcli.scratch import Scratch
from initcli.stream import Stream


@dataclass(frozen=True)
class Dirac(ElementwiseLaw):
    """A kernel (out, in, taps…) that passes its inputs on: W[g m + d, d, taps // 2] = 1 for d < min(m, in), else 0.

    There are `groups` blocks of m = out / groups outputs; `groups` divides `out`.
    """

    shape: tuple[int, ...]
    groups: int = 1
    is_random: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        size = prod(self.shape)
        ones = self.groups * min(self.shape[0] // self.groups, self.shape[1]) if size else 0
        share = ones / max(1, size)
        return share_promise(1.0, share)

    def standard_errors(self, size: int) -> tuple[float, float]:
        return 0.0, 0.0

    def check(self, dtype: DType) -> None:
        check_holds(dtype, 1)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(0)
        if not len(out):
            return
        outputs, inputs, *taps = self.shape
        field = prod(taps)
        row_size = inputs * field
        centre = 0
        for n in taps:
            centre = centre * n + n // 2
        row = np.arange(start // row_size, -(-(start + len(out)) // row_size), dtype=np.int64)
        channel = row % (outputs // self.groups)
        at = (row * row_size + channel * field + centre - start)[channel < inputs]
        out[at[(at >= 0) & (at < len(out))]] = 1


def strewn_moments(mean: float, std: float, share: float) -> tuple[float, float, float]:
    """Return mean, std and kurtosis of what is N(mean, std²) with the chance `share`, and else 0.

    >>> strewn_moments(0.0, 2.0, 0.25)
    (0.0, 1.0, 12.0)
    """
    above, below = mean * (1 - share), mean * share
    spread = hypot(std, mean * sqrt(1 - share)) * sqrt(share)
    fourth = share * (3 * std**4 + 6 * (std * above) ** 2 + above**4) + (1 - share) * below**4
    return below, spread, fourth / spread**4 if spread**4 else 3.0


class StrewnLaw(Law):
    """N(nonzero_mean, nonzero_std²) for a share of the elements, and 0 for the others."""

    nonzero_mean: float
    nonzero_std: float

    @property
    @abstractmethod
    def share(self) -> float:
        """The share of the elements that are not set to 0."""

    @property
    def promise(self) -> Promise:
        return Promise(*strewn_moments(self.nonzero_mean, self.nonzero_std, self.share)[:2])

    @property
    def kurtosis(self) -> float:
        return strewn_moments(self.nonzero_mean, self.nonzero_std, self.share)[2]

    def scales(self) -> tuple[float, ...]:
        return self.nonzero_mean, self.nonzero_std


@dataclass(frozen=True)
class Sparse(StrewnLaw, WholeTensorLaw):
    """A `rows` × `cols` matrix of N(nonzero_mean, nonzero_std²), with `zeros` elements of every column set to 0.

    The values come from the first rows × cols draws. The next as many, as unsigned words, choose the zeros: in every
    column, the rows of the `zeros` smallest (of equal ones, the first). With `is_by_row` that holds for every row.
    """

    rows: int
    cols: int
    zeros: int
    nonzero_std: float = 0.01
    nonzero_mean: float = 0.0
    is_by_row: bool = False

    @property
    def share(self) -> float:
        return 1 - self.zeros / max(1, self.cols if self.is_by_row else self.rows)

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the errors for a fixed count of non-zeros m + s z: only z varies.

        The mean moves by share s z̄; the variance by share (2 m s (1 − share) z̄ + s² (z² − 1)‾).
        """
        deviation = self.nonzero_std * sqrt(self.share / size)
        slope = hypot(2 * self.nonzero_mean * (1 - self.share), sqrt(2) * self.nonzero_std)
        return deviation, deviation * slope / (2 * self.std) if self.std else 0.0

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the float64 values, the keys, their order, room for sorting, and the rounded tensor."""
        return (8 * 4 + dtype.itemsize) * self.rows * self.cols

    def sample(self, stream: Stream, dtype: DType) -> Array:
        size, axis = self.rows * self.cols, int(self.is_by_row)
        values = draw_normal(stream, 0, size)
        values *= self.nonzero_std
        if self.nonzero_mean:
            values += self.nonzero_mean
        keys: NDArray[Any] = stream.words(size, 2 * size).reshape(self.rows, self.cols)
        zeros = np.argsort(keys, axis=axis, kind="stable")
        chosen = zeros[:, : self.zeros] if self.is_by_row else zeros[: self.zeros]
        np.put_along_axis(values.reshape(self.rows, self.cols), chosen, 0.0, axis=axis)
        return values


@dataclass(frozen=True)
class Masked(StrewnLaw, ElementwiseLaw):
    """N(nonzero_mean, nonzero_std²) for each of the `size` elements with the chance `chance`, and else 0.

    Element i's value comes from draw i, its mask from draw size + i: it stays if that is among the lowest.
    """

    size: int
    chance: float
    nonzero_mean: float = 0.0
    nonzero_std: float = 1.0

    @property
    def share(self) -> float:
        return self.chance

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        Normal(self.nonzero_mean, self.nonzero_std).fill(stream, start, out, scratch)
        bits = 8 * out.itemsize
        mask = stream.draws(self.size + start, self.size + start + len(out), bits)
        lowest = round(self.chance * 2**bits)
        if lowest < 2**bits:
            out[mask >= lowest - 2 ** (bits - 1)] = 0
