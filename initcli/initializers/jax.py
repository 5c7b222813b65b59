"""JAX's initializers but for those that scale with the fans, which have a file of their own.

They are the laws of the float dtypes; complex ones are not here. JAX takes a negative stddev and draws the mirror
image; here it is an error.

Source: jax-ml/jax v0.10.2, `jax/_src/nn/initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import prod
from typing import ClassVar

import numpy as np

from initcli.errors import ArgumentError
from initcli.fans import Fans, resolve_axis
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import CutBody, NormalBody, OnesBody, ValueBody, ZerosBody
from initcli.initializers.convolutions import parse_kernel
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws import Uniform as UniformLaw
from initcli.laws.whole import ColumnsMoved
from initcli.laws.whole import DeltaOrthogonal as DeltaOrthogonalLaw
from initcli.laws.whole import Orthogonal as OrthogonalLaw


class JaxInitializer(Initializer):
    """An initializer of the framework `jax`."""

    framework: ClassVar[str] = "jax"


def parse_axis(parameter_name: str, value: object) -> int:
    """Return `value` if it is a whole number.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    what = f"`{parameter_name}` must be a whole number, got `{value}`"
    raise ArgumentError(what, "the number of an axis; -1 is the last", parameter=parameter_name)


@register
class Zeros(JaxInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: JAX 0.10
    """

    name: ClassVar[str] = "zeros"


@register
class Ones(JaxInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: JAX 0.10
    """

    name: ClassVar[str] = "ones"


@register
@dataclass(frozen=True)
class Constant(JaxInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Differs: Keras has a default, 0; JAX also takes an array that broadcasts to the shape.
    Source: JAX 0.10
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(MISSING, "the value of every element")


@register
@dataclass(frozen=True)
class Uniform(JaxInitializer):
    """Draw from a uniform distribution that begins at zero.

    W ~ U[0, scale),  mean = scale / 2,  std = scale / √12

    Bounds: 0 ≤ W < scale
    Differs: Keras, MXNet and Paddle draw around zero, Keras from [−0.05, 0.05); PyTorch's default is [0, 1).
    Source: JAX 0.10
    """

    name: ClassVar[str] = "uniform"

    scale: float = parameter(0.01, "the upper bound, which cannot be drawn; ≥ 0")

    def __post_init__(self) -> None:
        parse_number("scale", self.scale, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return UniformLaw(0.0, self.scale)


@register
@dataclass(frozen=True)
class Normal(JaxInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(0, stddev²)

    Bounds: none; in float32 the farthest value lies at ±6.34 stddev
    Differs: the default stddev is 0.05 in Keras, 1 in TensorFlow 1, PyTorch and Haiku.
    Source: JAX 0.10
    """

    name: ClassVar[str] = "normal"
    std_name: ClassVar[str] = "stddev"
    draws_complex: ClassVar[bool] = True

    stddev: float = parameter(0.01, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class TruncatedNormal(JaxInitializer, CutBody):
    """Draw from a normal distribution cut at multiples of its standard deviation.

    W = stddev Z,  Z ~ N(0, 1) kept within [lower, upper];  std = 0.87962566 stddev for the default cut at ±2

    >>> TruncatedNormal().law((500, 500)).high
    0.02

    Bounds: lower stddev ≤ W ≤ upper stddev
    Differs: PyTorch's trunc_normal cuts at absolute values; Keras cuts always at ±2 stddev, 0.05 by default.
    Source: JAX 0.10
    """

    name: ClassVar[str] = "truncated_normal"
    std_name: ClassVar[str] = "stddev"
    edge_names: ClassVar[tuple[str, str]] = ("lower", "upper")
    is_relative: ClassVar[bool] = True

    stddev: float = parameter(0.01, "the standard deviation before the cut, ≥ 0")
    lower: float = parameter(-2.0, "the lower end of what is kept, in units of stddev")
    upper: float = parameter(2.0, "the upper end of what is kept, in units of stddev; ≥ lower")


@dataclass(frozen=True)
class _Orthogonal(JaxInitializer):
    """What the two orthogonal ones are made with."""

    scale: float = parameter(1.0, "what Q is multiplied with")
    column_axis: int = parameter(-1, "the axis along which the columns of Q are counted")

    def __post_init__(self) -> None:
        parse_number("scale", self.scale)
        object.__setattr__(self, "column_axis", parse_axis("column_axis", self.column_axis))


@register
class Orthogonal(_Orthogonal):
    """Draw a random matrix with orthonormal rows or columns.

    W = scale Q, the column axis moved last and the others flattened to rows;
    Q has orthonormal columns, or rows where there are fewer rows than columns

    Bounds: ±scale; every entry has mean square scale² / max(rows, columns)
    Differs: Keras's column axis is always the last, PyTorch flattens (out, …) to out × rest. The bits rest on LAPACK.
    Source: JAX 0.10; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        axis = resolve_axis("column_axis", self.column_axis, shape)
        matrix = OrthogonalLaw(prod(shape[:axis] + shape[axis + 1 :]), shape[axis], self.scale)
        return matrix if axis == len(shape) - 1 else ColumnsMoved(matrix, shape, axis)


@register
class DeltaOrthogonal(_Orthogonal):
    """Draw a convolution kernel that is an orthogonal matrix at its centre and zero elsewhere.

    W[(k − 1) // 2] = scale Q in every spatial axis of length k, else 0;  Q: in × out, in ≤ out, Q Qᵀ = I

    Bounds: ±scale; the squares sum to scale² in
    Differs: as in JAX, `column_axis` changes no law: the transpose of a random Q is one too. The bits rest on LAPACK.
    Source: JAX 0.10; Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington (2018), https://arxiv.org/abs/1806.05393
    """

    name: ClassVar[str] = "delta_orthogonal"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        taps, inputs, outputs = parse_kernel(self.name, shape, 3, 5)
        resolve_axis("column_axis", self.column_axis, (inputs, outputs))
        return DeltaOrthogonalLaw(OrthogonalLaw(inputs, outputs, self.scale), taps)
