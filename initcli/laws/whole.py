"""Laws that must hold the whole tensor to draw it; each tells the bytes that this takes."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import nan, prod, sqrt
from typing import Any, ClassVar

import numpy as np

from initcli.dtypes import DType
from initcli.errors import ArgumentError, locate_raised, render_raised
from initcli.laws import Array, ElementwiseLaw, Law, Normal, Promise
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


def draw_haar(stream: Stream, start: int, long: int, short: int, gain: float = 1.0) -> Array:
    """Return gain Q: Q of the sign-fixed QR of the normal `long` × `short` matrix whose draws begin at `start`."""
    q, r = np.linalg.qr(draw_normal(stream, start, start + long * short).reshape(long, short))
    q *= np.where(np.diagonal(r) < 0, -gain, gain)
    return q


class HaarLaw(WholeTensorLaw):
    """A law made of Haar matrices: its mean square is the same for every draw.

    The QR factors come from LAPACK, whose bits depend on the BLAS and the CPU.
    """

    is_portable: ClassVar[bool] = False

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the errors for uncorrelated entries of fixed mean square.

        std = √(rms² − mean²) ≈ rms (1 − mean² / 2 rms²), so a mean five errors off takes 25 rms / 2n = 5 × 2.5 rms / n.
        """
        return self.std / sqrt(size), 2.5 * self.std / size


@dataclass(frozen=True)
class Orthogonal(HaarLaw):
    """Haar-distributed orthonormal rows or columns (the fewer of the two), times `gain`."""

    rows: int
    cols: int
    gain: float = 1.0

    @property
    def promise(self) -> Promise:
        gain = abs(self.gain)
        return Promise(0.0, gain / sqrt(max(1, self.rows, self.cols)), -gain, gain)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the float64 draws, LAPACK's copy, the factors, and the rounded tensor."""
        small = min(self.rows, self.cols)
        return 8 * (4 * self.rows * self.cols + 2 * small * small) + dtype.itemsize * self.rows * self.cols

    def sample(self, stream: Stream, dtype: DType) -> Array:
        """Return Q, transposed if it is wide."""
        q = draw_haar(stream, 0, max(self.rows, self.cols), min(self.rows, self.cols), self.gain)
        return np.ascontiguousarray(q if self.rows >= self.cols else q.T).reshape(-1)


@dataclass(frozen=True)
class SingularVectors(WholeTensorLaw):
    """The left singular vectors of a `rows` × `cols` matrix of `entries`, the right ones if it is wide, times `gain`.

    Their signs are what LAPACK's SVD leaves, so that they are not Haar's.
    """

    rows: int
    cols: int
    gain: float = 1.0
    entries: ElementwiseLaw = Normal()  # noqa: RUF009  (frozen)
    is_portable: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        return self._likeness.promise

    def standard_errors(self, size: int) -> tuple[float, float]:
        return self._likeness.standard_errors(size)

    @property
    def _likeness(self) -> Orthogonal:
        """The Haar law, whose entries have the same mean square."""
        return Orthogonal(self.rows, self.cols, self.gain)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the float64 draws, LAPACK's copy and work, the factors twice, and the rounded tensor."""
        size, small = self.rows * self.cols, min(self.rows, self.cols)
        return 8 * (4 * size + 7 * small * small) + dtype.itemsize * size

    def sample(self, stream: Stream, dtype: DType) -> Array:
        matrix = np.empty(self.rows * self.cols)
        scratch = Scratch()
        for start in range(0, matrix.size, PIECE_ELEMS):
            self.entries.fill(stream, start, matrix[start : start + PIECE_ELEMS], scratch)
        left, _, right = np.linalg.svd(matrix.reshape(self.rows, self.cols), full_matrices=False)
        vectors = left if self.rows >= self.cols else right
        vectors *= self.gain
        return np.ascontiguousarray(vectors).reshape(-1)


@dataclass(frozen=True)
class ColumnsMoved(HaarLaw):
    """An orthogonal `matrix` whose columns run along `axis` of `shape`, and whose rows along all other axes."""

    matrix: Orthogonal
    shape: tuple[int, ...]
    axis: int

    @property
    def promise(self) -> Promise:
        return self.matrix.promise

    def peak_nbytes(self, dtype: DType) -> int:
        return self.matrix.peak_nbytes(dtype)  # the copy is made when LAPACK's are gone

    def sample(self, stream: Stream, dtype: DType) -> Array:
        rest = self.shape[: self.axis] + self.shape[self.axis + 1 :]
        drawn = self.matrix.sample(stream, dtype).reshape(*rest, self.shape[self.axis])
        return np.ascontiguousarray(np.moveaxis(drawn, -1, self.axis)).reshape(-1)


@dataclass(frozen=True)
class DeltaOrthogonal(HaarLaw):
    """A kernel (`taps`…, in, out) of zeros, with an orthogonal `matrix` of in × out at its centre tap, (k − 1) // 2."""

    matrix: Orthogonal
    taps: tuple[int, ...]

    @property
    def promise(self) -> Promise:
        """The matrix's bounds; its mean square, spread over all taps."""
        matrix = self.matrix.promise
        return matrix._replace(std=matrix.std / sqrt(prod(self.taps)))

    def scales(self) -> tuple[float, ...]:
        return self.matrix.scales()

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the matrix at its peak, the float64 kernel, and the rounded kernel."""
        size = prod(self.taps) * self.matrix.rows * self.matrix.cols
        return self.matrix.peak_nbytes(dtype) + (8 + dtype.itemsize) * size

    def sample(self, stream: Stream, dtype: DType) -> Array:
        kernel = np.zeros((*self.taps, self.matrix.rows, self.matrix.cols))
        centre = tuple((k - 1) // 2 for k in self.taps)
        kernel[centre] = self.matrix.sample(stream, dtype).reshape(self.matrix.rows, self.matrix.cols)
        return kernel.reshape(-1)


@dataclass(frozen=True)
class Drawn(WholeTensorLaw):
    """What a function of (shape, dtype), and of `rng` if it names that, returns: nothing is known of it beforehand.

    `name` is what errors call it.
    """

    function: Callable[..., Any]
    shape: tuple[int, ...]
    name: str = "initializer"
    is_portable: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        return Promise(nan, nan)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of what the function returns, a copy of it, and a mark of each element that is finite."""
        return (2 * dtype.itemsize + 1) * prod(self.shape)

    def check(self, dtype: DType) -> None:
        pass  # what comes back is checked when it comes

    def sample(self, stream: Stream, dtype: DType) -> Array:
        """Return what the function returns, checked for shape, dtype and values.

        Raises:
            ArgumentError: the function raised an error, or what it returned is not what it was asked for.
        """
        _ = dtype.numpy  # from here on NumPy knows its name
        wanted = {"rng": stream.generator()} if asks_for_rng(self.function) else {}
        try:
            array = np.asarray(self.function(self.shape, dtype=dtype.name, **wanted))
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            raise explain_raised(self.name, error) from error
        self._check_returned(array, dtype)
        return array.reshape(-1)

    def _check_returned(self, array: Array, dtype: DType) -> None:
        if array.shape != self.shape or array.dtype.name != dtype.name:
            raise ArgumentError(
                f"`{self.name}` returned {array.dtype.name} of shape {array.shape}, not {dtype} of shape {self.shape}",
                "return an array of the shape and dtype that it is called with",
            )
        bad = 0 if array.dtype.kind in "biu" else array.size - int(np.count_nonzero(np.isfinite(array)))
        if bad:
            what = f"`{self.name}` returned values that are not finite: {bad:,} of {array.size:,}"
            raise ArgumentError(what, f"return numbers that {dtype} can hold")


def asks_for_rng(function: Callable[..., Any]) -> bool:
    """Tell whether a function has a parameter called `rng`."""
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a builtin that has no signature
        return False


def explain_raised(name: str, error: BaseException) -> ArgumentError:
    """Return an error that a custom initializer raised as one of this program, with the line that it comes from."""
    place = locate_raised(error)
    where = f" ({place.source}:{place.line})" if place else ""
    return ArgumentError(f"`{name}` raised {render_raised(error)}{where}", "mend the custom initializer")
