"""Laws of state-space models: HiPPO's matrices, and what Mamba makes of one uniform draw for an element."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from math import ceil, fsum, sqrt

import numpy as np
from numpy.polynomial.legendre import leggauss

from initcli.dtypes import DType
from initcli.elementary import Floats, exp, expm1, log
from initcli.frequencies import PRECISE
from initcli.laws import Array, ElementwiseLaw, Promise, check_holds
from initcli.laws.kernel import IndexedLaw, Indices
from initcli.quantiles import fill_uniform
from initcli.scratch import Scratch
from initcli.stream import Stream

Vector = tuple[float, ...]


class FromUniform(ElementwiseLaw):
    """A rising function of one uniform draw, computed in float64; its moments by quadrature."""

    @abstractmethod
    def at(self, u: Floats) -> Floats:
        """Return the values at u in [−½, ½]."""

    @abstractmethod
    def quadrature(self) -> tuple[Floats, Floats]:
        """Return values that are not all the same, and weights that sum to 1: a mean is Σ weight × value."""

    @cached_property
    def _moments(self) -> tuple[float, float, float]:
        """The mean, the std and the kurtosis."""
        low, high = self._bounds
        if low == high:
            return low, 0.0, 1.0
        nodes, weights = self.quadrature()
        mean = fsum(weights * nodes)
        squares = np.square(nodes - mean)
        variance = fsum(weights * squares)
        return mean, sqrt(variance), fsum(weights * np.square(squares)) / variance**2

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        low, high = self.at(np.array([-0.5, 0.5])).tolist()
        return low, high

    @property
    def promise(self) -> Promise:
        mean, std, _ = self._moments
        return Promise(mean, std, *self._bounds)

    @property
    def kurtosis(self) -> float:
        return self._moments[2]

    def fill(self, stream: Stream, start: int, out: Array, scratch: Scratch) -> None:
        u = np.empty(len(out))
        fill_uniform(stream.draws(start, start + len(out), 8 * out.itemsize), u, scratch)
        np.copyto(out, np.clip(self.at(u), *self._bounds), casting="same_kind")


@dataclass(frozen=True)
class LogOfUniform(FromUniform):
    """ln of U(minval, maxval); 0 < minval ≤ maxval."""

    minval: float
    maxval: float

    def at(self, u: Floats) -> Floats:
        drawn = (self.minval / 2 + self.maxval / 2) + u * (self.maxval - self.minval)
        return log(np.clip(drawn, self.minval, self.maxval))

    def quadrature(self) -> tuple[Floats, Floats]:
        nodes, weights = _panels(_ln(self.minval), _ln(self.maxval))
        weights = weights * exp(nodes - nodes[-1])  # of x = ln U the density is eˣ
        return nodes, weights / fsum(weights)


@dataclass(frozen=True)
class InverseSoftplus(FromUniform):
    """The x of softplus(x) = dt, dt + ln(1 − e^−dt); dt is log-uniform on [dt_min, dt_max], at least `floor`."""

    dt_min: float
    dt_max: float
    floor: float

    def at(self, u: Floats) -> Floats:
        low, high = _ln(self.dt_min), _ln(self.dt_max)
        return self._of_log((low / 2 + high / 2) + u * (high - low))

    def quadrature(self) -> tuple[Floats, Floats]:
        low, high = _ln(self.dt_min), _ln(self.dt_max)
        edge = min(max(low, _ln(self.floor)), high) if self.floor else low
        nodes, weights = _panels(edge, high)
        values = self._of_log(np.concatenate([[low], nodes]))  # all that lies below the floor is one value
        return values, np.concatenate([[edge - low], weights]) / (high - low)

    def _of_log(self, log_dt: Floats) -> Floats:
        dt = np.maximum(np.clip(exp(log_dt), self.dt_min, self.dt_max), self.floor)
        inverse: Floats = dt + log(-expm1(-dt))
        return inverse


@dataclass(frozen=True)
class Semiseparable(IndexedLaw):
    """A square matrix of rank one below its diagonal, and of rank one above it.

    W[n, k] = below[0][n] below[1][k] for n > k, above[0][n] above[1][k] for n < k, and diagonal[n] for n = k. What is
    `beside` the diagonal is added too: beside[n] to W[n + 1, n], and −beside[n] to W[n, n + 1].
    """

    diagonal: Vector
    below: tuple[Vector, Vector] = field(repr=False)
    above: tuple[Vector, Vector] = field(repr=False)
    beside: Vector = field(default=(), repr=False)

    @cached_property
    def _promised(self) -> Promise:
        below, above, diagonal = np.array(self.below), np.array(self.above), np.array(self.diagonal)
        size = len(diagonal) ** 2
        if not size:
            return Promise(0.0, 0.0, 0.0, 0.0)
        first, last = _products(below[0], below[1]), _products(above[1], above[0])
        total = fsum([*diagonal, first[0], last[0]])
        squares = fsum([*np.square(diagonal), first[1], last[1]])
        edges = [*diagonal, *first[2:], *last[2:]]
        if self.beside:
            under, over, beside = below[0][1:] * below[1][:-1], above[0][:-1] * above[1][1:], np.array(self.beside)
            squares += fsum(beside * (2 * under + beside) - beside * (2 * over - beside))
            edges += [*(under + beside), *(over - beside)]
        mean = total / size
        return Promise(mean, sqrt(max(0.0, squares / size - mean * mean)), float(min(edges)), float(max(edges)))

    @property
    def promise(self) -> Promise:
        return self._promised

    def standard_errors(self, size: int) -> tuple[float, float]:
        rounding = sqrt(size) * float(np.finfo(np.float64).eps) * max(abs(self.low), abs(self.high))
        return rounding, rounding

    def check(self, dtype: DType) -> None:
        for value in (0.5, self.low, self.high):
            check_holds(dtype, value)

    def values(self, index: Indices) -> Array:
        row, col = np.divmod(index, len(self.diagonal))
        below, above, diagonal = np.array(self.below), np.array(self.above), np.array(self.diagonal)
        found = np.where(row > col, below[0][row] * below[1][col], above[0][row] * above[1][col])
        found = np.where(row == col, diagonal[row], found)
        if self.beside:
            beside = np.array((*self.beside, 0.0))
            found += np.where(row == col + 1, beside[col], 0.0)
            found -= np.where(col == row + 1, beside[row], 0.0)
        return found


def _products(later: Floats, earlier: Floats) -> tuple[float, float, float, float]:
    """Return the sum, the sum of squares, the least and the greatest of later[n] earlier[k] for n > k, and of 0."""
    later, earlier = later[1:], earlier[:-1]
    extremes = [0.0, *(later * np.maximum.accumulate(earlier)), *(later * np.minimum.accumulate(earlier))]
    total = fsum(later * np.cumsum(earlier))
    squares = fsum(np.square(later) * np.cumsum(np.square(earlier)))
    return total, squares, min(extremes), max(extremes)


def _ln(x: float) -> float:
    """Return ln x, the same on every machine."""
    return float(Decimal(x).ln(PRECISE))


def _panels(low: float, high: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of an integral from `low` to `high`: Gauss's 20 to a piece of length 1 at most."""
    nodes, weights = leggauss(20)
    edges = np.linspace(low, high, max(1, ceil(high - low)) + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()
