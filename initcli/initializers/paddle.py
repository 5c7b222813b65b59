"""Paddle's initializers but for those that scale with the fans, which have a file of their own.

Source: Paddle 3.3.1, `paddle/nn/initializer/*.py`; its errors and moments were seen by running it.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    CutBody,
    GainedOrthogonalBody,
    NormalBody,
    UniformBody,
    ValueBody,
    check_square,
    lopsided_kernel,
)
from initcli.initializers.registry import register
from initcli.initializers.torch import Dirac as TorchDirac
from initcli.initializers.values import array_shape, broadcast_law, parse_values
from initcli.laws import Law

_GREATEST_KERNEL = 1024 * 1024
"""The most elements that Paddle's Bilinear computes."""


class PaddleInitializer(Initializer):
    """An initializer of the framework `paddle`."""

    framework: ClassVar[str] = "paddle"
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class Constant(PaddleInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(0.0, "the value of every element")


@register
@dataclass(frozen=True)
class Assign(PaddleInitializer):
    """Fill with the values of an array or a list, nested as the tensor is.

    W = value

    >>> Assign([[1, 2], [3, 4]])((2, 2), "int32").tolist()
    [[1, 2], [3, 4]]

    Bounds: the least and the greatest value
    Differs: in Paddle the tensor takes the array's shape, whatever it had; here the shapes must agree.
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "assign"

    value: tuple[Any, ...] = parameter(MISSING, "the values, of the tensor's shape")

    def __post_init__(self) -> None:
        values = parse_values("value", self.value)
        if not isinstance(values, tuple):
            what = f"`value` must be an array or a list, got {values}"
            raise ArgumentError(what, f"write `constant({values})`", parameter="value")
        array_shape("value", values)
        object.__setattr__(self, "value", values)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        given = array_shape("value", self.value)
        if given != shape:
            what = f"`value` has the shape {list(given)}, not {list(shape)}"
            raise ArgumentError(what, "give as many values as the tensor has", parameter="shape")
        return broadcast_law("value", self.value, shape)


@register
@dataclass(frozen=True)
class Normal(PaddleInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the default std is 0.05 in Keras, 0.01 in JAX, MXNet and Lasagne.
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "normal"

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values")


@register
@dataclass(frozen=True)
class Uniform(PaddleInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[low, high),  std = (high − low) / √12

    Bounds: low ≤ W < high
    Differs: the default is [−0.05, 0.05) in Keras, [0, 1) in PyTorch, [0, 0.01) in JAX.
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("low", "high")
    refuses_negative: ClassVar[bool] = True

    low: float = parameter(-1.0, "the lower bound, which can be drawn")
    high: float = parameter(1.0, "the upper bound, which cannot; ≥ low")


@register
@dataclass(frozen=True)
class TruncatedNormal(PaddleInitializer, CutBody):
    """Draw from a normal distribution cut at two values.

    W ~ N(mean, std²) kept within [a, b], which are values and not multiples of std

    Bounds: a ≤ W ≤ b
    Differs: Keras and JAX cut at two std, whatever the std; older releases of Paddle had no a and b.
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "truncated_normal"
    edge_names: ClassVar[tuple[str, str]] = ("a", "b")

    mean: float = parameter(0.0, "the mean before the cut")
    std: float = parameter(1.0, "the standard deviation before the cut")
    a: float = parameter(-2.0, "the least value")
    b: float = parameter(2.0, "the greatest value, ≥ a")


@register
class Orthogonal(PaddleInitializer, GainedOrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (rows, …) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: Keras and JAX flatten (…, cols) to rest × cols. The bits rest on LAPACK.
    Source: Paddle 3.3; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"


@register
class Dirac(PaddleInitializer, TorchDirac):
    """Let a convolution pass its inputs on unchanged, as many as there are outputs for.

    W[g m + d, d, k // 2, …] = 1 for d < min(m, in) in each group g, else 0;  m = out / groups

    Bounds: 0 and 1
    Differs: Flux's identity_init puts the ones at (k − 1) // 2.
    Source: Paddle 3.3
    """

    framework: ClassVar[str] = "paddle"
    name: ClassVar[str] = "dirac"
    aliases: ClassVar[tuple[str, ...]] = ()


@register
class Bilinear(PaddleInitializer):
    """Let a transposed convolution interpolate, by a formula whose rows slant.

    W[o, i, y, x] = (1 − |x / f − c|) (1 − |(y + x / K) / f − c|),  f = ⌈K / 2⌉,  c = (2 f − 1 − f mod 2) / 2 f

    Bounds: from −1 / f to 1
    Differs: MXNet and Caffe do not add x / K to y, so that their kernel is separable.
    Source: Paddle 3.3
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        law = lopsided_kernel(self, shape, is_slanted=True)
        check_square(self, shape)
        if prod(shape) > _GREATEST_KERNEL:
            what = f"`{self.name}` takes at most {_GREATEST_KERNEL:,} elements, got {list(shape)}"
            raise ArgumentError(what, parameter="shape")
        return law
