"""Laws: what the values of a tensor are, as distributions that promise a mean, a std and bounds.

A law that can fill any range of a tensor from the range's own draws is element-wise and stands here; one that must hold
the tensor stands in `laws.whole`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.errors import ArgumentError
from initcli.quantiles import FARTHEST_DRAW, fill_normal, fill_truncated_normal, fill_uniform, kept_normal
from initcli.scratch import Scratch
from initcli.stream import Stream
from initcli.truncation import FARTHEST, keep

Array = NDArray[Any]

STD_WITHIN_2 = 0.8796256610342398
"""The std of N(0, 1) cut at ±2: √(1 − 4φ(2) / (2Φ(2) − 1))."""


class Promise(NamedTuple):
    """What a law promises: mean, std, low ≤ value ≤ high; nan where it promises nothing, infinite where no bound is."""

    mean: float
    std: float
    low: float = -inf
    high: float = inf


def share_promise(value: float, share: float) -> Promise:
    """Return the promise of elements of which so large a share is `value`, and the others 0."""
    return Promise(value * share, abs(value) * sqrt(share * (1 - share)), min(0.0, value), max(0.0, value))


class Law(ABC):
    """A distribution of a tensor's values. A law is a frozen dataclass of its parameters."""

    is_portable: ClassVar[bool] = True
    """Whether its bits are the same on every machine."""
    is_random: ClassVar[bool] = True
    """Whether its values depend on the stream."""

    @property
    @abstractmethod
    def promise(self) -> Promise:
        """What the law promises of a tensor's values."""

    @property
    def mean(self) -> float:
        """The promised mean."""
        return self.promise.mean

    @property
    def std(self) -> float:
        """The promised standard deviation."""
        return self.promise.std

    @property
    def low(self) -> float:
        """The promised lower bound."""
        return self.promise.low

    @property
    def high(self) -> float:
        """The promised upper bound."""
        return self.promise.high

    @property
    def kurtosis(self) -> float:
        """Fourth central moment over variance²: the standard error of the observed std depends on it."""
        return 3.0

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the standard errors of the observed mean and std of `size` elements."""
        return self.std / sqrt(size), self.std * sqrt((self.kurtosis - 1) / (4 * size))

    def check(self, dtype: DType) -> None:
        """Raise `ArgumentError` if values of this law cannot be held in `dtype`."""
        if dtype.kind != "float":
            raise ArgumentError(
                f"a random law cannot fill {dtype}", "use float64, float32, float16 or bfloat16", parameter="dtype"
            )
        computed = float(np.finfo(dtype.working).max)
        held = [x for x in self.promise if isfinite(x)]
        if any(abs(x) > dtype.greatest for x in held) or not all(abs(x) <= computed for x in self.scales()):
            hint = "use smaller parameters, or a dtype that reaches farther: float32, float64"
            raise ArgumentError(f"the law's values do not fit {dtype}: {self}", hint)

    def scales(self) -> tuple[float, ...]:
        """Return the finite sizes that the law computes with."""
        return self.mean, self.std


class ElementwiseLaw(Law):
    """A law whose every element is drawn alone: any range of a tensor can be filled without the rest."""

    @abstractmethod
    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        """Fill `out`, of the working dtype, with the elements [start, start + len(out))."""


@dataclass(frozen=True)
class Constant(ElementwiseLaw):
    """Every element is `value`."""

    value: float | int | bool
    is_random: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        value = float(self.value)
        return Promise(value, 0.0, value, value)

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.value)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(self.value)


@dataclass(frozen=True)
class Eye(ElementwiseLaw):
    """A `rows` × `cols` matrix with `gain` on its main diagonal and zeros elsewhere."""

    rows: int
    cols: int
    gain: float | int | bool = 1.0
    is_random: ClassVar[bool] = False

    @property
    def promise(self) -> Promise:
        gain, share = float(self.gain), min(self.rows, self.cols) / max(1, self.rows * self.cols)
        return share_promise(gain, share)

    def standard_errors(self, size: int) -> tuple[float, float]:
        return 0.0, 0.0

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.gain)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        out.fill(0)
        step = self.cols + 1
        end = min(self.rows, self.cols) * step
        first = -(-start // step) * step
        out[first - start : max(0, end - start) : step] = self.gain


@dataclass(frozen=True)
class Uniform(ElementwiseLaw):
    """U[minval, maxval): value = middle + u (maxval − minval), kept below maxval."""

    minval: float
    maxval: float

    @property
    def promise(self) -> Promise:
        low, high = self.minval, self.maxval
        return Promise(low / 2 + high / 2, (high - low) / sqrt(12), low, high)

    @property
    def kurtosis(self) -> float:
        return 1.8

    def scales(self) -> tuple[float, ...]:
        return self.minval, self.maxval, self.maxval - self.minval

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        fill_uniform(stream.draws(start, start + len(out), 8 * out.itemsize), out, scratch)
        real = out.dtype.type
        _scale(out, self.maxval - self.minval, self.mean)
        low, high = real(self.minval), real(self.maxval)
        np.clip(out, low, max(low, np.nextafter(high, low)), out=out)


@dataclass(frozen=True)
class Normal(ElementwiseLaw):
    """N(mean, std²): value = mean + std Φ⁻¹(½ + u)."""

    mean: float = 0.0
    std: float = 1.0

    @property
    def promise(self) -> Promise:
        return Promise(self.mean, self.std)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        fill_normal(stream.draws(start, start + len(out), 8 * out.itemsize), out, scratch)
        _scale(out, self.std, self.mean)


@dataclass(frozen=True)
class TruncatedNormal(ElementwiseLaw):
    """N(uncut_mean, uncut_std²) kept within [cut_low, cut_high], by default within uncut_mean ± 2 uncut_std.

    By the inverse CDF over what is kept: value = uncut_mean + uncut_std Φ⁻¹(Φ(low) + (Φ(high) − Φ(low)) (½ + u)).
    """

    uncut_mean: float = 0.0
    uncut_std: float = 1.0
    cut_low: float | None = None
    cut_high: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "uncut_mean", float(self.uncut_mean))
        object.__setattr__(self, "uncut_std", float(self.uncut_std))  # twice a huge int would be no float

    @classmethod
    def with_std(cls, std: float) -> TruncatedNormal:
        """Return the law cut at ±2 that has the std itself: the uncut one is 1.1368 times as wide."""
        return cls(0.0, std / STD_WITHIN_2)

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval that is kept."""
        edge = 2 * self.uncut_std
        low = self.uncut_mean - edge if self.cut_low is None else self.cut_low
        high = self.uncut_mean + edge if self.cut_high is None else self.cut_high
        return low, high

    @property
    def standard_bounds(self) -> tuple[float, float]:
        """The interval in units of uncut_std, from the mean."""
        edge = 2 * self.uncut_std
        if self.uncut_std == 0 or self.bounds == (self.uncut_mean - edge, self.uncut_mean + edge):
            return -2.0, 2.0
        low, high = self.bounds
        return (low - self.uncut_mean) / self.uncut_std, (high - self.uncut_mean) / self.uncut_std

    @property
    def promise(self) -> Promise:
        low, high = self.bounds
        if self.standard_bounds == (-2.0, 2.0):
            return Promise(min(max(self.uncut_mean, low), high), self.uncut_std * STD_WITHIN_2, low, high)
        kept = keep(*self.standard_bounds)
        return Promise(self.uncut_mean + self.uncut_std * kept.mean, self.uncut_std * kept.std, low, high)

    @property
    def kurtosis(self) -> float:
        return keep(*self.standard_bounds).kurtosis

    def check(self, dtype: DType) -> None:
        super().check(dtype)
        low, high = self.standard_bounds
        if low > FARTHEST or high < -FARTHEST:
            what = f"the interval {list(self.bounds)} lies more than {FARTHEST:g} std from the mean {self.uncut_mean:g}"
            raise ArgumentError(what, "move the mean or the interval, or use a larger std")

    def scales(self) -> tuple[float, ...]:
        return self.uncut_mean, self.uncut_std, *(edge for edge in self.bounds if isfinite(edge))

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        if self.uncut_std == 0:
            out.fill(self.mean)
            return
        draws = stream.draws(start, start + len(out), 8 * out.itemsize)
        low, high = self.standard_bounds
        if (low, high) == (-2.0, 2.0):
            fill_truncated_normal(draws, out, scratch)
            _scale(out, self.uncut_std, self.uncut_mean)
        elif min(-low, high) > FARTHEST_DRAW:
            fill_normal(draws, out, scratch)
            _scale(out, self.uncut_std, self.uncut_mean)
        else:
            kept = keep(low, high)
            values = kept_normal(draws, kept.below, kept.inside, kept.above)
            _scale(values, self.uncut_std, self.uncut_mean)
            np.copyto(out, np.clip(values, *self.bounds), casting="same_kind")


def check_holds(dtype: DType, value: float | int | bool) -> None:
    """Raise `ArgumentError` if `dtype` cannot hold `value`: a fraction or an excess in an integer, a 2 in a bool."""
    if dtype.kind in ("float", "complex"):
        if isfinite(value) and abs(value) > dtype.greatest:
            raise ArgumentError(f"{value} does not fit {dtype}", "use float64 or a smaller value", parameter="dtype")
        return
    low, high = (0, 1) if dtype.kind == "bool" else (int(np.iinfo(dtype.numpy).min), int(np.iinfo(dtype.numpy).max))
    if not (isfinite(value) and value == int(value) and low <= value <= high):
        raise ArgumentError(
            f"{value} is no {dtype} value", f"{dtype} holds whole numbers from {low} to {high}", parameter="dtype"
        )


def _scale(out: Array, std: float, mean: float) -> None:
    """Turn standard values into mean + std × value, in place."""
    real = out.dtype.type
    np.multiply(out, real(std), out=out)
    if mean:
        np.add(out, real(mean), out=out)
