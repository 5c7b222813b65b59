"""Keras's variance scaling and its named children: one body, eight names.

The laws are those that Keras has had since 2.2.0: a cut normal is widened so that the std holds after the cut.

Source: keras-team/keras v3.15.1, `keras/src/initializers/random_initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras_fans
from initcli.initializers.base import check_choice, parameter, parse_number
from initcli.initializers.keras import KerasInitializer
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.laws import Law

_MODES = ("fan_in", "fan_out", "fan_avg")

Rule: TypeAlias = tuple[float, str, str]
"""A scale, a mode and a distribution."""


def uncorrected(rule: Rule) -> Rule:
    """Return the rule with its cut normal not widened: the laws of Keras up to 2.1 and TensorFlow up to 1.9."""
    scale, mode, distribution = rule
    return scale, mode, "uniform" if distribution == "uniform" else "uncorrected_normal"


class ScaledInitializer(KerasInitializer):
    """What scales with fans, which Keras reads from (receptive field…, in, out)."""

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return keras_fans(shape)

    def scale_law(self, rule: Rule, shape: tuple[int, ...], fans: Fans | None) -> Law:
        """Return the law of variance scale / max(1, fan)."""
        scale, mode, distribution = rule
        return scaled_law(distribution, scale, getattr(fans or self.fans(shape), mode))


@register
@dataclass(frozen=True)
class VarianceScaling(ScaledInitializer):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    >>> VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal").law((3, 3, 64, 128)).std
    0.041666666666666664

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; untruncated_normal none
    Differs: Keras 2.0 to 2.1 and TensorFlow up to 1.9 cut at ±2 std, uncorrected: 0.8796 std; JAX's `normal` is uncut.
    Source: Keras 3.15; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    name: ClassVar[str] = "variance_scaling"
    distributions: ClassVar[tuple[str, ...]] = ("truncated_normal", "untruncated_normal", "uniform", "normal")

    scale: float = parameter(1.0, "the variance for a fan of one, > 0")
    mode: str = parameter("fan_in", "which fan: fan_in, fan_out or fan_avg")
    distribution: str = parameter(
        "truncated_normal", "truncated_normal (also called normal), untruncated_normal or uniform"
    )

    def __post_init__(self) -> None:
        if parse_number("scale", self.scale) <= 0:
            raise ArgumentError(f"`scale` must be positive, got {self.scale}", parameter="scale")
        check_choice("mode", self.mode, _MODES)
        object.__setattr__(self, "distribution", str(self.distribution).lower())
        check_choice("distribution", self.distribution, self.distributions)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law((self.scale, self.mode, self.distribution), shape, fans)


class _Named(ScaledInitializer):
    """A named child of `VarianceScaling`."""

    rule: ClassVar[Rule]
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
    Differs: Keras 2.0 to 2.3 take √n for the fans of rank 1; PyTorch calls it xavier_uniform and reads (out, in, …).
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[Rule] = (1.0, "fan_avg", "uniform")


@register
class GlorotNormal(_Named):
    """Draw weights that keep the variance both going forward and coming back, from a cut normal.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))

    Bounds: ±2.2737 std
    Differs: PyTorch's xavier_normal is not cut; Keras 2.0 to 2.1 and TensorFlow up to 1.9 give 0.8796 std.
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[Rule] = (1.0, "fan_avg", "truncated_normal")


@register
class HeUniform(_Named):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)

    Bounds: ±√(6 / fan_in)
    Differs: PyTorch's Linear calls kaiming_uniform with a = √5, whose L is √(1 / fan_in).
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[Rule] = (2.0, "fan_in", "uniform")


@register
class HeNormal(_Named):
    """Draw weights so that ReLU layers keep their variance going forward.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)

    >>> HeNormal().law((784, 256)).std
    0.050507627227610534

    Bounds: ±2.2737 std
    Differs: PyTorch's kaiming_normal is not cut; Keras 2.0 to 2.1 give 0.8796 std.
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[Rule] = (2.0, "fan_in", "truncated_normal")


@register
class LecunUniform(_Named):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)

    Bounds: ±√(3 / fan_in)
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_uniform"
    rule: ClassVar[Rule] = (1.0, "fan_in", "uniform")


@register
class LecunNormal(_Named):
    """Draw weights whose outputs have the variance of their inputs; the companion of SELU.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: Sonnet, Haiku and tf.js cut without correcting (0.8796 std); Chainer does not cut.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[Rule] = (1.0, "fan_in", "truncated_normal")
