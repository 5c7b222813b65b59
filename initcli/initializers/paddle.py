"""Paddle's initializers, for matrices (in, out) and kernels (out, in, receptive field…). Assign is not here.

Source: PaddlePaddle/Paddle, `python/paddle/nn/initializer/*.py`; read, not run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from initcli.fans import Fans, paddle_fans
from initcli.initializers.base import Initializer, parameter, parse_number
from initcli.initializers.bodies import (
    CutBody,
    NormalBody,
    OrthogonalBody,
    UniformBody,
    ValueBody,
    check_square,
    divided_law,
    interpolation,
)
from initcli.initializers.gains import calculate_gain
from initcli.initializers.registry import register
from initcli.initializers.torch import Dirac as TorchDirac
from initcli.laws import Constant as ConstantLaw
from initcli.laws import Law


class PaddleInitializer(Initializer):
    """An initializer of the framework `paddle`."""

    framework: ClassVar[str] = "paddle"


@register
@dataclass(frozen=True)
class Constant(PaddleInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: Paddle
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(0.0, "the value of every element")


@register
@dataclass(frozen=True)
class Normal(PaddleInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the default std is 0.05 in Keras, 0.01 in JAX, MXNet and Lasagne.
    Source: Paddle
    """

    name: ClassVar[str] = "normal"

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class Uniform(PaddleInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[low, high),  std = (high − low) / √12

    Bounds: low ≤ W < high
    Differs: the default is [−0.05, 0.05) in Keras, [0, 1) in PyTorch, [0, 0.01) in JAX.
    Source: Paddle
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("low", "high")

    low: float = parameter(-1.0, "the lower bound, which can be drawn")
    high: float = parameter(1.0, "the upper bound, which cannot; ≥ low")


@register
@dataclass(frozen=True)
class TruncatedNormal(PaddleInitializer, CutBody):
    """Draw from a normal distribution cut at two values.

    W ~ N(mean, std²) kept within [a, b], which are values and not multiples of std

    Bounds: a ≤ W ≤ b
    Differs: Keras and JAX cut at two std, whatever the std.
    Source: Paddle
    """

    name: ClassVar[str] = "truncated_normal"
    edge_names: ClassVar[tuple[str, str]] = ("a", "b")

    mean: float = parameter(0.0, "the mean before the cut")
    std: float = parameter(1.0, "the standard deviation before the cut, > 0")
    a: float = parameter(-2.0, "the least value")
    b: float = parameter(2.0, "the greatest value, ≥ a")


def _parse_fan(parameter_name: str, fan: float | None) -> None:
    """Raise `ArgumentError` if `fan` is neither None nor a number ≥ 0."""
    if fan is not None:
        parse_number(parameter_name, fan, least=0)


@dataclass(frozen=True)
class _Xavier(PaddleInitializer):
    """Both of Xavier: std = gain √(2 / (fan_in + fan_out)), or 0 where a fan is 0."""

    distribution: ClassVar[str]

    fan_in: float | None = parameter(None, "the fan_in to take, if not the shape's")
    fan_out: float | None = parameter(None, "the fan_out to take, if not the shape's")
    gain: float = parameter(1.0, "what the std is multiplied with, ≥ 0")

    def __post_init__(self) -> None:
        _parse_fan("fan_in", self.fan_in)
        _parse_fan("fan_out", self.fan_out)
        parse_number("gain", self.gain, least=0)

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return paddle_fans(shape)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        read = fans or self.fans(shape)
        taken = Fans(
            read.fan_in if self.fan_in is None else self.fan_in, read.fan_out if self.fan_out is None else self.fan_out
        )
        if not (taken.fan_in and taken.fan_out):
            return ConstantLaw(0.0)
        return divided_law(self, shape, self.distribution, 1.0, taken.fan_avg, self.gain)


@register
class XavierUniform(_Xavier):
    """Draw weights that keep the variance both going forward and coming back, uniformly: Paddle's default.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out)), or 0 where a fan is 0

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: PyTorch's reads matrices as (out, in) too, and refuses rank 1.
    Source: Paddle; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_uniform"
    distribution: ClassVar[str] = "uniform"


@register
class XavierNormal(_Xavier):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out)), or 0 where a fan is 0

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's glorot_normal is cut at ±2.2737 std.
    Source: Paddle; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_normal"
    distribution: ClassVar[str] = "untruncated_normal"


@dataclass(frozen=True)
class _Kaiming(PaddleInitializer):
    """Both of Kaiming: std = gain / √fan_in."""

    distribution: ClassVar[str]

    fan_in: float | None = parameter(None, "the fan_in to take, if not the shape's")
    negative_slope: float = parameter(0.0, "the negative slope, where the nonlinearity is leaky_relu")
    nonlinearity: str = parameter("relu", "whose gain it is")

    def __post_init__(self) -> None:
        _parse_fan("fan_in", self.fan_in)
        parse_number("negative_slope", self.negative_slope)
        self.gain_value()

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return paddle_fans(shape)

    def gain_value(self) -> float:
        """Return PyTorch's gain; Paddle writes conv2d_transpose for conv_transpose2d."""
        nonlinearity = re.sub(r"^conv(\dd)_transpose$", r"conv_transpose\1", str(self.nonlinearity))
        return calculate_gain(nonlinearity, self.negative_slope)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan = (fans or self.fans(shape)).fan_in if self.fan_in is None else self.fan_in
        return divided_law(self, shape, self.distribution, 1.0, fan, self.gain_value())


@register
class KaimingUniform(_Kaiming):
    """Draw weights so that layers with a rectifier keep their variance, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan_in),  gain = √2 for relu, √(2 / (1 + negative_slope²)) for leaky_relu

    Bounds: ±gain √(3 / fan_in)
    Differs: PyTorch's default is leaky_relu with a = 0, the same gain, and it has fan_out; a matrix is (in, out) here.
    Source: Paddle; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_uniform"
    distribution: ClassVar[str] = "uniform"


@register
class KaimingNormal(_Kaiming):
    """Draw weights so that layers with a rectifier keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan_in,  gain = √2 for relu, √(2 / (1 + negative_slope²)) for leaky_relu

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std; PyTorch's reads matrices as (out, in).
    Source: Paddle; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_normal"
    distribution: ClassVar[str] = "untruncated_normal"


@register
@dataclass(frozen=True)
class Orthogonal(PaddleInitializer, OrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (rows, …) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: Keras and JAX flatten (…, cols) to rest × cols. The bits rest on LAPACK.
    Source: Paddle; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "gain"

    gain: float = parameter(1.0, "what Q is multiplied with")


@register
class Dirac(PaddleInitializer, TorchDirac):
    """Let a convolution pass its inputs on unchanged, as many as there are outputs for.

    W[g m + d, d, k // 2, …] = 1 for d < min(m, in) in each group g, else 0;  m = out / groups

    Bounds: 0 and 1
    Differs: Flux's identity_init puts the ones at (k − 1) // 2.
    Source: Paddle
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
    Source: Paddle
    """

    name: ClassVar[str] = "bilinear"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        law = interpolation(self, shape, is_slanted=True)
        check_square(self, shape)
        return law
