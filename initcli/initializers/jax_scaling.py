"""JAX's variance scaling and its named children, whose fans are read from axes that the caller can name.

Here `normal` is not cut, unlike in Keras, and a fan below one, which axes named twice can give, is not raised to one.

Source: jax-ml/jax v0.10.2, `jax/_src/nn/initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import sqrt
from typing import ClassVar

from initcli.fans import Axes, Fans, jax_fans
from initcli.initializers.arguments import check_choice, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.bodies import divided_law
from initcli.initializers.jax import JaxInitializer, parse_axis
from initcli.initializers.registry import register
from initcli.laws import Law, Normal, Uniform

_CUT = 0.95311164380491208
"""What JAX takes for the std of a complex normal cut at a modulus of 2: √(1 − 5 e⁻⁴), where it is 0.96196183."""

_MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
_DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")


@dataclass(frozen=True, kw_only=True)
class _Scaled(JaxInitializer):
    """What scales with fans: the axes that these are read from. They follow a child's own parameters."""

    in_axis: int | tuple[int, ...] = parameter(-2, "the axis, or the axes, that count the inputs")
    out_axis: int | tuple[int, ...] = parameter(-1, "the axis, or the axes, that count the outputs")
    batch_axis: int | tuple[int, ...] = parameter((), "the axis, or the axes, that no fan counts")

    def __post_init__(self) -> None:
        for name in ("in_axis", "out_axis", "batch_axis"):
            object.__setattr__(self, name, _parse_axes(name, getattr(self, name)))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return jax_fans(shape, self.in_axis, self.out_axis, self.batch_axis)

    def complex_law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return JAX's complex laws: the uniform over a disk, a normal, or one whose modulus is cut.

        √variance stands for the std of the whole number; the cut one is divided by 0.953, as JAX does, and so comes out
        0.93 % wider than it should.
        """
        from initcli.laws.complex import AlikeParts, CutModulus, Disk

        law = self.law(shape, fans)
        if isinstance(law, Uniform):
            return Disk(sqrt(2) * law.std)
        return AlikeParts(Normal(0.0, law.std / sqrt(2))) if isinstance(law, Normal) else CutModulus(law.std / _CUT)

    def scale_law(self, rule: tuple[float, str, str], shape: tuple[int, ...], fans: Fans | None) -> Law:
        """Return the law of variance scale / fan; `rule` is scale, mode and distribution."""
        scale, mode, distribution = rule
        fan = getattr(fans or self.fans(shape), mode)
        return divided_law(self, shape, "untruncated_normal" if distribution == "normal" else distribution, scale, fan)


def _parse_axes(parameter_name: str, value: object) -> Axes:
    """Return one axis, or a tuple of them."""
    if isinstance(value, tuple | list):
        return tuple(parse_axis(parameter_name, axis) for axis in value)
    return parse_axis(parameter_name, value)


@register
@dataclass(frozen=True)
class VarianceScaling(_Scaled):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = fan_in, fan_out, (fan_in + fan_out) / 2 or √(fan_in fan_out)
    fan_in = size / (out batch),  fan_out = size / (in batch), the axes named by in_axis, out_axis, batch_axis
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    >>> VarianceScaling(2.0, "fan_in", "normal", in_axis=1, out_axis=0).law((128, 784)).std
    0.050507627227610534

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; normal none
    Differs: Keras's `normal` is cut, and its fans are at least 1; JAX has no default scale, mode or distribution.
    Source: JAX 0.10; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    name: ClassVar[str] = "variance_scaling"

    scale: float = parameter(MISSING, "the variance for a fan of one, ≥ 0")
    mode: str = parameter(MISSING, "which fan: fan_in, fan_out, fan_avg or fan_geo_avg")
    distribution: str = parameter(MISSING, "truncated_normal, normal (not cut) or uniform")

    def __post_init__(self) -> None:
        parse_number("scale", self.scale, least=0)
        check_choice("mode", self.mode, _MODES)
        check_choice("distribution", self.distribution, _DISTRIBUTIONS)
        super().__post_init__()

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law((self.scale, self.mode, self.distribution), shape, fans)


class _Named(_Scaled):
    """A named child of `VarianceScaling`."""

    rule: ClassVar[tuple[float, str, str]]
    """The scale, mode and distribution that the name stands for."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law(self.rule, shape, fans)


@register
class GlorotUniform(_Named):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))

    >>> GlorotUniform().law((784, 128)).high
    0.08111071056538127

    Bounds: ±√(6 / (fan_in + fan_out))
    Differs: Keras takes rank 1 and empty shapes too; PyTorch's xavier_uniform reads (out, in, …).
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("xavier_uniform",)
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@register
class GlorotNormal(_Named):
    """Draw weights that keep the variance both going forward and coming back, from a cut normal.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))

    Bounds: ±2.2737 std
    Differs: PyTorch's xavier_normal is not cut.
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_normal"
    aliases: ClassVar[tuple[str, ...]] = ("xavier_normal",)
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "truncated_normal")


@register
class LecunUniform(_Named):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)

    Bounds: ±√(3 / fan_in)
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
class LecunNormal(_Named):
    """Draw weights whose outputs have the variance of their inputs; Flax's default for dense and convolution kernels.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: Sonnet, Haiku and tf.js cut without correcting (0.8796 std); Chainer does not cut.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "truncated_normal")


@register
class HeUniform(_Named):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)

    Bounds: ±√(6 / fan_in)
    Differs: PyTorch's Linear calls kaiming_uniform with a = √5, whose L is √(1 / fan_in).
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_uniform",)
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "uniform")


@register
class HeNormal(_Named):
    """Draw weights so that ReLU layers keep their variance going forward.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)

    Bounds: ±2.2737 std
    Differs: PyTorch's kaiming_normal is not cut.
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_normal",)
    rule: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "truncated_normal")
