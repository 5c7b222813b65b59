"""Rotary position embeddings: the inverse frequencies, plain and linearly scaled, and tables of cosines and sines.

Source: huggingface/transformers 5.23.0, `modeling_rope_utils.py` and `models/llama`; run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from decimal import Decimal, localcontext
from typing import ClassVar

from initcli.elementary import QUARTER
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.frequencies import PRECISE, Frequencies, geometric
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import named_parameter, parameter
from initcli.initializers.recipe import Recipe
from initcli.initializers.recipe_tables import check_table, waves
from initcli.initializers.registry import register
from initcli.laws import Constant, Law
from initcli.laws.fixed import Broadcast
from initcli.laws.table import Sinusoids


@dataclass(frozen=True)
class Rotary(Recipe):
    """What is made of base^(−2i / dim)."""

    base: float = parameter(10000.0, "rope_theta: the longest wavelength is just short of 2π base; > 1")

    def __post_init__(self) -> None:
        if parse_number("base", self.base) <= 1:
            raise ArgumentError(f"`base` must be greater than 1, got {self.base}", parameter="base")
        if hasattr(self, "factor"):
            parse_number("factor", self.factor, least=1)


class InvFreq(Rotary):
    """A vector of half as many frequencies as a head has features."""

    def scale(self, frequencies: Frequencies) -> Frequencies:
        """Return the frequencies as they are scaled, in the precise context."""
        return frequencies

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1, 1)
        if not shape[0]:
            return Constant(0)
        with localcontext(PRECISE):
            scaled = self.scale(geometric(float(self.base), shape[0], 2 * shape[0]))
        return Broadcast(tuple(float(frequency) for frequency in scaled), shape, shape)


@register
@dataclass(frozen=True)
class RotaryInvFreq(InvFreq):
    """State the frequencies by which rotary embeddings turn each pair of a head's features.

    W[i] = base^(−2i / dim),  dim = 2 shape[0]

    >>> RotaryInvFreq()((4,), "float64").tolist()
    [1.0, 0.1, 0.01, 0.001]

    Bounds: 1 / base < W ≤ 1
    Source: Su et al. (2021), https://arxiv.org/abs/2104.09864; transformers 5.23
    """

    name: ClassVar[str] = "rotary_inv_freq"


@register
@dataclass(frozen=True)
class RotaryInvFreqLinear(InvFreq):
    """State rotary frequencies for positions that are drawn together by a factor.

    W[i] = base^(−2i / dim) / factor

    Bounds: 0 < W ≤ 1 / factor
    Source: transformers 5.23, rope_type `linear`
    """

    name: ClassVar[str] = "rotary_inv_freq_linear"

    factor: float = named_parameter(MISSING, "how much longer texts may be, ≥ 1")

    def scale(self, frequencies: Frequencies) -> Frequencies:
        return tuple(frequency / Decimal(self.factor) for frequency in frequencies)


@dataclass(frozen=True)
class _RotaryTable(Rotary):
    """A table (positions, dim) whose halves are the same."""

    phase: ClassVar[int]

    factor: float = named_parameter(1.0, "what positions are divided by, ≥ 1")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        rows, cols = check_table(self.name, shape, 2)
        frequencies = geometric(float(self.base), cols // 2, max(1, cols))
        with localcontext(PRECISE):
            half = waves(tuple(frequency / Decimal(self.factor) for frequency in frequencies), self.phase)
        return Sinusoids(rows, tuple(half * 2))


@register
@dataclass(frozen=True)
class RotaryCos(_RotaryTable):
    """State the cosines of rotary embeddings, each pair's at i and at i + dim / 2.

    W[p, i] = W[p, i + dim / 2] = cos(p base^(−2i / dim) / factor)

    Bounds: ±1
    Differs: transformers takes angles in float32, and is off by up to 2⁻²⁴ of the position.
    Source: transformers 5.23, `models/llama`
    """

    name: ClassVar[str] = "rotary_cos"
    phase: ClassVar[int] = QUARTER


@register
@dataclass(frozen=True)
class RotarySin(_RotaryTable):
    """State the sines of rotary embeddings, each pair's at i and at i + dim / 2.

    W[p, i] = W[p, i + dim / 2] = sin(p base^(−2i / dim) / factor)

    Bounds: ±1
    Differs: transformers takes angles in float32, and is off by up to 2⁻²⁴ of the position.
    Source: transformers 5.23, `models/llama`
    """

    name: ClassVar[str] = "rotary_sin"
    phase: ClassVar[int] = 0
