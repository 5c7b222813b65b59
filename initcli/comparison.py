"""Two sides beside each other: the same tensors, and the same values, or what differs, counted and placed.

Nothing here reads a file: `pair_up` takes two lists of tensors, `contrast_values` and `contrast_bits` two runs of
elements, and the contrasts of a tensor's runs merge in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initcli.formats import Entry


class Verdict(StrEnum):
    """How a tensor's two sides compare: `ROUNDING` is other bits that are as close as was asked."""

    EQUAL = "equal"
    ROUNDING = "rounding"
    VALUES = "values"
    DTYPE = "dtype"
    SHAPE = "shape"
    ONLY_A = "only_a"
    ONLY_B = "only_b"

    @property
    def is_same(self) -> bool:
        """Whether nothing is wrong."""
        return self in (Verdict.EQUAL, Verdict.ROUNDING)


class Sample(NamedTuple):
    """One element of a flat tensor on both sides, and its number."""

    number: int
    a: Any
    b: Any


@dataclass(frozen=True)
class Contrast:
    """How the elements of two runs differ.

    `unequal` are not the same, `beyond` differ by more than is allowed, of which `first` is the first. `max_abs` is the
    greatest |a − b| and `max_rel` the greatest |a − b| / max(|a|, |b|) of those that are not the same; infinite if one
    of the two is not finite.
    """

    unequal: int = 0
    beyond: int = 0
    first: Sample | None = None
    max_abs: float = 0.0
    max_rel: float = 0.0

    def merge(self, other: Contrast) -> Contrast:
        """Return the contrast of both runs, of which `other` comes later.

        >>> Contrast(2, 1, Sample(3, 0.0, 1.0), 1.0, 1.0).merge(Contrast(1, 0, None, 2.0, 0.5))
        Contrast(unequal=3, beyond=1, first=Sample(number=3, a=0.0, b=1.0), max_abs=2.0, max_rel=1.0)
        """
        return Contrast(
            self.unequal + other.unequal,
            self.beyond + other.beyond,
            self.first or other.first,
            max(self.max_abs, other.max_abs),
            max(self.max_rel, other.max_rel),
        )


SAME = Contrast()


@dataclass(frozen=True)
class Pair:
    """One tensor on the sides `a` and `b`, of which one may lack it, and the contrast of its values."""

    name: str
    a: Entry | None
    b: Entry | None
    contrast: Contrast = SAME

    @property
    def verdict(self) -> Verdict:
        """What there is to say of it first."""
        if self.a is None:
            return Verdict.ONLY_B
        if self.b is None:
            return Verdict.ONLY_A
        if self.a.shape != self.b.shape:
            return Verdict.SHAPE
        if self.a.dtype != self.b.dtype:
            return Verdict.DTYPE
        if self.contrast.beyond:
            return Verdict.VALUES
        return Verdict.ROUNDING if self.contrast.unequal else Verdict.EQUAL

    def contrasted(self, contrast: Contrast) -> Pair:
        """Return it with the contrast of one more run."""
        return replace(self, contrast=self.contrast.merge(contrast))


class Tolerance(NamedTuple):
    """What is close enough: |a − b| ≤ atol + rtol · max(|a|, |b|), which is the same seen from either side."""

    atol: float = 0.0
    rtol: float = 0.0


def pair_up(a: Iterable[Entry], b: Iterable[Entry]) -> dict[str, Pair]:
    """Return the tensors of two sides by name: those of `a` in its order, then what only `b` has."""
    left, right = ({entry.name: entry for entry in entries} for entries in (a, b))
    return {name: Pair(name, left.get(name), right.get(name)) for name in {**left, **right}}


def contrast_values(a: NDArray[Any], b: NDArray[Any], start: int, tolerance: Tolerance) -> Contrast:
    """Return how two runs of elements differ in value, from element `start` on: nan is as nan, and −0 is as 0."""
    if a.dtype == b.dtype and _has_same_bits(a, b):
        return SAME
    left, right = _widen(a, b)
    unequal = ~((left == right) | ((left != left) & (right != right)))
    return _contrast(a, b, start, unequal, tolerance)


def contrast_bits(a: NDArray[Any], b: NDArray[Any], start: int, tolerance: Tolerance | None = None) -> Contrast:
    """Return how two runs of one dtype differ in their bits; with a `tolerance` what is close is not beyond."""
    if _has_same_bits(a, b):
        return SAME
    left, right = (each.view(np.uint8).reshape(len(each), -1) for each in (a, b))
    unequal: NDArray[Any] = np.any(left != right, axis=1)
    found = _contrast(a, b, start, unequal, tolerance or Tolerance())
    return found if tolerance else replace(found, beyond=found.unequal, first=_first(a, b, start, unequal))


def _contrast(a: NDArray[Any], b: NDArray[Any], start: int, unequal: NDArray[Any], tolerance: Tolerance) -> Contrast:
    """Return the contrast of two runs whose `unequal` elements are known."""
    if not unequal.any():
        return SAME
    distance, scale = _measure(*_widen(a[unequal], b[unequal]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        allowed = np.isfinite(distance) & (distance <= tolerance.atol + tolerance.rtol * scale)
        relative = np.where(np.isfinite(distance), distance / scale, np.inf)
    beyond = unequal.copy()
    beyond[unequal] = ~allowed
    greatest = float(distance.max()), float(np.nan_to_num(relative, nan=0.0, posinf=np.inf).max())
    return Contrast(int(unequal.sum()), int(beyond.sum()), _first(a, b, start, beyond), *greatest)


def _first(a: NDArray[Any], b: NDArray[Any], start: int, wanted: NDArray[Any]) -> Sample | None:
    """Return the first element that is wanted."""
    place = int(wanted.argmax())
    return Sample(start + place, a[place], b[place]) if wanted[place] else None


def _has_same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(np.array_equal(a.view(np.uint8), b.view(np.uint8)))


def _widen(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both in a type that holds either exactly; integers of 64 bits beside floats come as near as float64."""
    if a.dtype == b.dtype and a.dtype.kind in "iu":
        return a, b
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    return a.astype(wide), b.astype(wide)


def _measure(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return |a − b| and max(|a|, |b|) as float64; infinite and nan distances are infinite."""
    real = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        if a.dtype.kind in "iu":  # the difference of 64-bit integers is whole, and as unsigned it cannot overflow
            size = np.dtype(f"u{a.dtype.itemsize}")
            distance = np.where(a > b, a.view(size) - b.view(size), b.view(size) - a.view(size)).astype(np.float64)
        else:
            distance = np.abs(a - b)
        distance = np.where(np.isnan(distance), np.inf, distance)
        return distance, np.maximum(np.abs(a.astype(real)), np.abs(b.astype(real)))
