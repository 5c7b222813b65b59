"""Laws whose std follows the model's width, or what it is multiplied with under µP."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import sqrt
from typing import ClassVar

from initcli.fans import Fans
from initcli.initializers.base import parameter
from initcli.initializers.bodies import divided_law
from initcli.initializers.recipe import FanRecipe
from initcli.initializers.recipe_sizes import (
    CUTOFF_MEANING,
    D_MEANING,
    LAYER_MEANING,
    LAYERS_MEANING,
    WIDTH_MULT_MEANING,
    SizedNormal,
    WidthNormal,
    check_sizes,
)
from initcli.initializers.registry import register
from initcli.laws import Law


@register
@dataclass(frozen=True)
class SmallInit(WidthNormal):
    """Draw every matrix as if it were the first of a feed-forward four times as wide as the model.

    W ~ N(0, s²),  s = √(2 / (5 d)), Xavier's for d → 4 d

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: GPT-NeoX takes its hidden_size for `d` everywhere; the fan_in of the feed-forward's last matrix is another.
    Source: EleutherAI/gpt-neox@ea7aefd; Nguyen & Salazar (2019), https://arxiv.org/abs/1910.05895
    """

    name: ClassVar[str] = "small_init"

    d: int | None = parameter(None, D_MEANING)

    def std_at(self, d: float) -> float:
        return sqrt(2 / (5 * d))


@register
@dataclass(frozen=True)
class WangInit(WidthNormal):
    """Draw the last matrix of each residual branch, where small_init draws the others.

    W ~ N(0, s²),  s = 2 / (layers √d)

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: GPT-NeoX takes its hidden_size for `d` everywhere; the fan_in of the feed-forward's last matrix is another.
    Source: EleutherAI/gpt-neox@ea7aefd `init_functions.py`
    """

    name: ClassVar[str] = "wang_init"

    layers: int = parameter(MISSING, LAYERS_MEANING)
    d: int | None = parameter(None, D_MEANING)

    def std_at(self, d: float) -> float:
        return 2 / self.layers / sqrt(d)


@register
@dataclass(frozen=True)
class OlmoMitchell(WidthNormal):
    """Draw OLMo's embeddings, readout and the first matrices of attention and feed-forward by their width.

    W ~ N(0, s²) cut at ±cutoff s,  s = 1 / √d;  the std after the cut at 3 is 0.98658 s

    Bounds: ±cutoff s
    Differs: an embedding's width is `d`: name it where the order of axes makes the vocabulary the fan_in.
    Source: allenai/OLMo@59a53e3 `olmo/model.py`; Groeneveld et al. (2024), https://arxiv.org/abs/2402.00838
    """

    name: ClassVar[str] = "olmo_mitchell"

    d: int | None = parameter(None, D_MEANING)
    cutoff: float = parameter(3.0, CUTOFF_MEANING)

    def std_at(self, d: float) -> float:
        return 1 / sqrt(d)


@register
@dataclass(frozen=True)
class OlmoMitchellOut(WidthNormal):
    """Draw the last matrices of OLMo's attention and feed-forward by their width and layer.

    W ~ N(0, s²) cut at ±cutoff s,  s = 1 / √(2 d (layer + 1));  the std after the cut at 3 is 0.98658 s

    >>> OlmoMitchellOut(layer=0, d=2048).law((2048, 2048)).high
    0.046875

    Bounds: ±cutoff s
    Differs: here `d` is the inputs of the matrix, which the feed-forward's last has more of than the model is wide.
    Source: allenai/OLMo@59a53e3 `olmo/model.py`; Groeneveld et al. (2024), https://arxiv.org/abs/2402.00838
    """

    name: ClassVar[str] = "olmo_mitchell_out"

    layer: int = parameter(MISSING, LAYER_MEANING)
    d: int | None = parameter(None, "how many inputs the matrix has, ≥ 1; None for the fan_in of the shape")
    cutoff: float = parameter(3.0, CUTOFF_MEANING)

    def std_at(self, d: float) -> float:
        return 1 / sqrt(2.0 * d * (self.layer + 1))


@register
@dataclass(frozen=True)
class MupNormal(SizedNormal):
    """Draw a matrix both of whose widths grow with the model, so that µP's learning rates carry over.

    W ~ N(0, s²),  s = std / √width_mult

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: mup's normal_ is PyTorch's where at most one width grows; so are its xavier and its kaiming by fan_in where
    both grow alike. Megatron's hidden matrices under µP have a std of 0.02.
    Source: microsoft/mup@1981497 `mup/init.py`; Yang et al. (2022), https://arxiv.org/abs/2203.03466
    """

    name: ClassVar[str] = "mup_normal"

    width_mult: float = parameter(MISSING, WIDTH_MULT_MEANING)
    std: float = parameter(1.0, "the std at the width that the model was tuned at, ≥ 0")

    def std_value(self) -> float:
        return self.std / sqrt(self.width_mult)


@register
@dataclass(frozen=True)
class MupReadout(FanRecipe):
    """Draw the output matrix of a µP model, which is as large at every width; the layer divides by width_mult.

    W ~ U[−L, L),  L = √(width_mult / fan_in)

    Bounds: ±√(width_mult / fan_in)
    Differs: PyTorch's Linear is U[−1 / √fan_in, 1 / √fan_in). With readout_zero_init, mup fills with zeros.
    Source: microsoft/mup@1981497 `mup/layer.py`; Yang et al. (2022), https://arxiv.org/abs/2203.03466
    """

    name: ClassVar[str] = "mup_readout"

    width_mult: float = parameter(MISSING, WIDTH_MULT_MEANING)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return divided_law(self, shape, "uniform", self.width_mult / 3, (fans or self.fans(shape)).fan_in)
