"""Chainer's initializers but for its two filters, for shapes (out, in, receptive field…).

Source: chainer/chainer@a8e15cb (7.8.1), `chainer/initializers/*.py`; read, not run. What NumPy refuses there, a
negative std, is refused here, and what it takes, a negative width, is taken.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import nan, prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, torch_fans
from initcli.initializers.arguments import check_choice
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    ArrayBody,
    GainBody,
    NormalBody,
    OnesBody,
    ScaledBody,
    SquareBody,
    SymmetricBody,
    ZerosBody,
    check_filled,
)
from initcli.initializers.registry import register
from initcli.laws import Constant as ConstantLaw
from initcli.laws import Law
from initcli.laws.whole import Orthogonal as OrthogonalLaw


class ChainerInitializer(Initializer):
    """An initializer of the framework `chainer`."""

    framework: ClassVar[str] = "chainer"


@register
class Zero(ChainerInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "zero"


@register
class One(ChainerInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "one"


@register
class NaN(ChainerInitializer):
    """Fill with what is no number, so that it shows where a value was never set.

    W = nan

    Bounds: none
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "nan"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return ConstantLaw(nan)


@register
@dataclass(frozen=True)
class Constant(ChainerInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = fill_value

    Bounds: the least and the greatest value
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "constant"

    fill_value: float | int | bool | tuple[Any, ...] = parameter(MISSING, "the value of every element, or an array")


@register
@dataclass(frozen=True)
class Identity(ChainerInitializer, SquareBody):
    """Put ones on the main diagonal of a square matrix.

    W[i, j] = scale if i = j, else 0

    Bounds: 0 and scale
    Differs: Keras takes any matrix.
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "identity"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.0, "the value on the diagonal")


@register
@dataclass(frozen=True)
class Normal(ChainerInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(0, scale²)

    Bounds: none; in float32 the farthest value lies at ±6.34 scale
    Differs: the default std is 1 in PyTorch and Paddle, 0.01 in JAX, MXNet and Lasagne.
    Source: Chainer 7.8
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
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "uniform"
    refuses_negative: ClassVar[bool] = False

    scale: float = parameter(0.05, "the bound on either side of zero")


@dataclass(frozen=True)
class _Scaled(ChainerInitializer, ScaledBody):
    """What scales with the fans."""

    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.0, "what the std is multiplied with")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)


@register
class LeCunNormal(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, from an uncut normal: Chainer's default.

    W ~ N(0, std²),  std = scale / √fan_in

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7.8; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class LeCunUniform(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = scale √(3 / fan_in)

    Bounds: ±scale √(3 / fan_in)
    Source: Chainer 7.8; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")
    refuses_negative: ClassVar[bool] = False


@register
class GlorotNormal(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = scale √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7.8; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@register
class GlorotUniform(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = scale √(6 / (fan_in + fan_out))

    Bounds: ±scale √(6 / (fan_in + fan_out))
    Source: Chainer 7.8; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class HeNormal(_Scaled):
    """Draw weights so that ReLU layers keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = scale √(2 / fan)

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Chainer 7.8; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
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
    Source: Chainer 7.8; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "uniform")
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class Orthogonal(ChainerInitializer, GainBody):
    """Draw a random matrix with orthonormal rows or columns; a scalar is +scale or −scale.

    W = scale Q, (out, …) flattened to out × in; Q has orthonormal rows in a projection, columns in an embedding

    Bounds: ±scale; every entry has mean square scale² / max(out, in)
    Differs: the default gain is 1 in Keras, PyTorch and JAX, 1.414 in MXNet. The bits rest on LAPACK.
    Source: Chainer 7.8; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.1, "what Q is multiplied with")
    mode: str = parameter("auto", "which shapes to take: auto any, projection out ≤ in, embedding in ≤ out, basis both")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("mode", self.mode, ("auto", "projection", "embedding", "basis"))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_filled(self, shape)
        outs, ins = prod(shape[:1]), prod(shape[1:])
        refused = {"projection": outs > ins, "embedding": ins > outs, "basis": outs != ins}
        if refused.get(self.mode):
            what = f"a shape of {outs} outputs and {ins} inputs is no {self.mode}"
            raise ArgumentError(what, "use the mode `auto`", parameter="mode")
        return OrthogonalLaw(outs, ins, self.gain_value())
