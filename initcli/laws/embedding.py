"""The law of an embedding table: a normal, but for the row that stands for padding."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from initcli.laws import Array, ElementwiseLaw, Normal, Promise
from initcli.scratch import Scratch
from initcli.stream import Stream


@dataclass(frozen=True)
class PaddedNormal(ElementwiseLaw):
    """A `rows` × `cols` matrix of N(0, drawn_std²) whose row `padding` is zero; the others are those of `Normal`."""

    rows: int
    cols: int
    padding: int
    drawn_std: float = 1.0

    @property
    def share(self) -> float:
        """The share of the elements that are drawn."""
        return 1 - 1 / self.rows

    @property
    def promise(self) -> Promise:
        return Promise(0.0, self.drawn_std * sqrt(self.share))

    @property
    def kurtosis(self) -> float:
        return 3.0 / self.share if self.share else 3.0

    def standard_errors(self, size: int) -> tuple[float, float]:
        """Return the errors for a fixed count of zeros: only the others vary."""
        return self.std / sqrt(size), self.drawn_std / sqrt(2 * size) if self.share else 0.0

    def scales(self) -> tuple[float, ...]:
        return (self.drawn_std,)

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        Normal(0.0, self.drawn_std).fill(stream, start, out, scratch)
        first = self.padding * self.cols - start
        out[max(0, first) : max(0, first + self.cols)] = 0
