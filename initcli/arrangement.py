"""The order of a tensor's elements in a file, where that is not the one in which they are drawn.

A value belongs to its element, wherever a file puts it: an order draws the tensor that the spec has, and moves it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from initcli.laws import Array


class Source(NamedTuple):
    """A tensor as it is drawn: `draw(start, stop)` returns elements that are valid until it is called again.

    `step` is how many are best drawn at once, all of them if the law needs that.
    """

    draw: Callable[[int, int], Array]
    step: int
    dtype: np.dtype[np.generic]


class Order(ABC):
    """Where the elements of a tensor go."""

    needs_whole: ClassVar[bool] = False
    """Whether a range takes the whole tensor."""

    @abstractmethod
    def take(self, source: Source, start: int, stop: int) -> Array:
        """Return the elements [start, stop) of the tensor in this order."""


@dataclass(frozen=True)
class AsDrawn(Order):
    """The order that they are drawn in."""

    def take(self, source: Source, start: int, stop: int) -> Array:
        """Return what is drawn."""
        return source.draw(start, stop)


AS_DRAWN = AsDrawn()


@dataclass(frozen=True)
class Transposed(Order):
    """The columns of a matrix of `rows` × `cols`, one after the other."""

    rows: int
    cols: int
    needs_whole: ClassVar[bool] = True

    def take(self, source: Source, start: int, stop: int) -> Array:
        """Return the range of the transposed matrix, which is made of rows that are drawn one after the other."""
        turned = np.empty((self.cols, self.rows), source.dtype)
        step = max(1, source.step // self.cols)
        for first in range(0, self.rows, step):
            last = min(first + step, self.rows)
            turned[:, first:last] = source.draw(first * self.cols, last * self.cols).reshape(-1, self.cols).T
        return turned.reshape(-1)[start:stop]


@dataclass(frozen=True)
class HalvesInterleaved(Order):
    """Rows of `width` elements, in heads of `rows`: those of a head's second half stand between those of its first.

    stored[head, i, s] = drawn[head, s, i],  s < 2,  i < rows / 2
    """

    rows: int
    width: int

    def take(self, source: Source, start: int, stop: int) -> Array:
        """Return the range, made of whole heads, drawn in one go, and of parts of those at its ends."""
        taken = np.empty(stop - start, source.dtype)
        head, at = self.rows * self.width, start
        while at < stop:
            begin = at - at % head
            end = stop - stop % head if at == begin and stop - at >= head else min(stop, begin + head)
            part = taken[at - start : end - start]
            if end - at >= head:
                halves = source.draw(at, end).reshape(-1, 2, self.rows // 2, self.width)
                part.reshape(-1, self.rows // 2, 2, self.width)[:] = halves.swapaxes(1, 2)
            else:
                part[:] = self._take_within(source, begin, at - begin, end - begin)
            at = end
        return taken

    def _take_within(self, source: Source, begin: int, start: int, stop: int) -> Array:
        """Return the elements [start, stop) of the head that begins at `begin`, from a run of rows of either half."""
        pair = 2 * self.width
        first, last = start // pair, -(-stop // pair)
        pairs = np.empty((last - first, 2, self.width), source.dtype)
        for half in range(2):
            row = begin + (half * (self.rows // 2) + first) * self.width
            pairs[:, half] = source.draw(row, row + (last - first) * self.width).reshape(-1, self.width)
        return pairs.reshape(-1)[start - first * pair : stop - first * pair]
