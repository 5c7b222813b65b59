"""State-space models: what Mamba and Mamba-2 set their states, steps and skips to, and S4D's real diagonal.

Source: state-spaces/mamba@e9594ce, `mamba_ssm/modules/mamba_simple.py` and `mamba2.py`; read. What transformers 5.23
shares with them was run.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.frequencies import PRECISE
from initcli.initializers.arguments import check_choice, check_ordered, check_rank, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.recipe import FanRecipe, Recipe
from initcli.initializers.registry import register
from initcli.laws import Constant, Law, Uniform
from initcli.laws.fixed import Broadcast
from initcli.laws.state import InverseSoftplus, LogOfUniform

_LONGEST_STEP = 700.0
"""The longest step of time: e^dt must stay within float64."""


@register
class MambaALog(Recipe):
    """Set Mamba's states to decay at the rates 1, 2, 3, …, the same in every row, in logarithms.

    W[…, n] = ln(n + 1)

    >>> [round(value, 6) for value in MambaALog()((2, 4), "float64")[1].tolist()]
    [0.0, 0.693147, 1.098612, 1.386294]

    Bounds: 0 ≤ W ≤ ln d_state
    Differs: in Mamba-2 the rates are drawn, mamba2_a_log; transformers' Mamba-2 takes ln(1 … heads), which this is too.
    Source: state-spaces/mamba `mamba_simple.py`; Gu & Dao (2023), https://arxiv.org/abs/2312.00752
    """

    name: ClassVar[str] = "mamba_a_log"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1)
        return repeat(tuple(float(Decimal(n).ln(PRECISE)) for n in range(1, shape[-1] + 1)), shape)


@register
class S4dReal(Recipe):
    """Set the states of a diagonal model to decay at the rates 1, 2, 3, …

    W[…, n] = −(n + 1)

    Bounds: −d_state ≤ W ≤ −1
    Source: Gu, Gupta, Goel & Ré (2022), https://arxiv.org/abs/2206.11893
    """

    name: ClassVar[str] = "s4d_real"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1)
        return repeat(tuple(-float(n) for n in range(1, shape[-1] + 1)), shape)


@register
@dataclass(frozen=True)
class Mamba2ALog(Recipe):
    """Draw the rate at which each head of Mamba-2 decays, in logarithms.

    W = ln A,  A ~ U[a_min, a_max)

    >>> round(Mamba2ALog().law((24,)).mean, 9)
    1.95742797

    Bounds: ln a_min ≤ W ≤ ln a_max
    Differs: transformers' Mamba-2 takes ln(1 … heads), which mamba_a_log is.
    Source: state-spaces/mamba `mamba2.py`, A_init_range; Dao & Gu (2024), https://arxiv.org/abs/2405.21060
    """

    name: ClassVar[str] = "mamba2_a_log"

    a_min: float = parameter(1.0, "the least rate, > 0")
    a_max: float = parameter(16.0, "the greatest rate, ≥ a_min")

    def __post_init__(self) -> None:
        check_positive("a_min", self.a_min)
        check_positive("a_max", self.a_max)
        check_ordered("a_min", self.a_min, "a_max", self.a_max)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return LogOfUniform(float(self.a_min), float(self.a_max))


@register
@dataclass(frozen=True)
class MambaDtBias(Recipe):
    """Draw a bias that the softplus makes a step of time, log-uniform between two steps.

    W = dt + ln(1 − e^−dt),  dt = max(dt_init_floor, e^x),  x ~ U[ln dt_min, ln dt_max)

    >>> round(MambaDtBias().law((1536,)).low, 9), round(MambaDtBias().law((1536,)).high, 9)
    (-6.907255237, -2.252168461)

    Bounds: those of dt_min and dt_max; by default −6.90726 ≤ W ≤ −2.25217
    Source: state-spaces/mamba `mamba_simple.py` and `mamba2.py`; Gu & Dao (2023), https://arxiv.org/abs/2312.00752
    """

    name: ClassVar[str] = "mamba_dt_bias"

    dt_min: float = parameter(0.001, "the shortest step, > 0")
    dt_max: float = parameter(0.1, "the longest step, ≥ dt_min")
    dt_init_floor: float = parameter(1e-4, "what a shorter step is raised to, ≥ 0")

    def __post_init__(self) -> None:
        check_positive("dt_min", self.dt_min)
        check_positive("dt_max", self.dt_max)
        check_ordered("dt_min", self.dt_min, "dt_max", self.dt_max)
        parse_number("dt_init_floor", self.dt_init_floor, least=0)
        for name in ("dt_max", "dt_init_floor"):
            if getattr(self, name) > _LONGEST_STEP:
                what = f"`{name}` must be at most {_LONGEST_STEP:g}, got {getattr(self, name)}"
                raise ArgumentError(what, parameter=name)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return InverseSoftplus(float(self.dt_min), float(self.dt_max), float(self.dt_init_floor))


@register
class MambaD(Recipe):
    """Let Mamba's inputs skip its states unchanged.

    W = 1

    Bounds: 1
    Source: state-spaces/mamba `mamba_simple.py` and `mamba2.py`
    """

    name: ClassVar[str] = "mamba_d"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Constant(1)


@register
@dataclass(frozen=True)
class MambaDtProj(FanRecipe):
    """Draw the projection to Mamba's steps so that it keeps the variance of its dt_rank inputs.

    random: W ~ U[−L, L);  constant: W = L;  L = dt_scale / √dt_rank,  dt_rank = fan_in

    Bounds: ±dt_scale / √dt_rank
    Differs: PyTorch's default for such a layer is random with dt_scale 1; this is a name for it, with Mamba's options.
    Source: state-spaces/mamba `mamba_simple.py`
    """

    name: ClassVar[str] = "mamba_dt_proj"

    dt_scale: float = parameter(1.0, "what the bound is multiplied with, ≥ 0")
    dt_init: str = parameter("random", "random or constant")

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_number("dt_scale", self.dt_scale, least=0)
        check_choice("dt_init", self.dt_init, ("random", "constant"))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        bound = self.dt_scale / sqrt(max(1, (fans or self.fans(shape)).fan_in))
        return Constant(bound) if self.dt_init == "constant" else Uniform(-bound, bound)


def check_positive(name: str, value: float) -> None:
    """Raise `ArgumentError` if the parameter `name` is no positive number, or too near to 0 to have all its digits."""
    if parse_number(name, value) < 1e-300:
        raise ArgumentError(f"`{name}` must be positive, got {value}", parameter=name)


def repeat(row: tuple[float, ...], shape: tuple[int, ...]) -> Law:
    """Return the law of a tensor of `shape` whose rows are all this one; of empty rows, any."""
    return Broadcast(row, (len(row),), shape) if row else Constant(0)
