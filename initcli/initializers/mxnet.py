"""MXNet's initializers, for shapes (out, in, receptive field…).

Those that go by a parameter's name (Mixed, Load) or by a packed vector's parts (RNNFused) are not here.

Source: apache/mxnet@b84609d, `python/mxnet/initializer.py`; read, not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from math import prod
from typing import Any, ClassVar

from initcli.fans import Fans, torch_fans
from initcli.initializers.arguments import check_choice, check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    ArrayBody,
    NormalBody,
    OnesBody,
    ScaledBody,
    SvdBody,
    SymmetricBody,
    ZerosBody,
    lopsided_kernel,
)
from initcli.initializers.registry import register
from initcli.laws import ElementwiseLaw, Law
from initcli.laws import Normal as NormalLaw
from initcli.laws import Uniform as UniformLaw
from initcli.laws.kernel import ForgetBias


class MxnetInitializer(Initializer):
    """An initializer of the framework `mxnet`."""

    framework: ClassVar[str] = "mxnet"


@register
class Zero(MxnetInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "zero"
    aliases: ClassVar[tuple[str, ...]] = ("zeros",)


@register
class One(MxnetInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "one"
    aliases: ClassVar[tuple[str, ...]] = ("ones",)


@register
@dataclass(frozen=True)
class Constant(MxnetInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = value

    Bounds: the least and the greatest value
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool | tuple[Any, ...] = parameter(MISSING, "the value of every element, or an array")


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
class Orthogonal(MxnetInitializer, SvdBody):
    """Draw a matrix of singular vectors: its rows or its columns are orthonormal, whichever are fewer.

    W = scale U of the thin SVD U S Vᵀ of a rows × cols matrix, or scale Vᵀ where rows < cols;  (rows, …) is flattened
    the matrix has entries from U[−1, 1), or from N(0, 1) for normal

    Bounds: ±scale; every entry has mean square scale² / max(rows, cols)
    Differs: Others fix the signs, for a Haar matrix; the default scale is no √2. The bits rest on LAPACK.
    Source: MXNet 2.0; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.414, "what the singular vectors are multiplied with")
    rand_type: str = parameter("uniform", "what the matrix's entries are: uniform or normal")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("rand_type", self.rand_type, ("uniform", "normal"))

    @property
    def entries(self) -> ElementwiseLaw:
        return UniformLaw(-1.0, 1.0) if self.rand_type == "uniform" else NormalLaw()


class _Scaled(MxnetInitializer, ScaledBody):
    """Xavier and MSRAPrelu: what scales with a fan."""

    mode_name: ClassVar[str] = "factor_type"
    modes: ClassVar[Mapping[str, str]] = {"avg": "fan_avg", "in": "fan_in", "out": "fan_out"}

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)


@register
@dataclass(frozen=True)
class Xavier(_Scaled):
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
        super().__post_init__()
        check_choice("rnd_type", self.rnd_type, ("uniform", "gaussian"))
        parse_number("magnitude", self.magnitude, least=0)

    def chosen_rule(self) -> tuple[float, str, str]:
        if self.rnd_type == "uniform":
            return self.magnitude / 3, "", "uniform"
        return self.magnitude, "", "untruncated_normal"


@register
@dataclass(frozen=True)
class MSRAPrelu(_Scaled):
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
        super().__post_init__()
        parse_number("slope", self.slope)

    def chosen_rule(self) -> tuple[float, str, str]:
        return 2 / (1 + self.slope**2), "", "untruncated_normal"


@register
class Bilinear(MxnetInitializer):
    """Let a transposed convolution interpolate linearly, every input with every output alike.

    W[o, i, y, x] = (1 − |x / f − c|) (1 − |y / f − c|),  f = ⌈K / 2⌉,  c = (2 f − 1 − f mod 2) / 2 f,  K = shape[3]

    Bounds: from 0 to 1
    Differs: Caffe's and Chainer's are symmetric for every K, Chainer's on the channels' diagonal; Paddle's y slants.
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return lopsided_kernel(self, shape)


@register
@dataclass(frozen=True)
class LSTMBias(MxnetInitializer):
    """Open the forget gates of an LSTM's bias, and leave the other gates at zero.

    W[i] = forget_bias for h ≤ i < 2 h, else 0;  h = ⌊n / 4⌋ of the first axis, the gates in the order i, f, c, o

    Bounds: 0 and forget_bias
    Source: MXNet 2.0
    """

    name: ClassVar[str] = "lstm_bias"
    aliases: ClassVar[tuple[str, ...]] = ("lstmbias",)

    forget_bias: float = parameter(1.0, "the bias of the forget gate")

    def __post_init__(self) -> None:
        parse_number("forget_bias", self.forget_bias)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1)
        return ForgetBias(prod(shape), self.forget_bias, prod(shape[1:]))
