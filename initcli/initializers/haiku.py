"""Haiku's initializers, for shapes (receptive field…, in, out). Here `normal` is not cut.

Haiku's linear and convolution layers use truncated_normal(1 / √fan_in), uncorrected, unless told otherwise.

Source: google-deepmind/dm-haiku 0.0.17, `haiku/_src/initializers.py`; its errors and moments were seen by running it on
jax 0.10.2.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, haiku_fans, resolve_axis
from initcli.initializers.arguments import check_choice, check_rank
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    ArrayBody,
    CutBody,
    GainBody,
    IdentitiesBody,
    NormalBody,
    ScaledBody,
    SizedBody,
    UniformBody,
)
from initcli.initializers.jax import Orthogonal as JaxOrthogonal
from initcli.initializers.jax import parse_axis
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.laws import Law


class HaikuInitializer(Initializer):
    """An initializer of the framework `haiku`."""

    framework: ClassVar[str] = "haiku"
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class Constant(HaikuInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = constant

    Bounds: the least and the greatest value
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "constant"

    constant: float | int | bool | tuple[Any, ...] = parameter(MISSING, "the value of every element, or an array")


@register
@dataclass(frozen=True)
class RandomNormal(HaikuInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, stddev²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 stddev
    Differs: the stddev comes first here; its default is 0.05 in Keras, 0.01 in JAX.
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "random_normal"
    std_name: ClassVar[str] = "stddev"

    stddev: float = parameter(1.0, "the standard deviation of the values")
    mean: float = parameter(0.0, "the mean of the values")


@register
@dataclass(frozen=True)
class TruncatedNormal(HaikuInitializer, CutBody):
    """Draw from a normal distribution cut at multiples of its standard deviation.

    W = mean + stddev Z,  Z ~ N(0, 1) kept within [lower, upper];  std = 0.87962566 stddev for the default cut at ±2

    Bounds: mean + lower stddev ≤ W ≤ mean + upper stddev
    Differs: PyTorch and Paddle cut at absolute values; Keras's default stddev is 0.05, JAX's 0.01.
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "truncated_normal"
    std_name: ClassVar[str] = "stddev"
    edge_names: ClassVar[tuple[str, str]] = ("lower", "upper")
    is_relative: ClassVar[bool] = True

    stddev: float = parameter(1.0, "the standard deviation before the cut")
    mean: float = parameter(0.0, "the mean before the cut")
    lower: float = parameter(-2.0, "the lower end of what is kept, in units of stddev")
    upper: float = parameter(2.0, "the upper end of what is kept, in units of stddev; ≥ lower")


@register
@dataclass(frozen=True)
class RandomUniform(HaikuInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[minval, maxval),  std = (maxval − minval) / √12

    Bounds: minval ≤ W < maxval
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "random_uniform"
    edge_names: ClassVar[tuple[str, str]] = ("minval", "maxval")
    refuses_negative: ClassVar[bool] = True

    minval: float = parameter(0.0, "the lower bound, which can be drawn")
    maxval: float = parameter(1.0, "the upper bound, which cannot; ≥ minval")


@dataclass(frozen=True)
class ScalingBody(SizedBody):
    """Variance scaling as Haiku and Sonnet have it."""

    scale: float = parameter(1.0, "the variance for a fan of one")
    mode: str = parameter("fan_in", "which fan: fan_in, fan_out or fan_avg")
    distribution: str = parameter("truncated_normal", "truncated_normal, normal (not cut) or uniform")

    def __post_init__(self) -> None:
        self._check_size("scale", self.scale)
        check_choice("mode", self.mode, ("fan_in", "fan_out", "fan_avg"))
        object.__setattr__(self, "distribution", str(self.distribution).lower())
        check_choice("distribution", self.distribution, ("truncated_normal", "normal", "uniform"))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return haiku_fans(shape)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        distribution = "untruncated_normal" if self.distribution == "normal" else self.distribution
        return scaled_law(distribution, self.scale, getattr(fans or self.fans(shape), self.mode))


@register
@dataclass(frozen=True)
class VarianceScaling(HaikuInitializer, ScalingBody):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; normal none
    Differs: Keras's `normal` is cut; Haiku's layers cut without correcting: 0.8796 std.
    Source: Haiku 0.0.17; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    name: ClassVar[str] = "variance_scaling"
    refuses_negative: ClassVar[bool] = True

    fan_in_axes: tuple[int, ...] | None = parameter(None, "above rank 2, the axes that count the inputs")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fan_in_axes is not None:
            axes: object = self.fan_in_axes
            if not isinstance(axes, tuple | list):
                what = f"`fan_in_axes` must be a list of axes, got `{axes}`"
                raise ArgumentError(what, f"write `[{axes}]`", parameter="fan_in_axes")
            object.__setattr__(self, "fan_in_axes", tuple(parse_axis("fan_in_axes", axis) for axis in axes))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return haiku_fans(shape, self.fan_in_axes)


@register
@dataclass(frozen=True)
class UniformScaling(HaikuInitializer, ScaledBody):
    """Draw weights whose outputs have the variance of their inputs, times a factor, uniformly.

    W ~ U[−L, L),  L = scale √(3 / n),  n = the product of all axes but the last

    Bounds: ±scale √(3 / n)
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "uniform_scaling"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")
    gain_name: ClassVar[str] = "scale"
    refuses_negative: ClassVar[bool] = True

    scale: float = parameter(1.0, "what the bound is multiplied with, ≥ 0")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        """Return all axes but the last as inputs, the last as outputs."""
        return Fans(prod(shape[:-1]), prod(shape[-1:]))

    def takes_empty(self, shape: tuple[int, ...]) -> bool:
        return True


@register
@dataclass(frozen=True)
class Orthogonal(HaikuInitializer, GainBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = scale Q, `axis` moved last and the others flattened to rows;
    Q has orthonormal columns, or rows where there are fewer rows than columns

    Bounds: ±scale; every entry has mean square scale² / max(rows, columns)
    Differs: JAX calls the axis column_axis; PyTorch flattens (out, …) to out × rest. The bits rest on LAPACK.
    Source: Haiku 0.0.17; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "scale"

    scale: float = parameter(1.0, "what Q is multiplied with")
    axis: int = parameter(-1, "the axis along which the columns of Q are counted")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "axis", parse_axis("axis", self.axis))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        return JaxOrthogonal(self.scale, resolve_axis("axis", self.axis, shape)).law(shape)


@register
class Identity(HaikuInitializer, IdentitiesBody):
    """Put ones on the main diagonal of every matrix along the last two axes.

    W[…, i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras's takes rank 2 only; Flux's puts one matrix at the centre of a kernel.
    Source: Haiku 0.0.17
    """

    name: ClassVar[str] = "identity"
