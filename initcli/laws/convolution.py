"""The orthogonal convolution: a kernel that, wrapped round, keeps the length of what it is applied to."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

import numpy as np

from initcli.dtypes import DType
from initcli.laws import Array, Promise
from initcli.laws.whole import HaarLaw, draw_haar
from initcli.stream import Stream


@dataclass(frozen=True)
class ConvolutionOrthogonal(HaarLaw):
    """A kernel (side per axis…, in, out), in ≤ out, made of gain H and of projections P, all out × out but H.

    H (in × out, H Hᵀ = I) is convolved, side − 1 times along each of `axes` axes, with the two taps [P, I − P] from the
    right. Since P (I − P) = 0, every row of the kernel has length gain; the sum of all taps is gain H. A P projects on
    the columns of a Haar matrix that a coin each keeps. The stream gives H, then for each P its matrix and its coins.
    """

    axes: int
    side: int
    inputs: int
    outputs: int
    gain: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """The kernel's shape."""
        return (*(self.side,) * self.axes, self.inputs, self.outputs)

    @property
    def promise(self) -> Promise:
        gain = abs(self.gain)
        return Promise(0.0, gain / sqrt(max(1, self.side**self.axes * self.outputs)), -gain, gain)

    def scales(self) -> tuple[float, ...]:
        return (self.gain,)

    def peak_nbytes(self, dtype: DType) -> int:
        """Return the bytes of the kernel, its two parts and the next one, of one projection, and the rounded kernel."""
        size = prod(self.shape)
        return 8 * (4 * size + 6 * self.outputs * self.outputs) + dtype.itemsize * size

    def sample(self, stream: Stream, dtype: DType) -> Array:
        n = self.outputs
        kernel = draw_haar(stream, 0, n, self.inputs, self.gain).T.reshape(*(1,) * self.axes, self.inputs, n)
        start = n * self.inputs
        for _ in range(self.side - 1):
            for axis in range(self.axes):
                kernel = _convolve(kernel, axis, _draw_projection(stream, start, n))
                start += n * n + n
        return np.ascontiguousarray(kernel).reshape(-1)


def _draw_projection(stream: Stream, start: int, n: int) -> Array:
    """Return an n × n projection on the columns of a Haar matrix that are kept: those whose draw is positive."""
    is_kept = stream.draws(start + n * n, start + n * n + n, 64) >= 0
    kept = draw_haar(stream, start, n, n)[:, is_kept]
    projection: Array = kept @ kept.T
    return projection


def _convolve(kernel: Array, axis: int, projection: Array) -> Array:
    """Return `kernel` convolved along `axis` with the taps [P, I − P], which multiply from the right."""
    first = kernel @ projection
    longer = np.zeros((*kernel.shape[:axis], kernel.shape[axis] + 1, *kernel.shape[axis + 1 :]))
    before = (slice(None),) * axis
    longer[(*before, slice(None, -1))] = first
    longer[(*before, slice(1, None))] += kernel - first
    return longer
