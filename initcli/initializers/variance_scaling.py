"""Variance scaling and its six named children, as Keras and TensorFlow share them: bodies, whose pages are theirs.

The laws are those that Keras has had since 2.2.0: a cut normal is widened so that the std holds after the cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras_fans
from initcli.initializers.arguments import check_choice, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.scaling import scaled_law
from initcli.laws import Law

_MODES = ("fan_in", "fan_out", "fan_avg")

Rule: TypeAlias = tuple[float, str, str]
"""A scale, a mode and a distribution."""


def uncorrected(rule: Rule) -> Rule:
    """Return the rule with its cut normal not widened: the laws of Keras up to 2.1 and TensorFlow up to 1.9."""
    scale, mode, distribution = rule
    return scale, mode, "uniform" if distribution == "uniform" else "uncorrected_normal"


class ScaledInitializer(Initializer):
    """What scales with fans, which Keras reads from (receptive field…, in, out)."""

    def __post_init__(self) -> None:
        """Check the parameters, of which there are none."""

    def fans(self, shape: tuple[int, ...]) -> Fans:
        """Return the fans that the framework reads from `shape`."""
        return keras_fans(shape)

    def scale_law(self, rule: Rule, shape: tuple[int, ...], fans: Fans | None) -> Law:
        """Return the law of variance scale / max(1, fan)."""
        scale, mode, distribution = rule
        return scaled_law(distribution, scale, getattr(fans or self.fans(shape), mode))


@dataclass(frozen=True)
class VarianceScaling(ScaledInitializer):
    """std = √(scale / n) of the scale, mode and distribution that are given."""

    name: ClassVar[str] = "variance_scaling"
    distributions: ClassVar[tuple[str, ...]] = ("truncated_normal", "untruncated_normal", "uniform", "normal")

    scale: float = parameter(1.0, "the variance for a fan of one, > 0")
    mode: str = parameter("fan_in", "which fan: fan_in, fan_out or fan_avg")
    distribution: str = parameter(
        "truncated_normal", "truncated_normal (also called normal), untruncated_normal or uniform"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if parse_number("scale", self.scale) <= 0:
            raise ArgumentError(f"`scale` must be positive, got {self.scale}", parameter="scale")
        check_choice("mode", self.mode, _MODES)
        object.__setattr__(self, "distribution", str(self.distribution).lower())
        check_choice("distribution", self.distribution, self.distributions)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law of the parameters."""
        return self.scale_law((self.scale, self.mode, self.distribution), shape, fans)


class _Named(ScaledInitializer):
    """A named child of `VarianceScaling`."""

    rule: ClassVar[Rule]
    """The scale, mode and distribution that the name stands for."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law(self.rule, shape, fans)


class GlorotUniform(_Named):
    """Glorot and Bengio's, uniformly."""

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[Rule] = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Glorot and Bengio's, from a cut normal."""

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[Rule] = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """He's, uniformly."""

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[Rule] = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """He's, from a cut normal."""

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[Rule] = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """LeCun's, uniformly."""

    name: ClassVar[str] = "lecun_uniform"
    rule: ClassVar[Rule] = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """LeCun's, from a cut normal."""

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[Rule] = (1.0, "fan_in", "truncated_normal")
