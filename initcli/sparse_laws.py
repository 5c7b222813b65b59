"""Laws whose values are mostly zeros: a convolution's identity, and a matrix with zeros strewn into its columns."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds
from initcli.scratch import Scratch
from initcli.stream import Stream
from initcli.whole_laws import WholeTensorLaw, draw_normal


@dataclass(frozen=True)
class Dirac(ElementwiseLaw):
    """A kernel (out, in, taps…) that passes its inputs on: W[g m + d, d, taps // 2] = 1 for d < min(m, in), else 0.

    There are `groups` blocks of m = out / groups outputs; `groups` divides `out`.
    """

    shape: tuple[int, ...]
    groups: int = 1

    @property
    def promise(self) -> Promise:
        size = prod(self.shape)
        ones = self.groups * min(self.shape[0] // self.groups, self.shape[1]) if size else 0
        share = ones / max(1, size)
        return Promise(share, sqrt(share * (1 - share)), 0.0, 1.0)

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


@dataclass(frozen=True)
class Sparse(WholeTensorLaw):
    """A `rows` × `cols` matrix of N(0, nonzero_std²), with `zeros` elements of every column set to 0.

    The values come from the first rows × cols draws. The next as many, as unsigned words, choose the zeros: in every
    column, the rows of the `zeros` smallest (of equal ones, the first).
    """

    rows: int
    cols: int
    zeros: int
    nonzero_std: float = 0.01

    @property
    def share(self) -> float:
        """The share of the elements that are not set to 0."""
        return 1 - self.zeros / max(1, self.rows)

    @property
    def promise(self) -> Promise:
        return Promise(0.0, self.nonzero_std * sqrt(self.share))

    @property
    def kurtosis(self) -> float:
        return 3.0 / self.share if self.share else 3.0

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the errors for a fixed count of non-zeros: only those vary."""
        return self.std / sqrt(size), self.std / sqrt(2 * size * self.share) if self.share else 0.0

    def scales(self) -> tuple[float, ...]:
        return (self.nonzero_std,)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the float64 values, the keys, their order, room for sorting, and the rounded tensor."""
        return (8 * 4 + dtype.itemsize) * self.rows * self.cols

    def sample(self, stream: Stream, dtype: DType) -> Array:
        size = self.rows * self.cols
        values = draw_normal(stream, 0, size)
        values *= self.nonzero_std
        keys: NDArray[Any] = stream.words(size, 2 * size).reshape(self.rows, self.cols)
        zeros = np.argsort(keys, axis=0, kind="stable")[: self.zeros]
        np.put_along_axis(values.reshape(self.rows, self.cols), zeros, 0.0, axis=0)
        return values
