"""Laws that must hold the whole tensor to draw it; each tells the bytes that this takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import nan, prod, sqrt
from typing import Any, ClassVar

import numpy as np

from initcli.dtypes import DType
from initcli.errors import ArgumentError
from initcli.laws import Array, Law, Promise
from initcli.quantiles import fill_normal
from initcli.scratch import Scratch
from initcli.stream import Stream

PIECE_ELEMS = 1 << 16
"""Elements that are drawn at once: what a piece needs for a while is small beside the tensor."""


class WholeTensorLaw(Law):
    """A law that draws all elements of a tensor together."""

    @abstractmethod
    def sample(self, stream: Stream, dtype: DType) -> Array:
        """Return all elements, flat, in the precision that they were computed in."""

    @abstractmethod
    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes that drawing holds at its peak."""


def draw_normal(stream: Stream, start: int, stop: int) -> Array:
    """Return float64 standard normals of the 64-bit draws [start, stop), made piece by piece: only the array grows."""
    values = np.empty(stop - start, np.float64)
    scratch = Scratch()
    for i in range(0, stop - start, PIECE_ELEMS):
        part = values[i : i + PIECE_ELEMS]
        fill_normal(stream.draws(start + i, start + i + len(part), 64), part, scratch)
    return values


@dataclass(frozen=True)
class Orthogonal(WholeTensorLaw):
    """Haar-distributed orthonormal rows or columns (the fewer of the two), times `gain`.

    The QR factors come from LAPACK, whose bits depend on the BLAS and the CPU.
    """

    rows: int
    cols: int
    gain: float = 1.0
    is_portable: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        gain = abs(self.gain)
        return Promise(0.0, gain / sqrt(max(1, self.rows, self.cols)), -gain, gain)

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the errors for uncorrelated entries of fixed mean square.

        std = √(rms² − mean²) ≈ rms (1 − mean² / 2 rms²), so a mean five errors off takes 25 rms / 2n = 5 × 2.5 rms / n.
        """
        return self.std / sqrt(size), 2.5 * self.std / size

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the float64 draws, LAPACK's copy, the factors, and the rounded tensor."""
        small = min(self.rows, self.cols)
        return 8 * (4 * self.rows * self.cols + 2 * small * small) + dtype.itemsize * self.rows * self.cols

    def sample(self, stream: Stream, dtype: DType) -> Array:
        """Return Q of the sign-fixed QR of a normal matrix, transposed if it is wide."""
        long, short = max(self.rows, self.cols), min(self.rows, self.cols)
        q, r = np.linalg.qr(draw_normal(stream, 0, long * short).reshape(long, short))
        q *= np.where(np.diagonal(r) < 0, -self.gain, self.gain)
        return np.ascontiguousarray(q if self.rows >= self.cols else q.T).reshape(-1)


@dataclass(frozen=True)
class Drawn(WholeTensorLaw):
    """What a function of (shape, dtype) returns: nothing is known of it beforehand."""

    function: Callable[..., Any]
    shape: tuple[int, ...]
    is_portable: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        return Promise(nan, nan)

    def peak_nbytes(self, dtype: DType) -> int:
        return 2 * dtype.itemsize * prod(self.shape)

    def check(self, dtype: DType) -> None:
        pass  # what comes back is checked when it comes

    def sample(self, stream: Stream, dtype: DType) -> Array:
        """Return what the function returns, checked for shape and dtype."""
        array = np.asarray(self.function(self.shape, dtype=dtype.name))
        if array.shape != self.shape or array.dtype.name != dtype.name:
            raise ArgumentError(
                f"the initializer returned {array.dtype.name} of shape {array.shape}, "
                f"not {dtype} of shape {self.shape}",
                "return an array of the shape and dtype that it is called with",
            )
        return array.reshape(-1)
