"""PyTorch's Xavier and Kaiming initializers: one variance scaling, whose fan and gain each reads in its own way.

Source: pytorch/pytorch v2.13.0, `torch/nn/init.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, torch_fans
from initcli.initializers.arguments import check_choice, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.gains import calculate_gain, parse_gain
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.initializers.torch import GAIN_MEANING, TorchInitializer
from initcli.laws import Law


@dataclass(frozen=True)
class _Xavier(TorchInitializer):
    """Both of Xavier: std = gain √(2 / (fan_in + fan_out))."""

    draws_complex: ClassVar[bool] = True
    _distribution: ClassVar[str]

    gain: float | str = parameter(1.0, f"{GAIN_MEANING}; ≥ 0")

    def __init_subclass__(cls, *, distribution: str, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls._distribution = distribution

    def __post_init__(self) -> None:
        parse_number("gain", self.gain_value(), least=0)

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return torch_fans(shape)

    def gain_value(self) -> float:
        return parse_gain(self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fans = fans or self.fans(shape)
        if not fans.fan_avg:
            what = f"`{self.name}` needs a fan that is not zero, got {list(shape)}"
            raise ArgumentError(what, "use `zeros` for an empty tensor", parameter="shape")
        return scaled_law(self._distribution, 1.0, fans.fan_avg, self.gain_value())


@register
class XavierUniform(_Xavier, distribution="uniform"):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out)),  std = gain √(2 / (fan_in + fan_out))

    >>> XavierUniform(gain="relu").law((128, 784)).high
    0.1147078669352809

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: Keras and JAX call it glorot_uniform, without a gain, and read (…, in, out).
    Source: PyTorch 2.13; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_uniform"


@register
class XavierNormal(_Xavier, distribution="untruncated_normal"):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's glorot_normal is cut at ±2.2737 std.
    Source: PyTorch 2.13; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_normal"


@dataclass(frozen=True)
class _Kaiming(TorchInitializer):
    """Both of Kaiming: std = gain / √fan. Empty tensors are let through whatever their rank, as PyTorch does."""

    draws_complex: ClassVar[bool] = True
    _distribution: ClassVar[str]

    a: float = parameter(0, "the negative slope, where the nonlinearity is leaky_relu")
    mode: str = parameter("fan_in", "which fan: fan_in or fan_out")
    nonlinearity: str = parameter("leaky_relu", "whose gain it is; leaky_relu with a = 0 is relu")

    def __init_subclass__(cls, *, distribution: str, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls._distribution = distribution

    def __post_init__(self) -> None:
        parse_number("a", self.a)
        object.__setattr__(self, "mode", str(self.mode).lower())
        check_choice("mode", self.mode, ("fan_in", "fan_out"))
        self.gain_value()

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return Fans(0, 0) if 0 in shape else torch_fans(shape)

    def gain_value(self) -> float:
        return calculate_gain(self.nonlinearity, self.a)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fans = fans or self.fans(shape)
        return scaled_law(self._distribution, 1.0, getattr(fans, self.mode), self.gain_value())


@register
class KaimingUniform(_Kaiming, distribution="uniform"):
    """Draw weights so that layers with a rectifier keep their variance, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan),  std = gain / √fan,  gain = √(2 / (1 + a²)) for leaky_relu

    >>> KaimingUniform(a=5**0.5).law((128, 784)).high  # what Linear calls: 1 / √fan_in
    0.03571428571428571

    Bounds: ±gain √(3 / fan)
    Differs: Keras calls it he_uniform, with the gain √2, and reads (…, in, out).
    Source: PyTorch 2.13; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_uniform"


@register
class KaimingNormal(_Kaiming, distribution="untruncated_normal"):
    """Draw weights so that layers with a rectifier keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan,  gain = √(2 / (1 + a²)) for leaky_relu

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std.
    Source: PyTorch 2.13; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_normal"
