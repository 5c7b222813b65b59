"""Rotary frequencies scaled for longer texts, by every rule that transformers knows.

A scaling may come with a factor on attention, which is no part of the frequencies and is not here.

Source: huggingface/transformers 5.23.0, `modeling_rope_utils.py`; run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import ClassVar

from initcli.elementary import PI
from initcli.errors import ArgumentError
from initcli.frequencies import Frequencies, power
from initcli.initializers.arguments import check_flag, parse_number
from initcli.initializers.base import named_parameter
from initcli.initializers.recipe_rotary import InvFreq
from initcli.initializers.registry import register


@register
@dataclass(frozen=True)
class RotaryInvFreqDynamic(InvFreq):
    """State rotary frequencies of a base that grows with the length of the text (NTK-aware scaling).

    W[i] = b^(−2i / dim),  b = base (factor · n / m − (factor − 1))^(dim / (dim − 2)),  n = max(m, seq_len)

    Bounds: 0 < W ≤ 1
    Source: transformers 5.23, rope_type `dynamic`, m = max_position_embeddings
    """

    name: ClassVar[str] = "rotary_inv_freq_dynamic"

    factor: float = named_parameter(MISSING, "how fast the base grows, ≥ 1")
    seq_len: float = named_parameter(MISSING, "the length of the text, ≥ 1")
    max_position_embeddings: float = named_parameter(MISSING, "the length up to which nothing is scaled, ≥ 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("seq_len", "max_position_embeddings"):
            parse_number(name, getattr(self, name), least=1)

    def scale(self, frequencies: Frequencies) -> Frequencies:
        count, factor, most = len(frequencies), Decimal(self.factor), Decimal(self.max_position_embeddings)
        if count < 2:
            raise ArgumentError(f"`{self.name}` needs at least 2 frequencies, got {count}", parameter="shape")
        growth = factor * max(most, Decimal(self.seq_len)) / most - (factor - 1)
        # of base^(−2i / dim) the base is multiplied with growth^(dim / (dim − 2)), dim = 2 count
        return tuple(f * power(growth, Decimal(-i) / (count - 1)) for i, f in enumerate(frequencies))


@register
@dataclass(frozen=True)
class RotaryInvFreqLlama3(InvFreq):
    """State rotary frequencies of which the low ones are divided by a factor, as Llama 3.1 does.

    f = base^(−2i / dim),  r = n f / 2π turns within n = original_max_position_embeddings
    W[i] = f / factor for r < low_freq_factor, f for r > high_freq_factor, else (1 − s) f / factor + s f,
    s = (r − low_freq_factor) / (high_freq_factor − low_freq_factor)

    Bounds: 0 < W ≤ 1
    Source: transformers 5.23, rope_type `llama3`; Llama 3's base is 500000
    """

    name: ClassVar[str] = "rotary_inv_freq_llama3"

    factor: float = named_parameter(8.0, "what low frequencies are divided by, ≥ 1")
    low_freq_factor: float = named_parameter(1.0, "the turns below which a frequency is low, > 0")
    high_freq_factor: float = named_parameter(4.0, "the turns above which a frequency is high, > low_freq_factor")
    original_max_position_embeddings: float = named_parameter(8192, "the length of the model's first training, ≥ 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_number("original_max_position_embeddings", self.original_max_position_embeddings, least=1)
        if parse_number("low_freq_factor", self.low_freq_factor) <= 0:
            what = f"`low_freq_factor` must be positive, got {self.low_freq_factor}"
            raise ArgumentError(what, parameter="low_freq_factor")
        if parse_number("high_freq_factor", self.high_freq_factor) <= self.low_freq_factor:
            what = f"`high_freq_factor` must exceed `low_freq_factor`, got {self.high_freq_factor}"
            raise ArgumentError(what, parameter="high_freq_factor")

    def scale(self, frequencies: Frequencies) -> Frequencies:
        low, high = Decimal(self.low_freq_factor), Decimal(self.high_freq_factor)

        def kept(frequency: Decimal) -> Decimal:
            turns = Decimal(self.original_max_position_embeddings) * frequency / (2 * PI)
            return min(max((turns - low) / (high - low), Decimal(0)), Decimal(1))

        return mix(frequencies, [kept(frequency) for frequency in frequencies], Decimal(self.factor))


@register
@dataclass(frozen=True)
class RotaryInvFreqYarn(InvFreq):
    """State rotary frequencies of which the low ones are divided by a factor along a ramp over the features (YaRN).

    W[i] = (1 − s) f / factor + s f,  f = base^(−2i / dim),  s = 1 − clamp((i − a) / (b − a), 0, 1)
    a, b = max(0, d(beta_fast)), min(dim − 1, d(beta_slow)),  rounded down and up first if `truncate`
    d(r) = dim ln(n / 2π r) / 2 ln base,  n = original_max_position_embeddings

    Bounds: 0 < W ≤ 1
    Source: transformers 5.23, rope_type `yarn`; Peng et al. (2023), https://arxiv.org/abs/2309.00071
    """

    name: ClassVar[str] = "rotary_inv_freq_yarn"

    factor: float = named_parameter(MISSING, "what low frequencies are divided by, ≥ 1")
    original_max_position_embeddings: float = named_parameter(MISSING, "the length that the model was trained on, ≥ 1")
    beta_fast: float = named_parameter(32.0, "the turns above which a frequency is kept, > 0")
    beta_slow: float = named_parameter(1.0, "the turns below which a frequency is divided, > 0")
    truncate: bool = named_parameter(True, "whether the ramp begins and ends at whole features")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("truncate", self.truncate)
        parse_number("original_max_position_embeddings", self.original_max_position_embeddings, least=1)
        for name in ("beta_fast", "beta_slow"):
            if parse_number(name, getattr(self, name)) <= 0:
                raise ArgumentError(f"`{name}` must be positive, got {getattr(self, name)}", parameter=name)

    def scale(self, frequencies: Frequencies) -> Frequencies:
        dim = 2 * len(frequencies)

        def feature(turns: float, rounding: str) -> Decimal:
            wavelengths = Decimal(self.original_max_position_embeddings) / (2 * PI * Decimal(turns))
            at = dim * wavelengths.ln() / (2 * Decimal(self.base).ln())
            return at.to_integral_value(rounding) if self.truncate else at

        low = max(feature(self.beta_fast, ROUND_FLOOR), Decimal(0))
        high = min(feature(self.beta_slow, ROUND_CEILING), Decimal(dim - 1))
        width = high - low or Decimal("0.001")
        kept = [1 - min(max((i - low) / width, Decimal(0)), Decimal(1)) for i in range(len(frequencies))]
        return mix(frequencies, kept, Decimal(self.factor))


@register
@dataclass(frozen=True)
class RotaryInvFreqLongrope(InvFreq):
    """State rotary frequencies that are each divided by a number of its own.

    W[i] = base^(−2i / dim) / factors[i]

    Bounds: 0 < W ≤ 1 / the least of the factors
    Source: transformers 5.23, rope_type `longrope`; Ding et al. (2024), https://arxiv.org/abs/2402.13753
    """

    name: ClassVar[str] = "rotary_inv_freq_longrope"

    factors: tuple[float, ...] = named_parameter(MISSING, "the model's short_factor or long_factor, all > 0")

    def __post_init__(self) -> None:
        super().__post_init__()
        given: object = self.factors
        if not isinstance(given, tuple | list):
            raise ArgumentError(f"`factors` must be a list of numbers, got `{given}`", parameter="factors")
        object.__setattr__(self, "factors", tuple(parse_number("factors", each) for each in given))
        if any(each <= 0 for each in self.factors):
            raise ArgumentError("`factors` must be positive", parameter="factors")

    def scale(self, frequencies: Frequencies) -> Frequencies:
        if len(self.factors) != len(frequencies):
            what = f"`factors` has {len(self.factors)} numbers for {len(frequencies)} frequencies"
            raise ArgumentError(what, parameter="factors")
        return tuple(f / Decimal(each) for f, each in zip(frequencies, self.factors, strict=True))


@register
@dataclass(frozen=True)
class RotaryInvFreqProportional(InvFreq):
    """State rotary frequencies that turn only the first part of a head's features.

    W[i] = base^(−2i / dim) / factor for i < ⌊partial_rotary_factor · dim / 2⌋, else 0

    Bounds: 0 ≤ W ≤ 1 / factor
    Source: transformers 5.23, rope_type `proportional`
    """

    name: ClassVar[str] = "rotary_inv_freq_proportional"

    partial_rotary_factor: float = named_parameter(1.0, "the part of the features that turns, from 0 to 1")
    factor: float = named_parameter(1.0, "what frequencies are divided by, ≥ 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= parse_number("partial_rotary_factor", self.partial_rotary_factor) <= 1:
            what = f"`partial_rotary_factor` must lie from 0 to 1, got {self.partial_rotary_factor}"
            raise ArgumentError(what, parameter="partial_rotary_factor")

    def scale(self, frequencies: Frequencies) -> Frequencies:
        turning = int(self.partial_rotary_factor * 2 * len(frequencies) // 2)
        return tuple(f / Decimal(self.factor) if i < turning else Decimal(0) for i, f in enumerate(frequencies))


def mix(frequencies: Frequencies, kept: list[Decimal], factor: Decimal) -> Frequencies:
    """Return frequencies of which a share of each is kept and the rest divided by `factor`."""
    return tuple((1 - share) * f / factor + share * f for f, share in zip(frequencies, kept, strict=True))
