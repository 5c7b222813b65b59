"""Caffe's fillers, for blobs (num, channels, …). All but the bilinear one refuse an empty blob.

Source: BVLC/caffe@9b89154 (2020, the last), `include/caffe/filler.hpp`, `src/caffe/util/math_functions.cpp`; read, not
run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, caffe_fans
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import NormalBody, ScaledBody, UniformBody, ValueBody, check_filled, check_square
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws.kernel import Interpolation
from initcli.laws.simplex import UnitRows
from initcli.laws.sparse import Masked


class CaffeInitializer(Initializer):
    """An initializer of the framework `caffe`."""

    framework: ClassVar[str] = "caffe"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_filled(self, shape)
        return super().law(shape, fans)


@register
@dataclass(frozen=True)
class Constant(CaffeInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: Caffe 9b89154
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(0.0, "the value of every element")


@register
@dataclass(frozen=True)
class Uniform(CaffeInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[min, max],  std = (max − min) / √12

    Bounds: min ≤ W ≤ max
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Caffe 9b89154
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("min", "max")

    min: float = parameter(0.0, "the lower bound, which can be drawn")
    max: float = parameter(1.0, "the upper bound; ≥ min")


@register
@dataclass(frozen=True)
class Gaussian(CaffeInitializer, NormalBody):
    """Draw from a normal distribution; with `sparse`, set values to zero at random.

    W ~ N(mean, std²);  with sparse ≥ 0 with the chance sparse / num only, else 0, num being the first axis

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: other frameworks set an exact share to zero, in PyTorch that of each column; the std is 0.05 in Keras.
    Source: Caffe 9b89154
    """

    name: ClassVar[str] = "gaussian"
    refuses_zero: ClassVar[bool] = True

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values, > 0")
    sparse: int = parameter(-1, "how many values of num to expect that are not zero, from 0 to num; -1 is all")

    def __post_init__(self) -> None:
        super().__post_init__()
        if parse_number("sparse", self.sparse, least=-1) != int(self.sparse):
            raise ArgumentError(f"`sparse` must be a whole number, got {self.sparse}", parameter="sparse")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        dense = super().law(shape, fans)
        if self.sparse < 0:
            return dense
        check_rank(self.name, shape, 1)
        if self.sparse > shape[0]:
            what = f"`sparse` must not exceed the first axis, got {self.sparse} and {shape[0]}"
            raise ArgumentError(what, parameter="sparse")
        return Masked(prod(shape), self.sparse / shape[0], self.mean, self.std)


@register
class PositiveUnitball(CaffeInitializer):
    """Draw from a uniform distribution, and divide what stands under one index of the first axis by its sum.

    W[i, …] = U[i, …] / Σ U[i, …],  U ~ U[0, 1],  mean = 1 / (size / num), num being the first axis

    Bounds: from 0 to 1; those of one index of the first axis add up to 1
    Source: Caffe 9b89154
    """

    name: ClassVar[str] = "positive_unitball"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1)
        check_filled(self, shape)
        return UnitRows(shape[0], prod(shape[1:]))


@dataclass(frozen=True)
class _Scaled(CaffeInitializer, ScaledBody):
    """Xavier and MSRA: what scales with a fan."""

    mode_name: ClassVar[str] = "variance_norm"
    modes: ClassVar[Mapping[str, str]] = {"FAN_IN": "fan_in", "FAN_OUT": "fan_out", "AVERAGE": "fan_avg"}

    variance_norm: str = parameter("FAN_IN", "which fan: FAN_IN, FAN_OUT or AVERAGE")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return caffe_fans(shape)


@register
class Xavier(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L],  L = √(3 / n),  n = fan_in, fan_out or their mean

    >>> Xavier().law((128, 784)).high
    0.06185895741317419

    Bounds: ±√(3 / n)
    Differs: everywhere else xavier takes the mean of both fans: variance_norm AVERAGE.
    Source: Caffe 9b89154; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
class Msra(_Scaled):
    """Draw weights so that ReLU layers keep their variance, from an uncut normal.

    W ~ N(0, 2 / n),  n = fan_in, fan_out or their mean

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std.
    Source: Caffe 9b89154; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "msra"
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "untruncated_normal")


@register
class Bilinear(CaffeInitializer):
    """Let a transposed convolution interpolate linearly, every input with every output alike.

    W[o, i, y, x] = (1 − |x / f − c|) (1 − |y / f − c|),  f = ⌈K / 2⌉,  c = (K − 1) / 2 f,  K × K taps

    Bounds: from 0 to 1
    Differs: Caffe's release 1.0 had MXNet's c, lopsided where K ≠ 2 f − f mod 2; Chainer's stands on a diagonal.
    Source: Caffe 9b89154
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 4, 4)
        check_square(self, shape)
        return Interpolation(shape, (shape[-1] - 1) / 2)
