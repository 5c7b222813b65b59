"""Stacks of residual blocks that train when they are very deep, some of them without a norm.

Each multiplies a well-known law by a power or a logarithm of the depth.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_choice
from initcli.initializers.base import parameter
from initcli.initializers.bodies import divided_law
from initcli.initializers.recipe import FanRecipe
from initcli.initializers.recipe_sizes import SizedNormal, check_sizes, ln, root
from initcli.initializers.registry import register
from initcli.laws import Law

STACK_LAYERS_MEANING = "how many layers this stack has, ≥ 1"


@dataclass(frozen=True)
class _Torchscale(FanRecipe):
    """The weights of feed-forward and attention that torchscale multiplies after it has drawn them.

    fc1 and fc2 are as PyTorch's Linear leaves them, v_proj and out_proj Xavier's with the gains 1 / √2 and 1.
    """

    layers: int = parameter(MISSING, STACK_LAYERS_MEANING)
    weight: str = parameter(MISSING, "which matrix: fc1, fc2, v_proj or out_proj")
    stack: str = parameter("alone", "what the stack is: alone in the model, or its encoder or decoder")
    decoder_layers: int | None = parameter(None, "how many layers the decoder has beside an encoder, ≥ 1")

    _drawn: ClassVar[dict[str, tuple[float, str]]] = {
        "fc1": (1 / 3, "fan_in"),
        "fc2": (1 / 3, "fan_in"),
        "v_proj": (1 / 2, "fan_avg"),
        "out_proj": (1.0, "fan_avg"),
    }
    """By what each weight is drawn: the std is √(scale / fan), uniformly."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)
        check_choice("weight", self.weight, tuple(self._drawn))
        check_choice("stack", self.stack, ("alone", "encoder", "decoder"))
        if (self.stack == "encoder") != (self.decoder_layers is not None):
            what = f"`decoder_layers` goes with the stack `encoder`, got {self.decoder_layers} for `{self.stack}`"
            raise ArgumentError(what, "`layers` counts the layers of this stack itself", parameter="decoder_layers")

    def factor(self) -> float:
        """Return what the depth multiplies the weight with."""
        raise NotImplementedError

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        scale, fan = self._drawn[self.weight]
        return divided_law(self, shape, "uniform", scale, getattr(fans or self.fans(shape), fan), self.factor())


@register
class Deepnorm(_Torchscale):
    """Draw a weight of a post-norm stack whose residuals DeepNorm enlarges.

    W ~ U[−f L, f L)

        L = 1 / √fan_in for fc1 and fc2, √(3 / (fan_in + fan_out)) for v_proj, √(6 / (fan_in + fan_out)) for out_proj
        f = (8 layers)^(−1/4), in a decoder (12 layers)^(−1/4), in an encoder 1.15 (layers⁴ decoder_layers)^(−1/16)

    >>> law = Deepnorm(layers=24, weight="out_proj").law((512, 512))
    >>> round(law.high * (8 * 24) ** 0.25, 12)  # √(6 / 1024)
    0.076546554462

    Bounds: ±f L
    Differs: the paper draws all four by xavier_normal with the gain f, and in an encoder with 0.87 in place of 1.15.
    Queries and keys are Xavier's with the gain 1 / √2, not multiplied.
    Source: microsoft/torchscale@4d1e0e8 `encoder.py`, `decoder.py`; Wang et al. (2022), https://arxiv.org/abs/2203.00555
    """

    name: ClassVar[str] = "deepnorm"

    def factor(self) -> float:
        if self.stack == "encoder":
            return 1.15 / root(self.layers**4 * (self.decoder_layers or 1), 16)
        return 1 / root((12 if self.stack == "decoder" else 8) * self.layers, 4)


@register
class Subln(_Torchscale):
    """Draw a weight of a stack with the extra norms of Sub-LayerNorm, as Magneto does.

    W ~ U[−f L, f L)

        L = 1 / √fan_in for fc1 and fc2, √(3 / (fan_in + fan_out)) for v_proj, √(6 / (fan_in + fan_out)) for out_proj
        f = √ln(2 layers), in a decoder √ln(3 layers), in an encoder √(ln(3 decoder_layers) ln(2 layers) / 3)

    Bounds: ±f L
    Differs: the weights of a decoder's cross-attention are not multiplied, those of deepnorm are.
    Source: microsoft/torchscale@4d1e0e8 `encoder.py`, `decoder.py`; Wang et al. (2022), https://arxiv.org/abs/2210.06423
    """

    name: ClassVar[str] = "subln"

    def factor(self) -> float:
        if self.stack == "encoder":
            return sqrt(ln(3 * (self.decoder_layers or 1)) * ln(2 * self.layers) / 3)
        return sqrt(ln((3 if self.stack == "decoder" else 2) * self.layers))


@register
@dataclass(frozen=True)
class TFixup(FanRecipe):
    """Draw fc1, fc2, out_proj and v_proj of a transformer that has no norms and needs no warm-up.

    W ~ U[−f L, f L),  L = √(6 / (fan_in + fan_out))

        f = 0.67 layers^(−1/4) in an encoder, (9 layers)^(−1/4) in a decoder

    Bounds: ±f L
    Differs: queries and keys are Xavier's with the gain 1 / √2.
    Source: layer6ai-labs/T-Fixup@b17e166 `transformer_layer.py`; Huang et al. (2020), ICML
    """

    name: ClassVar[str] = "t_fixup"

    layers: int = parameter(MISSING, STACK_LAYERS_MEANING)
    stack: str = parameter(MISSING, "what the stack is: encoder or decoder")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)
        check_choice("stack", self.stack, ("encoder", "decoder"))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        factor = 0.67 / root(self.layers, 4) if self.stack == "encoder" else 1 / root(9 * self.layers, 4)
        return divided_law(self, shape, "uniform", 1.0, (fans or self.fans(shape)).fan_avg, factor)


@register
@dataclass(frozen=True)
class TFixupEmbedding(SizedNormal):
    """Draw the embeddings of a transformer that t_fixup draws the matrices of.

    W ~ N(0, s²),  s = (9 layers)^(−1/4) / √d

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: fairseq then puts zeros into the row of the padding. Embeddings that both stacks share go by the encoder.
    Source: layer6ai-labs/T-Fixup@b17e166 `fairseq/models/transformer.py`; Huang et al. (2020), ICML
    """

    name: ClassVar[str] = "t_fixup_embedding"

    layers: int = parameter(MISSING, STACK_LAYERS_MEANING)
    d: int = parameter(MISSING, "the width of the embedding, ≥ 1")

    def std_value(self) -> float:
        return 1 / (root(9 * self.layers, 4) * sqrt(self.d))


@register
@dataclass(frozen=True)
class Fixup(FanRecipe):
    """Draw all but the last matrix of each branch of a residual network without norms; the last is zeros.

    W ~ N(0, s²),  s = √(2 / fan_out) layers^(−1 / (2 branch_layers − 2))

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: the classifier is zeros too, and convolutions outside of the branches are He's by fan_out.
    Source: hongyi-zhang/Fixup@f3fa449 `imagenet/models`; Zhang, Dauphin & Ma (2019), https://arxiv.org/abs/1901.09321
    """

    name: ClassVar[str] = "fixup"

    layers: int = parameter(MISSING, "how many residual blocks the network has, ≥ 1")
    branch_layers: int = parameter(2, "how many matrices or convolutions a branch has, ≥ 2")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan, factor = (fans or self.fans(shape)).fan_out, 1 / root(self.layers, 2 * self.branch_layers - 2)
        return divided_law(self, shape, "untruncated_normal", 2.0, fan, factor)
