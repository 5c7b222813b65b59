"""Laws that state each element's value by its index: interpolating kernels, identities of many axes, a forget bias."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds, share_promise
from initcli.scratch import Scratch
from initcli.stream import Stream

Indices = NDArray[np.int64]


class IndexedLaw(ElementwiseLaw):
    """A law without chance: a value for every flat index."""

    is_random: ClassVar[bool] = False

    @abstractmethod
    def values(self, index: Indices) -> Array:
        """Return the values at flat indices."""

    def standard_errors(self, size: int) -> tuple[float, float]:
        return 0.0, 0.0

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        np.copyto(out, self.values(np.arange(start, start + len(out))), casting="unsafe")


@dataclass(frozen=True)
class Interpolation(IndexedLaw):
    """A kernel (out, in, taps…) with ∏ 1 − |i − centre| / f over its taps' axes, f = ⌈K / 2⌉ for the last axis's K.

    With `is_diagonal` it is zero where out ≠ in. With `is_slanted`, which takes two axes of taps, the first one's
    index i is i + j / K, j being the second one's.
    """

    shape: tuple[int, ...]
    centre: float
    divisor: float = 1.0
    is_diagonal: bool = False
    is_slanted: bool = False

    @property
    def promise(self) -> Promise:
        if not prod(self.shape):
            return Promise(0.0, 0.0, 0.0, 0.0)
        taps = self._at_taps([axis.astype(np.float64) for axis in np.indices(self.shape[2:])])
        share = 1 / self.shape[1] if self.is_diagonal else 1.0
        mean = share * float(taps.mean())
        edges = [float(taps.min()), float(taps.max()), *([0.0] if share < 1 else [])]
        return Promise(mean, sqrt(max(0.0, share * float(np.square(taps).mean()) - mean**2)), min(edges), max(edges))

    def values(self, index: Indices) -> Array:
        outs, ins, *taps = np.unravel_index(index, self.shape)
        found = self._at_taps([axis.astype(np.float64) for axis in taps])
        return np.where(outs == ins, found, 0.0) if self.is_diagonal else found

    def _at_taps(self, taps: list[Array]) -> Array:
        """Return the values at positions along the taps' axes."""
        if self.is_slanted:
            taps = [taps[0] + taps[1] / self.shape[-1], taps[1]]
        factor = (self.shape[-1] + 1) // 2
        found = np.ones(taps[0].shape)
        for at in taps:
            found *= 1 - np.abs(at - self.centre) / factor
        return found / self.divisor


@dataclass(frozen=True)
class IdentityKernel(IndexedLaw):
    """A tensor (leading…, rows, cols) of identities times `gain`, rolled along its axes by `shift`.

    With `is_centred` there is one, at (k − 1) // 2 of every leading axis, and zeros elsewhere.
    """

    shape: tuple[int, ...]
    gain: float = 1.0
    shift: tuple[int, ...] = ()
    is_centred: bool = False

    @property
    def promise(self) -> Promise:
        *leading, rows, cols = self.shape
        matrices = 1 if self.is_centred else prod(leading)
        share = matrices * min(rows, cols) / max(1, prod(self.shape)) if all(self.shape) else 0.0
        gain = float(self.gain)
        return share_promise(gain, share)

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.gain)

    def values(self, index: Indices) -> Array:
        shift = self.shift + (0,) * (len(self.shape) - len(self.shift))
        at = np.unravel_index(index, self.shape)
        *leading, row, col = ((axis - by) % k for axis, by, k in zip(at, shift, self.shape, strict=True))
        is_one = row == col
        if self.is_centred:
            for axis, k in zip(leading, self.shape, strict=False):
                is_one &= axis == (k - 1) // 2
        return np.where(is_one, self.gain, 0)


@dataclass(frozen=True)
class ForgetBias(IndexedLaw):
    """A bias of four gates of `units` × `width` elements: `value` for the second, the forget gate, and zeros elsewhere.

    What is left of the `size` after the gates is zero too.
    """

    size: int
    value: float = 1.0
    width: int = 1

    @property
    def gate_size(self) -> int:
        """How many elements a gate has."""
        return self.size // max(1, self.width) // 4 * self.width

    @property
    def promise(self) -> Promise:
        share, value = self.gate_size / max(1, self.size), float(self.value)
        return share_promise(value, share)

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.value)

    def values(self, index: Indices) -> Array:
        return np.where((index >= self.gate_size) & (index < 2 * self.gate_size), self.value, 0)
