"""What the frameworks' initializers have in common: bodies without names, whose children have the pages.

A body finds the parameters under the framework's names for them. It takes what the framework takes if the law is still
the page's: to multiply with a negative std is to draw from the same normal. What makes another law is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_choice, check_ordered, check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.scaling import scaled_law
from initcli.initializers.values import broadcast_law, parse_values
from initcli.laws import Constant, ElementwiseLaw, Eye, Law, Normal, TruncatedNormal, Uniform
from initcli.laws.kernel import IdentityKernel, Interpolation
from initcli.laws.whole import Orthogonal, SingularVectors


class ZerosBody(Initializer):
    """W = 0."""

    filling: ClassVar[int] = 0

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Constant(self.filling)


class OnesBody(ZerosBody):
    """W = 1."""

    filling: ClassVar[int] = 1


class ValueBody(Initializer):
    """W = the only parameter."""

    def __post_init__(self) -> None:
        for name, value in self.config().items():
            if not isinstance(value, bool):
                parse_number(name, value)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        (value,) = self.config().values()
        return Constant(value)


class ArrayBody(Initializer):
    """W = the only parameter, which may be an array that broadcasts to the shape."""

    def __post_init__(self) -> None:
        for name, value in self.config().items():
            object.__setattr__(self, name, parse_values(name, value))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        ((name, value),) = self.config().items()
        return broadcast_law(name, value, shape)


class SizedBody(Initializer):
    """What has a size: a std, a gain, the width of an interval."""

    refuses_negative: ClassVar[bool] = True
    refuses_zero: ClassVar[bool] = False
    """Whether it must be positive."""

    def _check_size(self, name: str, value: float) -> None:
        parse_number(name, value, least=0 if self.refuses_negative and not self.refuses_zero else None)
        if self.refuses_zero and value <= 0:
            raise ArgumentError(f"`{name}` must be positive, got {value}", parameter=name)

    def _check_interval(self, names: tuple[str, str], is_ordered: bool = True) -> None:
        low, high = (parse_number(name, getattr(self, name)) for name in names)
        if is_ordered:
            check_ordered(names[0], low, names[1], high)


class NormalBody(SizedBody):
    """W ~ N(mean, std²), the mean 0 where the framework has none."""

    std_name: ClassVar[str] = "std"

    def __post_init__(self) -> None:
        self._check_size(self.std_name, getattr(self, self.std_name))
        parse_number("mean", self._mean)

    @property
    def _std(self) -> float:
        std: float = getattr(self, self.std_name)
        return abs(std)

    @property
    def _mean(self) -> float:
        return getattr(self, "mean", 0.0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Normal(self._mean, self._std)


class CutAtTwoBody(NormalBody):
    """W ~ N(mean, std²) kept within mean ± 2 std."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return TruncatedNormal(self._mean, self._std)


class CutBody(NormalBody):
    """W ~ N(mean, std²) kept within two values, or, if `is_relative`, multiples of std from the mean.

    Between two values a std of 0 is taken where the mean lies between them: that is then the value.
    """

    edge_names: ClassVar[tuple[str, str]]
    is_relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_interval(self.edge_names)
        low, high = (getattr(self, name) for name in self.edge_names)
        if not self.is_relative and self._std == 0 and not low < self._mean < high:
            what = f"`{self.std_name}` must not be 0 where the mean {self._mean} is not between {low} and {high}"
            raise ArgumentError(what, parameter=self.std_name)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        edges = [getattr(self, name) for name in self.edge_names]
        if self.is_relative:
            edges = sorted(self._mean + edge * getattr(self, self.std_name) for edge in edges)
        return TruncatedNormal(self._mean, self._std, *edges)


class UniformBody(SizedBody):
    """W ~ U[low, high)."""

    edge_names: ClassVar[tuple[str, str]]

    def __post_init__(self) -> None:
        self._check_interval(self.edge_names, self.refuses_negative)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(*sorted(getattr(self, name) for name in self.edge_names))


class SymmetricBody(SizedBody):
    """W ~ U[−scale, scale)."""

    scale: float

    def __post_init__(self) -> None:
        self._check_size("scale", self.scale)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(-abs(self.scale), abs(self.scale))


class GainBody(SizedBody):
    """What has a gain, 1 where the framework has none."""

    gain_name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.gain_value()

    def gain_value(self) -> float:
        return parse_number(self.gain_name, getattr(self, self.gain_name)) if self.gain_name else 1.0


class SquareBody(GainBody):
    """W = gain I, of a square matrix."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        check_square(self, shape)
        return Eye(shape[0], shape[1], self.gain_value())


@dataclass(frozen=True)
class IdentitiesBody(GainBody):
    """W[…] = gain I for every index of the leading axes."""

    gain_name: ClassVar[str] = "gain"

    gain: float = parameter(1.0, "the value on the diagonals")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        return IdentityKernel(shape, self.gain)


class OrthogonalBody(GainBody):
    """W = gain Q; the first axis is the rows, or with `is_last` the last axis the columns."""

    is_last: ClassVar[bool] = False

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        return self.matrix_law(*(prod(shape[:-1]), shape[-1]) if self.is_last else (shape[0], prod(shape[1:])))

    def matrix_law(self, rows: int, cols: int) -> Law:
        """Return the law of the matrix that the shape is flattened to."""
        return Orthogonal(rows, cols, self.gain_value())


@dataclass(frozen=True)
class GainedOrthogonalBody(OrthogonalBody):
    """W = gain Q, the gain 1 by default."""

    gain_name: ClassVar[str] = "gain"

    gain: float = parameter(1.0, "what Q is multiplied with")


class SvdBody(OrthogonalBody):
    """W = gain U of the thin SVD U S Vᵀ of a matrix of `entries`, or gain Vᵀ where rows < cols."""

    @property
    def entries(self) -> ElementwiseLaw:
        """The law of the matrix's entries."""
        return Normal()

    def matrix_law(self, rows: int, cols: int) -> Law:
        return SingularVectors(rows, cols, self.gain_value(), self.entries)


class ScaledBody(GainBody):
    """std = gain √(scale / fan), where `rule` is scale, mode and distribution, and the framework guards no zero fan."""

    rule: ClassVar[tuple[float, str, str]]
    mode_name: ClassVar[str] = ""
    """The parameter that chooses the fan, if there is one."""
    modes: ClassVar[Mapping[str, str]] = {"fan_in": "fan_in", "fan_out": "fan_out"}
    """What it can be, and which fan that is."""

    def __post_init__(self) -> None:
        self._check_size(self.gain_name, self.gain_value())
        if self.mode_name:
            check_choice(self.mode_name, getattr(self, self.mode_name), tuple(self.modes))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        raise NotImplementedError

    def takes_empty(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an empty tensor may have a fan of zero: the std is infinite then, and of nothing."""
        return False

    def chosen_rule(self) -> tuple[float, str, str]:
        """Return the rule where it depends on the parameters."""
        return self.rule

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        scale, mode, distribution = self.chosen_rule()
        mode = self.modes[getattr(self, self.mode_name)] if self.mode_name else mode
        fan = getattr(fans or self.fans(shape), mode)
        if not fan and not prod(shape) and self.takes_empty(shape):
            return Constant(0.0)
        return divided_law(self, shape, distribution, scale, fan, abs(self.gain_value()))


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


def check_filled(initializer: Initializer, shape: tuple[int, ...]) -> None:
    """Raise `ArgumentError` if the shape has no elements."""
    if not prod(shape):
        raise ArgumentError(
            f"`{initializer.name}` needs a shape that is not empty, got {list(shape)}", parameter="shape"
        )


def check_square(initializer: Initializer, shape: tuple[int, ...]) -> None:
    """Raise `ArgumentError` unless the last two axes are equally long."""
    if shape[-1] != shape[-2]:
        what = f"`{initializer.name}` needs a square, got {list(shape)}"
        raise ArgumentError(what, "make the last two axes equally long", parameter="shape")


def lopsided_kernel(initializer: Initializer, shape: tuple[int, ...], is_slanted: bool = False) -> Interpolation:
    """Return the law of a bilinear kernel of MXNet's and, slanted, Paddle's formula; c f is its centre.

    Raises:
        ArgumentError: the rank is not 4.
    """
    check_rank(initializer.name, shape, 4, 4)
    factor = (shape[-1] + 1) // 2
    return Interpolation(shape, (2 * factor - 1 - factor % 2) / 2, is_slanted=is_slanted)
