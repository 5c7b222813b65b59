"""Chainer's initializers, for shapes (out, in, receptive field…). NaN is not here.

Source: chainer/chainer@a8e15cb, `chainer/initializers/*.py`; read, not run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import prod
from typing import ClassVar

import numpy as np

from initcli.errors import ArgumentError
from initcli.fans import Fans, torch_fans
from initcli.initializers.base import Initializer, check_choice, check_rank, parameter, parse_number
from initcli.initializers.bodies import Filled, GainBody, NormalBody, ScaledBody, SymmetricBody, ValueBody, check_square
from initcli.initializers.registry import register
from initcli.kernel_laws import Interpolation
from initcli.laws import Eye, Law
from initcli.whole_laws import Orthogonal as OrthogonalLaw


class ChainerInitializer(Initializer):
    """An initializer of the framework `chainer`."""

    framework: ClassVar[str] = "chainer"


@register
class Zero(ChainerInitializer, Filled):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Chainer 7
    """

    name: ClassVar[str] = "zero"
    filling: ClassVar[int] = 0


@register
class One(ChainerInitializer, Filled):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Chainer 7
    """

    name: ClassVar[str] = "one"
    filling: ClassVar[int] = 1


@register
@dataclass(frozen=True)
class Constant(ChainerInitializer, ValueBody):
    """Fill with one value.

    W = fill_value

    Bounds: fill_value
    Source: Chainer 7
    """

    name: ClassVar[str] = "constant"

    fill_value: float | int | bool = parameter(MISSING, "the value of every element")


@register
@dataclass(frozen=True)
class Identity(ChainerInitializer):
    """Put ones on the main diagonal of a square matrix.

    W[i, j] = scale if i = j, else 0

    Bounds: 0 and scale
    Differs: Keras takes any matrix.
    Source: Chainer 7
    """

    name: ClassVar[str] = "identity"

    scale: float = parameter(1.0, "the value on the diagonal")

    def __post_init__(self) -> None:
        parse_number("scale", self.scale)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        check_square(self, shape)
        return Eye(shape[0], shape[1], self.scale)


@register
@dataclass(frozen=True)
class Normal(ChainerInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(0, scale²)

    Bounds: none; in float32 the farthest value lies at ±6.34 scale
    Differs: the default std is 1 in PyTorch and Paddle, 0.01 in JAX, MXNet and Lasagne.
    Source: Chainer 7
    """

    name: ClassVar[str] = "normal"
    std_name: ClassVar[str] = "scale"

    scale: float = parameter(0.05, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class Uniform(ChainerInitializer, SymmetricBody):
    """Draw from a uniform distribution around zero.

    W ~ U[−scale, scale),  std = scale / √3

    Bounds: ±scale
    Differs: the default is ±0.07 in MXNet, ±0.01 in Lasagne, [0, 1) in PyTorch.
    Source: Chainer 7
    """

    name: ClassVar[str] = "uniform"

    scale: float = parameter(0.05, "the bound on either side of zero, ≥ 0")


@dataclass(frozen=True)
class _Scaled(ChainerInitializer, ScaledBody):
    """What scales with the fans."""

    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.0, "what the std is multiplied with, ≥ 0")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)


@register
class LeCunNormal(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, from an uncut normal: Chainer's default.

    W ~ N(0, std²),  std = scale / √fan_in

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class LeCunUniform(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = scale √(3 / fan_in)

    Bounds: ±scale √(3 / fan_in)
    Source: Chainer 7; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
class GlorotNormal(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = scale √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@register
class GlorotUniform(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = scale √(6 / (fan_in + fan_out))

    Bounds: ±scale √(6 / (fan_in + fan_out))
    Source: Chainer 7; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@register
@dataclass(frozen=True)
class HeNormal(_Scaled):
    """Draw weights so that ReLU layers keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = scale √(2 / fan)

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "untruncated_normal")
    mode_name: ClassVar[str] = "fan_option"

    fan_option: str = parameter("fan_in", "which fan: fan_in or fan_out")


@register
class HeUniform(_Scaled):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = scale √(6 / fan_in)

    Bounds: ±scale √(6 / fan_in)
    Source: Chainer 7; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "uniform")


@register
@dataclass(frozen=True)
class Orthogonal(ChainerInitializer, GainBody):
    """Draw a random matrix with orthonormal rows or columns; a scalar is +scale or −scale.

    W = scale Q, (out, …) flattened to out × in; Q has orthonormal rows in a projection, columns in an embedding

    Bounds: ±scale; every entry has mean square scale² / max(out, in)
    Differs: the default gain is 1 in Keras, PyTorch and JAX, 1.414 in MXNet. The bits rest on LAPACK.
    Source: Chainer 7; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.1, "what Q is multiplied with")
    mode: str = parameter("auto", "which shapes to take: auto any, projection out ≤ in, embedding in ≤ out, basis both")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("mode", self.mode, ("auto", "projection", "embedding", "basis"))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if not prod(shape):
            raise ArgumentError(f"`{self.name}` needs a shape that is not empty, got {list(shape)}", parameter="shape")
        outs, ins = prod(shape[:1]), prod(shape[1:])
        refused = {"projection": outs > ins, "embedding": ins > outs, "basis": outs != ins}
        if refused.get(self.mode):
            what = f"a shape of {outs} outputs and {ins} inputs is no {self.mode}"
            raise ArgumentError(what, "use the mode `auto`", parameter="mode")
        return OrthogonalLaw(outs, ins, self.gain_value())


@dataclass(frozen=True)
class _Sampling(ChainerInitializer):
    """Both filters: of the factor (K + 1) // 2, whose centre is a tap where K is odd."""

    is_averaging: ClassVar[bool]

    interpolation: str = parameter("linear", "how to interpolate: linear")

    def __post_init__(self) -> None:
        check_choice("interpolation", self.interpolation, ("linear",))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 3)
        if shape[1] not in (shape[0], 1) or len(set(shape[2:])) > 1:
            what = f"`{self.name}` needs equal channels, or one, and taps alike along every axis, got {list(shape)}"
            raise ArgumentError(what, parameter="shape")
        factor = (shape[-1] + 1) // 2
        centre = factor - (1.0 if shape[-1] % 2 else 0.5)
        sum_along_axis = float(np.sum(1 - np.abs(np.arange(shape[-1]) - centre) / max(1, factor)))
        divisor = sum_along_axis ** (len(shape) - 2) if self.is_averaging and shape[-1] else 1.0
        return Interpolation(shape, centre, divisor, is_diagonal=shape[1] != 1)


@register
class UpsamplingDeconvFilter(_Sampling):
    """Let a transposed convolution interpolate linearly, channel by channel.

    W[c, c, i, …] = ∏ 1 − |i − centre| / f, else 0;  f = (K + 1) // 2,  centre = f − 1 for odd K, f − ½ for even

    Bounds: from 0 to 1
    Differs: MXNet's bilinear joins every input with every output, and is lopsided for odd K.
    Source: Chainer 7; Long, Shelhamer & Darrell (2014), https://arxiv.org/abs/1411.4038
    """

    name: ClassVar[str] = "upsampling_deconv_filter"
    is_averaging: ClassVar[bool] = False


@register
class DownsamplingConvFilter(_Sampling):
    """Let a convolution average linearly, channel by channel.

    W[c, c, i, …] = ∏ (1 − |i − centre| / f) divided by its sum over the taps, else 0;  f and centre as for upsampling

    Bounds: from 0 to 1
    Source: Chainer 7
    """

    name: ClassVar[str] = "downsampling_conv_filter"
    is_averaging: ClassVar[bool] = True
