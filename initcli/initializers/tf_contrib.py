"""TensorFlow 1's `tf.contrib.layers` initializers, whose cut normals are widened by √1.3, close to the exact 1.1368.

Source: tensorflow/tensorflow v1.13, `tensorflow/contrib/layers/python/layers/initializers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras_fans
from initcli.initializers.arguments import check_choice, check_flag, check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.laws import Law

_WIDENING = 1.3
"""What contrib multiplies the variance with for the cut at ±2, in place of 1 / 0.87962566² = 1.2924."""


class _ContribInitializer(Initializer):
    """An initializer of the framework `tf_contrib`."""

    framework: ClassVar[str] = "tf_contrib"

    uniform: bool

    def __post_init__(self) -> None:
        check_flag("uniform", self.uniform)

    def fans(self, shape: tuple[int, ...]) -> Fans:
        check_rank(self.name, shape, 1)
        return keras_fans(shape)

    def scale_law(self, factor: float, mode: str, shape: tuple[int, ...], fans: Fans | None) -> Law:
        """Return the law of variance factor / fan, to the error of 1.3."""
        fan = getattr(fans or self.fans(shape), mode.lower())
        if not fan:
            what = f"`{self.name}` cannot divide by a fan of 0, got {list(shape)}"
            raise ArgumentError(what, "use `zeros` for an empty tensor", parameter="shape")
        if self.uniform:
            return scaled_law("uniform", factor / fan, fan=1.0)
        return scaled_law("uncorrected_normal", _WIDENING * factor / fan, fan=1.0)


@register
@dataclass(frozen=True)
class VarianceScaling(_ContribInitializer):
    """Draw with a variance that is scaled to the fan of the shape.

    normal: N(0, s²) kept within ±2 s, s = √(1.3 factor / n), std = 1.0029276 √(factor / n)
    uniform: U[−L, L), L = √(3 factor / n);  n = fan_in, fan_out or (fan_in + fan_out) / 2

    >>> VarianceScaling().law((3, 3, 64, 128)).std
    0.05909807334396278

    Bounds: normal ±2 √(1.3 factor / n); uniform ±√(3 factor / n)
    Differs: TensorFlow's own, since 1.10, has the std √(scale / n) exactly, and lower-case modes.
    Source: TensorFlow 1.13 contrib; He, Zhang, Ren & Sun (2015) for factor 2
    """

    name: ClassVar[str] = "variance_scaling"
    aliases: ClassVar[tuple[str, ...]] = ("variance_scaling_initializer",)

    factor: float = parameter(2.0, "the variance for a fan of one, ≥ 0")
    mode: str = parameter("FAN_IN", "which fan: FAN_IN, FAN_OUT or FAN_AVG")
    uniform: bool = parameter(False, "whether to draw uniformly and not from the cut normal")

    def __post_init__(self) -> None:
        parse_number("factor", self.factor, least=0)
        check_choice("mode", self.mode, ("FAN_IN", "FAN_OUT", "FAN_AVG"))
        super().__post_init__()

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law(self.factor, self.mode, shape, fans)


@register
@dataclass(frozen=True)
class Xavier(_ContribInitializer):
    """Draw weights that keep the variance both going forward and coming back.

    uniform: U[−L, L), L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))
    normal: N(0, s²) kept within ±2 s,  s = √(2.6 / (fan_in + fan_out)),  std = 1.0029276 √(2 / (fan_in + fan_out))

    Bounds: uniform ±√(6 / (fan_in + fan_out)); normal ±2 √(2.6 / (fan_in + fan_out))
    Differs: Keras's glorot_normal has the std exactly; PyTorch's xavier_normal is not cut.
    Source: TensorFlow 1.13 contrib, whose text promises √(3 / (in + out)); Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier"
    aliases: ClassVar[tuple[str, ...]] = ("xavier_initializer", "xavier_initializer_conv2d")

    uniform: bool = parameter(True, "whether to draw uniformly and not from the cut normal")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return self.scale_law(1.0, "FAN_AVG", shape, fans)
