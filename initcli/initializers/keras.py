"""Keras's initializers but for those that scale with the fans, which have a file of their own.

Source: keras-team/keras v3.15.1, `keras/src/initializers/{constant,random}_initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_ordered, check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import ArrayBody
from initcli.initializers.registry import register
from initcli.laws import Constant as ConstantLaw
from initcli.laws import Eye, Law, Normal, Uniform
from initcli.laws import TruncatedNormal as TruncatedNormalLaw
from initcli.laws.whole import Orthogonal as OrthogonalLaw


class KerasInitializer(Initializer):
    """An initializer of the framework `keras`."""

    framework: ClassVar[str] = "keras"


@register
@dataclass(frozen=True)
class Zeros(KerasInitializer):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Keras 3.15
    """

    name: ClassVar[str] = "zeros"
    aliases: ClassVar[tuple[str, ...]] = ("zero",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return ConstantLaw(0)


@register
@dataclass(frozen=True)
class Ones(KerasInitializer):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Keras 3.15
    """

    name: ClassVar[str] = "ones"
    aliases: ClassVar[tuple[str, ...]] = ("one",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return ConstantLaw(1)


@register
@dataclass(frozen=True)
class Constant(KerasInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = value

    >>> Constant([[1], [2]])((2, 3), "int8").tolist()
    [[1, 1, 1], [2, 2, 2]]

    Bounds: the least and the greatest value
    Differs: TensorFlow 1 takes a list of any shape, and repeats its last element.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool | tuple[Any, ...] = parameter(0.0, "the value of every element, or an array of numbers")

    def __post_init__(self) -> None:
        if isinstance(self.value, Mapping):
            object.__setattr__(self, "value", _read_array(self.value))
        super().__post_init__()


def _read_array(written: Mapping[str, Any]) -> Any:
    """Return the values of an array as Keras writes it: `{"class_name": "__numpy__", "config": {"value": [1, 2]}}`.

    Raises:
        ArgumentError: another form.
    """
    config = written.get("config")
    if written.get("class_name") not in ("__numpy__", "__tensor__") or not isinstance(config, Mapping):
        raise ArgumentError(f"`value` must be a number or an array, got `{dict(written)}`", parameter="value")
    return config.get("value")


@register
@dataclass(frozen=True)
class RandomNormal(KerasInitializer):
    """Draw from a normal distribution.

    W ~ N(mean, stddev²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 stddev
    Differs: the default stddev is 1 in TensorFlow 1, PyTorch and Haiku, 0.01 in JAX, MXNet and Lasagne.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "random_normal"
    aliases: ClassVar[tuple[str, ...]] = ("normal",)

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(0.05, "the standard deviation of the values, ≥ 0")

    def __post_init__(self) -> None:
        parse_number("mean", self.mean)
        parse_number("stddev", self.stddev, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Normal(self.mean, self.stddev)


@register
@dataclass(frozen=True)
class RandomUniform(KerasInitializer):
    """Draw from a uniform distribution.

    W ~ U[minval, maxval),  std = (maxval − minval) / √12

    Bounds: minval ≤ W < maxval
    Differs: the default is [0, 1) in TensorFlow 1 and PyTorch, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "random_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("uniform",)

    minval: float = parameter(-0.05, "the lower bound, which can be drawn")
    maxval: float = parameter(0.05, "the upper bound, which cannot; ≥ minval")

    def __post_init__(self) -> None:
        parse_number("minval", self.minval)
        parse_number("maxval", self.maxval)
        check_ordered("minval", self.minval, "maxval", self.maxval)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(self.minval, self.maxval)


@register
@dataclass(frozen=True)
class TruncatedNormal(KerasInitializer):
    """Draw from a normal distribution cut at two standard deviations.

    W ~ N(mean, stddev²) kept within mean ± 2 stddev,  std = 0.87962566 stddev

    Bounds: mean ± 2 stddev
    Differs: PyTorch's trunc_normal cuts at the absolute values −2 and 2; the default stddev is 0.01 in JAX.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "truncated_normal"

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(0.05, "the standard deviation before the cut, ≥ 0")

    def __post_init__(self) -> None:
        parse_number("mean", self.mean)
        parse_number("stddev", self.stddev, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return TruncatedNormalLaw(self.mean, self.stddev)


@register
@dataclass(frozen=True)
class Orthogonal(KerasInitializer):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (…, cols) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch flattens (out, …) to out × rest; Keras 2 took an SVD, no sign fix. The bits rest on LAPACK.
    Source: Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    aliases: ClassVar[tuple[str, ...]] = ("OrthogonalInitializer",)

    gain: float = parameter(1.0, "what Q is multiplied with")

    def __post_init__(self) -> None:
        parse_number("gain", self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        return OrthogonalLaw(prod(shape[:-1]), shape[-1], self.gain)


@register
@dataclass(frozen=True)
class Identity(KerasInitializer):
    """Put ones on the main diagonal.

    W[i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras up to 2.2.2 refuses shapes that are not square; Keras 2.2.3 and 2.2.4 tile the square.
    Source: Keras 3.15; Le, Jaitly & Hinton (2015), https://arxiv.org/abs/1504.00941
    """

    name: ClassVar[str] = "identity"
    aliases: ClassVar[tuple[str, ...]] = ("IdentityInitializer",)

    gain: float = parameter(1.0, "the value on the diagonal")

    def __post_init__(self) -> None:
        parse_number("gain", self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        return Eye(shape[0], shape[1], self.gain)
