"""Recipes without chance: ZerO's weights, and the position tables of sines and cosines."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import isqrt, prod
from typing import ClassVar

from initcli.elementary import QUARTER
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.frequencies import Frequencies, geometric, to_turns
from initcli.initializers.arguments import check_flag, check_rank, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.recipe import FanRecipe, Recipe
from initcli.initializers.registry import register
from initcli.laws import Eye, Law
from initcli.laws.table import PartialHadamard, Sinusoids, Wave

_MOST_POSITIONS = 2**32


@register
@dataclass(frozen=True)
class ZeroInit(FanRecipe):
    """Let the inputs pass on unchanged, through a Hadamard transform where there are more outputs than inputs.

    fan_out ≤ fan_in: W = I;  else W[i, j] = (−1)^b / √2^c,  b = the bits that i and j share,  c = ⌈log₂ fan_out⌉

    >>> ZeroInit(order="torch")((4, 3)).tolist()
    [[0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5], [0.5, -0.5, -0.5]]

    Bounds: 0 and 1, or ±1 / √2^c
    Differs: an identity wherever fan_out ≤ fan_in; beyond, columns are orthonormal only if fan_out is a power of two.
    Source: jiaweizzhao/ZerO-initialization; Zhao, Schäfer & Anandkumar (2022), https://arxiv.org/abs/2110.12661
    """

    name: ClassVar[str] = "zero_init"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        known = fans or self.fans(shape)
        rows, cols = shape
        if known.fan_out <= known.fan_in:
            return Eye(rows, cols)
        return PartialHadamard(rows, cols, (int(known.fan_out) - 1).bit_length())


def check_table(name: str, shape: tuple[int, ...], parts: int) -> tuple[int, int]:
    """Return the rows and columns of a table, before whose axes there may be others of length 1.

    Raises:
        ArgumentError: it is no such table, has too many rows, or its columns do not make whole `parts`.
    """
    check_rank(name, shape, 2)
    if prod(shape[:-2]) != 1:
        what = f"`{name}` needs a shape (positions, features), got {list(shape)}"
        raise ArgumentError(what, "only axes of length 1 may stand before them", parameter="shape")
    rows, cols = shape[-2:]
    if rows > _MOST_POSITIONS:
        raise ArgumentError(f"`{name}` knows {_MOST_POSITIONS:,} positions, got {rows:,}", parameter="shape")
    if cols % parts:
        raise ArgumentError(f"`{name}` needs a multiple of {parts} features, got {cols}", parameter="shape")
    return rows, cols


def waves(frequencies: Frequencies, phase: int = 0, is_down: bool = False) -> list[Wave]:
    """Return a sine of each frequency, or with the phase `QUARTER` a cosine."""
    return [Wave(to_turns(frequency), phase, is_down) for frequency in frequencies]


@dataclass(frozen=True)
class _Sinusoidal(Recipe):
    """What makes a table of sines and cosines of geometric frequencies."""

    base: float = parameter(10000.0, "the longest wavelength is 2π base, or just short of it; ≥ 1")

    def __post_init__(self) -> None:
        parse_number("base", self.base, least=1)


class _Halves(_Sinusoidal):
    """The paper's frequencies, base^(−2i / d): a sine and a cosine of each."""

    @staticmethod
    @abstractmethod
    def arrange(sines: list[Wave], cosines: list[Wave]) -> list[Wave]:
        """Return the columns in order; there is a sine more than cosines if their number is odd."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        rows, cols = check_table(self.name, shape, 1)
        frequencies = geometric(float(self.base), (cols + 1) // 2, max(1, cols))
        columns = self.arrange(waves(frequencies), waves(frequencies[: cols // 2], QUARTER))
        return Sinusoids(rows, tuple(columns))


@register
@dataclass(frozen=True)
class Sinusoidal(_Halves):
    """Tell positions by sines and cosines of falling frequencies, interleaved as in the Transformer's paper.

    W[p, 2i] = sin(p / base^(2i / d)),  W[p, 2i + 1] = cos(p / base^(2i / d))

    Bounds: ±1
    Differs: sinusoidal_concatenated has all sines first; sinusoidal_tensor2tensor has other frequencies too.
    Source: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762; transformers `models/distilbert`
    """

    name: ClassVar[str] = "sinusoidal"

    @staticmethod
    def arrange(sines: list[Wave], cosines: list[Wave]) -> list[Wave]:
        columns = [Wave(0)] * (len(sines) + len(cosines))
        columns[::2], columns[1::2] = sines, cosines
        return columns


@register
@dataclass(frozen=True)
class SinusoidalConcatenated(_Halves):
    """Tell positions by the paper's sines and cosines, all sines first, as Marian does.

    W[p, i] = sin(p / base^(2i / d)),  W[p, h + i] = cos(p / base^(2i / d)),  h = ⌈d / 2⌉

    Bounds: ±1
    Differs: sinusoidal interleaves them.
    Source: transformers `models/marian`
    """

    name: ClassVar[str] = "sinusoidal_concatenated"
    aliases: ClassVar[tuple[str, ...]] = ("sinusoidal_marian",)

    @staticmethod
    def arrange(sines: list[Wave], cosines: list[Wave]) -> list[Wave]:
        return sines + cosines


@register
@dataclass(frozen=True)
class SinusoidalTensor2tensor(_Sinusoidal):
    """Tell positions by sines and then cosines whose last frequency is 1 / base itself.

    W[p, i] = sin(p base^(−i / (h − 1))),  W[p, h + i] = cos(p base^(−i / (h − 1))),  h = ⌊d / 2⌋ ≥ 2;  W[p, 2h] = 0

    Bounds: ±1
    Differs: the exponent's divisor is h in the paper; frameworks compute in float32, and lose digits with the position.
    Source: tensor2tensor, fairseq, and in transformers `models/m2m_100`, `speech_to_text`, `whisper`
    """

    name: ClassVar[str] = "sinusoidal_tensor2tensor"
    aliases: ClassVar[tuple[str, ...]] = ("sinusoidal_fairseq", "sinusoidal_whisper")

    padding_idx: int | None = parameter(None, "the row that is zero, if any")

    def __post_init__(self) -> None:
        super().__post_init__()
        padding = self.padding_idx
        if padding is not None and (isinstance(padding, bool) or not isinstance(padding, int) or padding < 0):
            what = f"`padding_idx` must be a whole number ≥ 0, got `{padding}`"
            raise ArgumentError(what, parameter="padding_idx")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        rows, cols = check_table(self.name, shape, 1)
        half = cols // 2
        if half < 2:
            raise ArgumentError(f"`{self.name}` needs at least 4 features, got {cols}", parameter="shape")
        if self.padding_idx is not None and self.padding_idx >= rows:
            raise ArgumentError(f"`padding_idx` is {self.padding_idx}, the rows are {rows}", parameter="padding_idx")
        frequencies = geometric(float(self.base), half, 2 * (half - 1))
        columns = waves(frequencies) + waves(frequencies, QUARTER) + [Wave(0)] * (cols % 2)
        return Sinusoids(rows, tuple(columns), self.padding_idx)


@register
@dataclass(frozen=True)
class Sinusoidal2d(_Sinusoidal):
    """Tell the places of a square grid by sines and cosines, half of the features for the column, half for the row.

    W[y s + x] = [sin x ω, cos x ω, sin y ω, cos y ω],  ω[i] = base^(−4i / d),  i < d / 4,  s the grid's side

    Bounds: ±1
    Source: facebookresearch/mae `util/pos_embed.py`; transformers `models/vit_mae`; Chen, Xie & He (2021),
        https://arxiv.org/abs/2104.02057
    """

    name: ClassVar[str] = "sinusoidal_2d"
    aliases: ClassVar[tuple[str, ...]] = ("sinusoidal_mae",)

    cls_token: bool = parameter(False, "whether a row of zeros stands first, for the class token")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("cls_token", self.cls_token)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        rows, cols = check_table(self.name, shape, 4)
        side = isqrt(max(0, rows - self.cls_token))
        if side**2 + self.cls_token != rows or not side:
            hint = f"the next square is {(side + 1) ** 2}"
            what = f"`{self.name}` needs a square of positions, got {rows - self.cls_token}"
            raise ArgumentError(what, hint, parameter="shape")
        frequencies = geometric(float(self.base), cols // 4, max(1, cols // 2))
        columns = [
            wave for is_down in (False, True) for phase in (0, QUARTER) for wave in waves(frequencies, phase, is_down)
        ]
        blank = 0 if self.cls_token else None
        return Sinusoids(rows, tuple(columns), blank, int(self.cls_token), side)
