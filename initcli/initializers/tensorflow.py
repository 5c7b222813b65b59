"""TensorFlow 1's `tf.initializers` but for those that scale with the fans and the orthogonal convolutions.

Where its law is Keras's the class is a child of Keras's, with TensorFlow's names and defaults.

Source: tensorflow/tensorflow v1.13, `tensorflow/python/ops/init_ops.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers import keras
from initcli.initializers.arguments import check_ordered, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.initializers.values import array_shape, flatten, parse_values
from initcli.laws import Constant as ConstantLaw
from initcli.laws import Law, Uniform
from initcli.laws.fixed import Listed


class TensorFlowInitializer(Initializer):
    """An initializer of the framework `tensorflow`."""

    framework: ClassVar[str] = "tensorflow"
    aliases: ClassVar[tuple[str, ...]] = ()


@register
class Zeros(TensorFlowInitializer, keras.Zeros):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: TensorFlow 1.13
    """

    aliases: ClassVar[tuple[str, ...]] = ("zeros_initializer",)


@register
class Ones(TensorFlowInitializer, keras.Ones):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: TensorFlow 1.13
    """

    aliases: ClassVar[tuple[str, ...]] = ("ones_initializer",)


@register
@dataclass(frozen=True)
class Constant(TensorFlowInitializer):
    """Fill with one value, or with a list whose last value goes on to the end.

    W = value;  of a list, element i (the last axis runs fastest) is value[min(i, len − 1)]

    >>> Constant([1, 2, 3])((2, 3), "int32").tolist()
    [[1, 2, 3], [3, 3, 3]]

    Bounds: the least and the greatest value
    Differs: Keras takes one value; TensorFlow 2 refuses a list that is too short.
    Source: TensorFlow 1.13
    """

    name: ClassVar[str] = "constant"
    aliases: ClassVar[tuple[str, ...]] = ("constant_initializer",)

    value: float | int | bool | tuple[Any, ...] = parameter(0, "the value of every element, or a list, nested or not")

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", parse_values("value", self.value))
        array_shape("value", self.value)
        if not flatten(self.value):
            raise ArgumentError("`value` is a list without a value", "name at least one", parameter="value")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if not isinstance(self.value, tuple):
            return ConstantLaw(self.value)
        values, size = flatten(self.value), prod(shape)
        if len(values) > size:
            what = f"`value` has {len(values)} elements, but the shape {list(shape)} takes at most {size}"
            raise ArgumentError(what, "a shorter list is filled up with its last value", parameter="value")
        return Listed(values, size)


@register
@dataclass(frozen=True)
class RandomUniform(TensorFlowInitializer):
    """Draw from a uniform distribution.

    W ~ U[minval, maxval),  std = (maxval − minval) / √12

    Bounds: minval ≤ W < maxval
    Differs: the default is [−0.05, 0.05) in Keras and TensorFlow 2, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: TensorFlow 1.13
    """

    name: ClassVar[str] = "random_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("random_uniform_initializer",)

    minval: float = parameter(0, "the lower bound, which can be drawn")
    maxval: float | None = parameter(None, "the upper bound, which cannot; ≥ minval; none is 1")

    def __post_init__(self) -> None:
        parse_number("minval", self.minval)
        if self.maxval is not None:
            parse_number("maxval", self.maxval)
        check_ordered("minval", self.minval, "maxval", self.upper)

    @property
    def upper(self) -> float:
        """The upper bound, 1 where `maxval` is None."""
        return 1 if self.maxval is None else self.maxval

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(self.minval, self.upper)


@register
@dataclass(frozen=True)
class RandomNormal(TensorFlowInitializer, keras.RandomNormal):
    """Draw from a normal distribution.

    W ~ N(mean, stddev²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 stddev
    Differs: the default stddev is 0.05 in Keras and TensorFlow 2, 0.01 in JAX, MXNet and Lasagne.
    Source: TensorFlow 1.13
    """

    aliases: ClassVar[tuple[str, ...]] = ("random_normal_initializer",)

    stddev: float = parameter(1.0, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class TruncatedNormal(TensorFlowInitializer, keras.TruncatedNormal):
    """Draw from a normal distribution cut at two standard deviations.

    W ~ N(mean, stddev²) kept within mean ± 2 stddev,  std = 0.87962566 stddev

    Bounds: mean ± 2 stddev
    Differs: PyTorch's trunc_normal cuts at the absolute values −2 and 2; the default stddev is 0.05 in Keras.
    Source: TensorFlow 1.13
    """

    aliases: ClassVar[tuple[str, ...]] = ("truncated_normal_initializer",)

    stddev: float = parameter(1.0, "the standard deviation before the cut, ≥ 0")


@register
@dataclass(frozen=True)
class UniformUnitScaling(TensorFlowInitializer):
    """Draw uniformly so that outputs have the variance of their inputs times factor².

    W ~ U[−L, L),  L = factor √(3 / n),  std = factor / √n,  n = max(1, the product of all dimensions but the last)

    >>> UniformUnitScaling(factor=1.43).law((300, 10)).high
    0.143

    Bounds: ±factor √(3 / n)
    Differs: lecun_uniform is the same for factor 1 but at rank 1, where here n = 1. Deprecated since TensorFlow 1.2.
    Source: TensorFlow 1.13; Sussillo & Abbott (2014), https://arxiv.org/abs/1412.6558, for the factors
    """

    name: ClassVar[str] = "uniform_unit_scaling"
    aliases: ClassVar[tuple[str, ...]] = ("uniform_unit_scaling_initializer",)

    factor: float = parameter(1.0, "what the std is multiplied with, ≥ 0: some 1.43 for relu, 1.15 for tanh")

    def __post_init__(self) -> None:
        parse_number("factor", self.factor, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return scaled_law("uniform", 1.0, fans.fan_in if fans else prod(shape[:-1]), gain=self.factor)


@register
class Orthogonal(TensorFlowInitializer, keras.Orthogonal):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (…, cols) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch flattens (out, …) to out × rest. The bits rest on LAPACK.
    Source: TensorFlow 1.13; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    aliases: ClassVar[tuple[str, ...]] = ("orthogonal_initializer",)


@register
class Identity(TensorFlowInitializer, keras.Identity):
    """Put ones on the main diagonal.

    W[i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras up to 2.2.2 refuses shapes that are not square; Keras 2.2.3 and 2.2.4 tile the square.
    Source: TensorFlow 1.13
    """
