"""Laws of tables: a part of a Hadamard matrix, sines and cosines of positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import fsum, ldexp, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from initcli.dtypes import DType
from initcli.elementary import QUARTER, TURN, Floats, Words, multiply, sine, split
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds
from initcli.laws.kernel import IndexedLaw, Indices
from initcli.scratch import Scratch
from initcli.stream import Stream

_SUMMING = 4 * float(np.finfo(np.float64).eps)
"""How far, of the greatest value, the sums of a mean and a std may round away from the formula's."""

_IN_CACHE = 16384
"""How many elements of a table to make at once: the arrays that it takes then stay in cache, twice as fast."""


@dataclass(frozen=True)
class PartialHadamard(IndexedLaw):
    """The first `rows` and `cols` of Sylvester's Hadamard matrix of 2^power rows, divided by √2^power.

    W[i, j] = (−1)^b / √2^power, b the number of bits that i and j share
    """

    rows: int
    cols: int
    power: int

    @property
    def scale(self) -> float:
        """The size of every value."""
        return sqrt(ldexp(1.0, -self.power))

    @property
    def promise(self) -> Promise:
        share = _sum_of_signs(self.rows, self.cols) / max(1, self.rows * self.cols)
        return Promise(self.scale * share, self.scale * sqrt(1 - share * share), -self.scale, self.scale)

    def check(self, dtype: DType) -> None:
        check_holds(dtype, self.scale)

    def values(self, index: Indices) -> Array:
        row, col = np.divmod(index, self.cols)
        return np.where(np.bitwise_count(row & col) & 1, -self.scale, self.scale)


def _sum_of_signs(rows: int, cols: int) -> int:
    """Return the sum of a corner of Sylvester's matrix, whose halves are H, H, H and −H.

    The 2^k × 2^k corner sums to 2^k, and so does any part of its columns that has the first: the others sum to 0.
    """
    few, many = sorted((rows, cols))
    if few == 0 or many == 1:
        return few
    half = 1 << (many - 1).bit_length() - 1
    if few <= half:
        return half + _sum_of_signs(many - half, few)
    return 3 * half - _sum_of_signs(rows - half, cols - half)


class Wave(NamedTuple):
    """A column of a table: its angle at a position, in units of 2⁻⁹⁶ turns, is position × turns + phase."""

    turns: int
    phase: int = 0
    is_down: bool = False
    """Whether the position is the row of the grid, not the column."""


@dataclass(frozen=True)
class Sinusoids(ElementwiseLaw):
    """The sine of every wave, one for a column, at every row's position, counted from the row `start`.

    Positions go along a line, or row by row over a square grid of `side` × `side`. The row `blank` is zero.
    """

    rows: int
    waves: tuple[Wave, ...] = field(repr=False)
    blank: int | None = None
    start: int = 0
    side: int = 0
    is_random: ClassVar[bool] = False

    @cached_property
    def _promised(self) -> Promise:
        """The sums over positions in closed form: Σ sin² = n / 2 − Σ cos 2x / 2."""
        size = self.rows * len(self.waves)
        if not size:
            return Promise(0.0, 0.0, 0.0, 0.0)
        count = self.side or self.rows - self.start
        turns, phases = [wave.turns for wave in self.waves], [wave.phase for wave in self.waves]
        total = _sum_of_sines(turns, phases, count)
        cosines = _sum_of_sines([2 * t for t in turns], [2 * p + QUARTER for p in phases], count)
        squares = (count * len(self.waves) - cosines) / 2
        if self.side:
            total, squares = self.side * total, self.side * squares
        if self.blank is not None and self.blank >= self.start:
            left_out = self._at(np.array([self.blank - self.start], np.uint64))
            total, squares = total - fsum(left_out.ravel()), squares - fsum(np.square(left_out).ravel())
        mean = total / size
        variance = squares / size - mean * mean
        return Promise(mean, sqrt(variance) if variance > _SUMMING else 0.0, -1.0, 1.0)

    @property
    def promise(self) -> Promise:
        return self._promised

    def standard_errors(self, size: int) -> tuple[float, float]:
        return _SUMMING, _SUMMING / (self.std or 1.0)

    def check(self, dtype: DType) -> None:
        check_holds(dtype, 0.5)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        cols = max(1, len(self.waves))
        last, at_once = -(-(start + len(out)) // cols), max(1, _IN_CACHE // cols)
        for row in range(start // cols, last, at_once):
            table = self._rows(row, min(row + at_once, last)).ravel()
            begin = row * cols - start
            low, high = max(0, begin), min(len(out), begin + len(table))
            out[low:high] = table[low - begin : high - begin]

    def _rows(self, first: int, last: int) -> Floats:
        """Return the rows [first, last)."""
        table = self._at(np.maximum(np.arange(first, last) - self.start, 0).astype(np.uint64))
        if self.blank is not None and first <= self.blank < last:
            table[self.blank - first] = 0
        return table

    def _at(self, positions: Words) -> Floats:
        """Return the sines at these positions."""
        turns, rests, phases = self._parts
        count = positions[:, None]
        if self.side:
            down, across = np.divmod(count, np.uint64(self.side))
            count = np.where([wave.is_down for wave in self.waves], down, across)
        angle, rest = multiply(count, turns, rests)
        angle += phases
        return sine(angle, rest)

    @cached_property
    def _parts(self) -> tuple[Words, Words, Words]:
        """The waves' turns in the two parts that `sine` takes, and their phases."""
        turns, rests = _split([wave.turns for wave in self.waves])
        return turns, rests, _split([wave.phase for wave in self.waves])[0]


def _split(turns: list[int]) -> tuple[Words, Words]:
    parts = np.array([split(each) for each in turns], np.uint64).reshape(-1, 2)
    return parts[:, 0].copy(), parts[:, 1].copy()


def _sum_of_sines(turns: list[int], phases: list[int], count: int) -> float:
    """Return the sum of sin(k θ + φ) over k < count and over every angle θ and phase φ, in turns.

    Σₖ sin(k θ + φ) = sin((count − 1) θ/2 + φ) sin(count θ/2) / sin(θ/2),  or count sin φ where θ is a whole turn
    """
    turns = [t - t % 2 for t in turns]  # so that halves are exact; it moves a mean by less than 2⁻⁶⁴
    middle = sine(*_split([(count - 1) * t // 2 + p for t, p in zip(turns, phases, strict=True)]))
    above = sine(*_split([count * t // 2 for t in turns]))
    below = sine(*_split([t // 2 for t in turns]))
    is_still = np.array([t % TURN == 0 for t in turns])
    return fsum(middle * np.where(is_still, count, above / np.where(is_still, 1.0, below)))
