"""Paddle's Xavier and Kaiming, for matrices (in, out) and kernels (out, in, receptive field…).

Source: Paddle 3.3.1, `paddle/nn/initializer/{xavier,kaiming,initializer}.py`; its errors and moments were seen by
running it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, paddle_fans
from initcli.initializers.arguments import check_choice, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.bodies import divided_law
from initcli.initializers.gains import calculate_gain
from initcli.initializers.paddle import PaddleInitializer
from initcli.initializers.registry import register
from initcli.laws import Constant, Law


@dataclass(frozen=True)
class _Xavier(PaddleInitializer):
    """Both of Xavier: std = gain √(2 / (fan_in + fan_out)), or 0 where a fan is 0."""

    distribution: ClassVar[str]

    fan_in: float | None = parameter(None, "the fan_in to take, if not the shape's")
    fan_out: float | None = parameter(None, "the fan_out to take, if not the shape's")
    gain: float = parameter(1.0, "what the std is multiplied with")

    def __post_init__(self) -> None:
        for name in ("fan_in", "fan_out"):
            if getattr(self, name) is not None:
                parse_number(name, getattr(self, name))
        self.gain_value()

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return paddle_fans(shape)

    def gain_value(self) -> float:
        return parse_number("gain", self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        read = fans or self.fans(shape)
        fan_in = read.fan_in if self.fan_in is None else self.fan_in
        fan_out = read.fan_out if self.fan_out is None else self.fan_out
        if not (fan_in and fan_out):
            return Constant(0.0)
        if fan_in + fan_out <= 0:
            what = f"the fans must add up to more than 0, got {fan_in} and {fan_out}"
            raise ArgumentError(what, parameter="fan_in" if fan_in < 0 else "fan_out")
        return divided_law(self, shape, self.distribution, 1.0, Fans(fan_in, fan_out).fan_avg, abs(self.gain))


@register
class XavierUniform(_Xavier):
    """Draw weights that keep the variance both going forward and coming back, uniformly: Paddle's default.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out)), or 0 where a fan is 0

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: PyTorch's reads matrices as (out, in) too, and refuses rank 1.
    Source: Paddle 3.3; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_uniform"
    distribution: ClassVar[str] = "uniform"


@register
class XavierNormal(_Xavier):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out)), or 0 where a fan is 0

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's glorot_normal is cut at ±2.2737 std.
    Source: Paddle 3.3; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "xavier_normal"
    distribution: ClassVar[str] = "untruncated_normal"


@dataclass(frozen=True)
class _Kaiming(PaddleInitializer):
    """Both of Kaiming: std = gain / √fan."""

    distribution: ClassVar[str]

    fan_in: float | None = parameter(None, "the fan_in to take, if not the shape's")
    negative_slope: float | bool | None = parameter(0.0, "the negative slope, where it is leaky_relu; none is 0.01")
    nonlinearity: str = parameter("relu", "whose gain it is")
    mode: str = parameter("fan_in", "which fan: fan_in or fan_out, which no fan_in can be given with")

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, ("fan_in", "fan_out"))
        if self.fan_in is not None:
            parse_number("fan_in", self.fan_in, least=0)
            if self.mode == "fan_out":
                what = "`fan_in` cannot be given where the mode is `fan_out`"
                raise ArgumentError(what, "leave one of them out", parameter="fan_in")
        if not isinstance(self.negative_slope, bool | None):
            parse_number("negative_slope", self.negative_slope)
        self.gain_value()

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return paddle_fans(shape)

    def gain_value(self) -> float:
        """Return PyTorch's gain; Paddle also writes conv2d_transpose for conv_transpose2d."""
        nonlinearity = re.sub(r"^conv(\dd)_transpose$", r"conv_transpose\1", str(self.nonlinearity))
        return calculate_gain(nonlinearity, None if self.negative_slope is None else float(self.negative_slope))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan = getattr(fans or self.fans(shape), self.mode) if self.fan_in is None else self.fan_in
        return divided_law(self, shape, self.distribution, 1.0, fan, self.gain_value())


@register
class KaimingUniform(_Kaiming):
    """Draw weights so that layers with a rectifier keep their variance, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan),  gain = √2 for relu, √(2 / (1 + negative_slope²)) for leaky_relu

    Bounds: ±gain √(3 / fan)
    Differs: PyTorch's default is leaky_relu with a = 0, the same gain; a matrix is (in, out) here.
    Source: Paddle 3.3; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_uniform"
    distribution: ClassVar[str] = "uniform"


@register
class KaimingNormal(_Kaiming):
    """Draw weights so that layers with a rectifier keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan,  gain = √2 for relu, √(2 / (1 + negative_slope²)) for leaky_relu

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std; PyTorch's reads matrices as (out, in).
    Source: Paddle 3.3; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_normal"
    distribution: ClassVar[str] = "untruncated_normal"
