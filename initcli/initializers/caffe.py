"""Caffe's fillers, for blobs (num, channels, …). The sparse gaussian and the positive unit ball are not here.

Source: BVLC/caffe, `include/caffe/filler.hpp`; read, not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.fans import Fans, torch_fans
from initcli.initializers.base import Initializer, check_choice, parameter
from initcli.initializers.bodies import NormalBody, UniformBody, ValueBody, check_square, divided_law, interpolation
from initcli.initializers.registry import register
from initcli.laws import Law

_FANS = {"FAN_IN": "fan_in", "FAN_OUT": "fan_out", "AVERAGE": "fan_avg"}


class CaffeInitializer(Initializer):
    """An initializer of the framework `caffe`."""

    framework: ClassVar[str] = "caffe"


@register
@dataclass(frozen=True)
class Constant(CaffeInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: Caffe 1.0
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(0.0, "the value of every element")


@register
@dataclass(frozen=True)
class Uniform(CaffeInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[min, max),  std = (max − min) / √12

    Bounds: min ≤ W < max
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Caffe 1.0
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("min", "max")

    min: float = parameter(0.0, "the lower bound, which can be drawn")
    max: float = parameter(1.0, "the upper bound, which cannot; ≥ min")


@register
@dataclass(frozen=True)
class Gaussian(CaffeInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: Caffe also has `sparse`, which sets values to zero at random; the default std is 0.05 in Keras.
    Source: Caffe 1.0
    """

    name: ClassVar[str] = "gaussian"

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values, ≥ 0")


@dataclass(frozen=True)
class _Scaled(CaffeInitializer):
    """Xavier and MSRA: what scales with a fan."""

    rule: ClassVar[tuple[float, str]]
    """The scale and the distribution."""

    variance_norm: str = parameter("FAN_IN", "which fan: FAN_IN, FAN_OUT or AVERAGE")

    def __post_init__(self) -> None:
        check_choice("variance_norm", self.variance_norm, tuple(_FANS))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        scale, distribution = self.rule
        fan = getattr(fans or self.fans(shape), _FANS[self.variance_norm])
        return divided_law(self, shape, distribution, scale, fan)


@register
class Xavier(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / n),  n = fan_in, fan_out or their mean

    >>> Xavier().law((128, 784)).high
    0.06185895741317419

    Bounds: ±√(3 / n)
    Differs: everywhere else xavier takes the mean of both fans: variance_norm AVERAGE.
    Source: Caffe 1.0; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier"
    rule: ClassVar[tuple[float, str]] = (1.0, "uniform")


@register
class Msra(_Scaled):
    """Draw weights so that ReLU layers keep their variance, from an uncut normal.

    W ~ N(0, 2 / n),  n = fan_in, fan_out or their mean

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std.
    Source: Caffe 1.0; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "msra"
    rule: ClassVar[tuple[float, str]] = (2.0, "untruncated_normal")


@register
class Bilinear(CaffeInitializer):
    """Let a transposed convolution interpolate linearly, every input with every output alike.

    W[o, i, y, x] = (1 − |x / f − c|) (1 − |y / f − c|),  f = ⌈K / 2⌉,  c = (2 f − 1 − f mod 2) / 2 f,  K × K taps

    Bounds: from 0 to 1
    Differs: Chainer's kernel is symmetric for odd K too, and on the diagonal of the channels; Paddle's y is fractional.
    Source: Caffe 1.0
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        law = interpolation(self, shape)
        check_square(self, shape)
        return law
