"""Normals whose std follows the model's depth, as language models set the last matrix of each residual branch.

The more branches add their results to the residual stream, the smaller is what each begins with.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import sqrt
from typing import ClassVar

from initcli.initializers.base import parameter
from initcli.initializers.recipe_sizes import (
    CUTOFF_MEANING,
    LAYER_MEANING,
    LAYERS_MEANING,
    STD_MEANING,
    WIDTH_MULT_MEANING,
    SizedNormal,
)
from initcli.initializers.registry import register


@register
@dataclass(frozen=True)
class Gpt2Residual(SizedNormal):
    """Draw the last matrix of each residual branch of a GPT-2: two branches a layer.

    W ~ N(0, s²),  s = std / √(2 layers)

    >>> Gpt2Residual(layers=24).law((1024, 1024)).std
    0.002886751345948129

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Source: Radford et al. (2019); transformers 5.23 `GPT2PreTrainedModel`; EleutherAI/gpt-neox `scaled_normal`
    """

    name: ClassVar[str] = "gpt2_residual"
    aliases: ClassVar[tuple[str, ...]] = ("scaled_normal",)

    layers: int = parameter(MISSING, LAYERS_MEANING)
    std: float = parameter(0.02, STD_MEANING)

    def std_value(self) -> float:
        return self.std / sqrt(2.0 * self.layers)


@register
@dataclass(frozen=True)
class SingleResidualScaledNormal(SizedNormal):
    """Draw the last matrix of each residual branch where a layer has one branch, as in Mamba.

    W ~ N(0, s²),  s = std / √layers

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Source: EleutherAI/gpt-neox@ea7aefd `init_functions.py`
    """

    name: ClassVar[str] = "single_residual_scaled_normal"

    layers: int = parameter(MISSING, LAYERS_MEANING)
    std: float = parameter(0.02, STD_MEANING)

    def std_value(self) -> float:
        return self.std / sqrt(self.layers)


@register
@dataclass(frozen=True)
class MegatronScaled(SizedNormal):
    """Draw the output matrices of attention and MLP as Megatron does, under µP too.

    W ~ N(0, s²),  s = std / (√(residuals layers) √width_mult)

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: models that mix Mamba and attention count one residual a layer, all others two.
    Source: NVIDIA/Megatron-LM@d98e8a6 `megatron/core/utils.py`, `transformer_config.py`
    """

    name: ClassVar[str] = "megatron_scaled"

    layers: int = parameter(MISSING, LAYERS_MEANING)
    std: float = parameter(0.02, STD_MEANING)
    residuals: int = parameter(2, "how many residual branches a layer counts for, ≥ 1")
    width_mult: float = parameter(1.0, WIDTH_MULT_MEANING)

    def std_value(self) -> float:
        return self.std / (sqrt(float(self.residuals) * self.layers) * sqrt(self.width_mult))


@register
@dataclass(frozen=True)
class BeitResidual(SizedNormal):
    """Draw the last matrix of each residual branch smaller from layer to layer, as BEiT does.

    W ~ N(0, s²),  s = std / √(2 (layer + 1))

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Differs: gpt2_residual counts all layers, wherever the matrix stands. BEiT's cut at ±2 lies a hundred std away.
    Source: huggingface/pytorch-image-models `timm/models/beit.py`; Bao et al. (2021), https://arxiv.org/abs/2106.08254
    """

    name: ClassVar[str] = "beit_residual"

    layer: int = parameter(MISSING, LAYER_MEANING)
    std: float = parameter(0.02, STD_MEANING)

    def std_value(self) -> float:
        return self.std / sqrt(2.0 * (self.layer + 1))


@register
@dataclass(frozen=True)
class OlmoFullMegatron(SizedNormal):
    """Draw OLMo's embeddings and the first matrices of attention and feed-forward as Megatron does, but cut.

    W ~ N(0, std²) cut at ±cutoff std;  the std after the cut at 3 is 0.98658 std

    Bounds: ±cutoff std
    Differs: Megatron does not cut. OLMo's readout is olmo_mitchell's here too.
    Source: allenai/OLMo@59a53e3 `olmo/model.py`
    """

    name: ClassVar[str] = "olmo_full_megatron"

    std: float = parameter(0.02, "the std before the cut, ≥ 0")
    cutoff: float = parameter(3.0, CUTOFF_MEANING)

    def std_value(self) -> float:
        return float(self.std)


@register
@dataclass(frozen=True)
class OlmoFullMegatronOut(SizedNormal):
    """Draw the last matrices of OLMo's attention and feed-forward as Megatron does, but cut.

    W ~ N(0, s²) cut at ±cutoff s,  s = std / √(2 layers);  the std after the cut at 3 is 0.98658 s

    Bounds: ±cutoff s
    Differs: megatron_scaled is not cut.
    Source: allenai/OLMo@59a53e3 `olmo/model.py`
    """

    name: ClassVar[str] = "olmo_full_megatron_out"

    layers: int = parameter(MISSING, LAYERS_MEANING)
    std: float = parameter(0.02, STD_MEANING)
    cutoff: float = parameter(3.0, CUTOFF_MEANING)

    def std_value(self) -> float:
        return self.std / sqrt(2.0 * self.layers)
