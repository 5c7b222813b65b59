"""What the smaller frameworks' initializers have in common: bodies without names, whose children have the pages.

A body finds the parameters under the names that the framework gives them.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.base import Initializer, check_choice, check_ordered, check_rank, parse_number
from initcli.initializers.scaling import scaled_law
from initcli.kernel_laws import Interpolation
from initcli.laws import Constant, Law, Normal, TruncatedNormal, Uniform
from initcli.whole_laws import Orthogonal


class Filled(Initializer):
    """W = `filling`."""

    filling: ClassVar[int]

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Constant(self.filling)


class ValueBody(Initializer):
    """W = the only parameter."""

    def __post_init__(self) -> None:
        for name, value in self.config().items():
            if not isinstance(value, bool):
                parse_number(name, value)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        (value,) = self.config().values()
        return Constant(value)


class NormalBody(Initializer):
    """W ~ N(mean, std²), the mean 0 where the framework has none."""

    std_name: ClassVar[str] = "std"

    def __post_init__(self) -> None:
        parse_number(self.std_name, self._std, least=0)
        parse_number("mean", self._mean)

    @property
    def _std(self) -> float:
        return getattr(self, self.std_name)  # type: ignore[no-any-return]

    @property
    def _mean(self) -> float:
        return getattr(self, "mean", 0.0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Normal(self._mean, self._std)


class CutBody(NormalBody):
    """W ~ N(mean, std²) kept within two values, or multiples of std from the mean if `is_relative`."""

    edge_names: ClassVar[tuple[str, str]]
    is_relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.is_relative and self._std == 0:
            raise ArgumentError(f"`{self.std_name}` must be positive, got {self._std}", parameter=self.std_name)
        check_interval(self, self.edge_names)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        edges = [getattr(self, name) for name in self.edge_names]
        low, high = (self._mean + edge * self._std for edge in edges) if self.is_relative else edges
        return TruncatedNormal(self._mean, self._std, low, high)


class UniformBody(Initializer):
    """W ~ U[low, high)."""

    edge_names: ClassVar[tuple[str, str]]

    def __post_init__(self) -> None:
        check_interval(self, self.edge_names)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(*(getattr(self, name) for name in self.edge_names))


class SymmetricBody(Initializer):
    """W ~ U[−scale, scale)."""

    scale: float

    def __post_init__(self) -> None:
        parse_number("scale", self.scale, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(-self.scale, self.scale)


class GainBody(Initializer):
    """What has a gain, 1 where the framework has none."""

    gain_name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.gain_value()

    def gain_value(self) -> float:
        return parse_number(self.gain_name, getattr(self, self.gain_name)) if self.gain_name else 1.0


class OrthogonalBody(GainBody):
    """W = gain Q; the first axis is the rows, or with `is_last` the last axis the columns."""

    is_last: ClassVar[bool] = False

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        rows, cols = (prod(shape[:-1]), shape[-1]) if self.is_last else (shape[0], prod(shape[1:]))
        return Orthogonal(rows, cols, self.gain_value())


class ScaledBody(GainBody):
    """std = gain √(scale / fan), where `rule` is scale, mode and distribution, and the framework guards no zero fan."""

    rule: ClassVar[tuple[float, str, str]]
    mode_name: ClassVar[str] = ""
    """The parameter that chooses between fan_in and fan_out, if there is one."""

    def __post_init__(self) -> None:
        parse_number(self.gain_name, self.gain_value(), least=0)
        if self.mode_name:
            check_choice(self.mode_name, getattr(self, self.mode_name), ("fan_in", "fan_out"))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        raise NotImplementedError

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        scale, mode, distribution = self.rule
        fan = getattr(fans or self.fans(shape), getattr(self, self.mode_name) if self.mode_name else mode)
        return divided_law(self, shape, distribution, scale, fan, self.gain_value())


def divided_law(
    initializer: Initializer, shape: tuple[int, ...], distribution: str, scale: float, fan: float, gain: float = 1.0
) -> Law:
    """Return the law whose std is gain √(scale / fan).

    Raises:
        ArgumentError: the fan is zero: the framework divides by it.
    """
    if not fan:
        what = f"`{initializer.name}` needs a fan that is not zero, got {list(shape)}"
        raise ArgumentError(what, "use a constant for an empty tensor", parameter="shape")
    return scaled_law(distribution, scale / fan, 1.0, gain)


def check_interval(initializer: Initializer, names: tuple[str, str]) -> None:
    """Raise `ArgumentError` unless the two parameters are numbers in order."""
    low, high = (parse_number(name, getattr(initializer, name)) for name in names)
    check_ordered(names[0], low, names[1], high)


def check_square(initializer: Initializer, shape: tuple[int, ...]) -> None:
    """Raise `ArgumentError` unless the last two axes are equally long."""
    if shape[-1] != shape[-2]:
        what = f"`{initializer.name}` needs a square, got {list(shape)}"
        raise ArgumentError(what, "make the last two axes equally long", parameter="shape")


def interpolation(initializer: Initializer, shape: tuple[int, ...], is_slanted: bool = False) -> Interpolation:
    """Return the law of a bilinear kernel of MXNet's, Caffe's and, slanted, Paddle's formula; c f is its centre.

    Raises:
        ArgumentError: the rank is not 4.
    """
    check_rank(initializer.name, shape, 4, 4)
    factor = (shape[-1] + 1) // 2
    return Interpolation(shape, (2 * factor - 1 - factor % 2) / 2, is_slanted=is_slanted)
