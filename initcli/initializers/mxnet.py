"""MXNet's initializers, for shapes (out, in, receptive field…).

Those that go by a parameter's name (Mixed, Load) or by a packed vector's parts (RNNFused) are not here.

Source: apache/mxnet@b84609d, `python/mxnet/initializer.py`; read, not run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import ClassVar

from initcli.fans import Fans, torch_fans
from initcli.initializers.base import Initializer, check_choice, check_rank, parameter, parse_number
from initcli.initializers.bodies import (
    Filled,
    NormalBody,
    OrthogonalBody,
    SymmetricBody,
    ValueBody,
    divided_law,
    interpolation,
)
from initcli.initializers.registry import register
from initcli.kernel_laws import ForgetBias
from initcli.laws import Law

_FANS = {"in": "fan_in", "out": "fan_out", "avg": "fan_avg"}


class MxnetInitializer(Initializer):
    """An initializer of the framework `mxnet`."""

    framework: ClassVar[str] = "mxnet"


@register
class Zero(MxnetInitializer, Filled):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "zero"
    aliases: ClassVar[tuple[str, ...]] = ("zeros",)
    filling: ClassVar[int] = 0


@register
class One(MxnetInitializer, Filled):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "one"
    aliases: ClassVar[tuple[str, ...]] = ("ones",)
    filling: ClassVar[int] = 1


@register
@dataclass(frozen=True)
class Constant(MxnetInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(MISSING, "the value of every element")


@register
@dataclass(frozen=True)
class Uniform(MxnetInitializer, SymmetricBody):
    """Draw from a uniform distribution around zero: Gluon's default for every weight.

    W ~ U[−scale, scale),  std = scale / √3

    Bounds: ±scale
    Differs: Keras's and Chainer's default is ±0.05, Lasagne's ±0.01; JAX draws from [0, scale).
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "uniform"

    scale: float = parameter(0.07, "the bound on either side of zero, ≥ 0")


@register
@dataclass(frozen=True)
class Normal(MxnetInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(0, sigma²)

    Bounds: none; in float32 the farthest value lies at ±6.34 sigma
    Differs: the default std is 0.05 in Keras and Chainer, 1 in PyTorch, Paddle and MLX.
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "normal"
    std_name: ClassVar[str] = "sigma"

    sigma: float = parameter(0.01, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class Orthogonal(MxnetInitializer, OrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = scale Q, (rows, …) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±scale; every entry has mean square scale² / max(rows, cols)
    Differs: MXNet takes an SVD without fixing signs; here Q is Haar's for either rand_type. The default scale is no √2.
    Source: MXNet 2.0; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.414, "what Q is multiplied with")
    rand_type: str = parameter("uniform", "what MXNet makes Q from, uniform or normal; it changes nothing here")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("rand_type", self.rand_type, ("uniform", "normal"))


@register
@dataclass(frozen=True)
class Xavier(MxnetInitializer):
    """Draw with a variance that is scaled to the fan of the shape.

    uniform: W ~ U[−c, c);  gaussian: W ~ N(0, c²);  c = √(magnitude / n),  n = fan_in, fan_out or their mean

    >>> Xavier("gaussian").law((128, 784)).std
    0.08111071056538127

    Bounds: uniform ±c; gaussian none
    Differs: `gaussian` is √3 too wide against Glorot's unless magnitude is 1; Caffe's xavier takes fan_in.
    Source: MXNet 2.0; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier"

    rnd_type: str = parameter("uniform", "uniform or gaussian")
    factor_type: str = parameter("avg", "which fan: avg, in or out")
    magnitude: float = parameter(3, "the bound's square, or the variance, for a fan of one; ≥ 0")

    def __post_init__(self) -> None:
        check_choice("rnd_type", self.rnd_type, ("uniform", "gaussian"))
        check_choice("factor_type", self.factor_type, tuple(_FANS))
        parse_number("magnitude", self.magnitude, least=0)

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan = getattr(fans or self.fans(shape), _FANS[self.factor_type])
        if self.rnd_type == "uniform":
            return divided_law(self, shape, "uniform", self.magnitude / 3, fan)
        return divided_law(self, shape, "untruncated_normal", self.magnitude, fan)


@register
@dataclass(frozen=True)
class MSRAPrelu(MxnetInitializer):
    """Draw weights so that layers with a leaky rectifier keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = √(2 / ((1 + slope²) n)),  n = fan_in, fan_out or their mean

    >>> round(MSRAPrelu().law((128, 784)).std, 12)
    0.06424925662

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: He's is factor_type in and slope 0, as in Keras and PyTorch.
    Source: MXNet 2.0; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "msra_prelu"
    aliases: ClassVar[tuple[str, ...]] = ("msraprelu",)

    factor_type: str = parameter("avg", "which fan: avg, in or out")
    slope: float = parameter(0.25, "the negative slope of the rectifier")

    def __post_init__(self) -> None:
        check_choice("factor_type", self.factor_type, tuple(_FANS))
        parse_number("slope", self.slope)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Xavier("gaussian", self.factor_type, 2 / (1 + self.slope**2)).law(shape, fans)


@register
class Bilinear(MxnetInitializer):
    """Let a transposed convolution interpolate linearly, every input with every output alike.

    W[o, i, y, x] = (1 − |x / f − c|) (1 − |y / f − c|),  f = ⌈K / 2⌉,  c = (2 f − 1 − f mod 2) / 2 f,  K = shape[3]

    Bounds: from 0 to 1
    Differs: Chainer's kernel is symmetric for odd K too, and on the diagonal of the channels; Paddle's y is fractional.
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return interpolation(self, shape)


@register
@dataclass(frozen=True)
class LSTMBias(MxnetInitializer):
    """Open the forget gates of an LSTM's bias, and leave the other gates at zero.

    W[i] = forget_bias for h ≤ i < 2 h, else 0;  h = size / 4, the gates in the order i, f, c, o

    Bounds: 0 and forget_bias
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "lstm_bias"

    forget_bias: float = parameter(1.0, "the bias of the forget gate")

    def __post_init__(self) -> None:
        parse_number("forget_bias", self.forget_bias)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1, 1)
        return ForgetBias(shape[0], self.forget_bias)
