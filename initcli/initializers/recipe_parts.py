"""Laws of particular parts: adapters, sine layers, layer scales, packed projections, and timm's cut normals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_flag, check_rank, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.bodies import CutBody, ScaledBody, ValueBody, ZerosBody, divided_law
from initcli.initializers.embeddings import check_padding, padded_law
from initcli.initializers.recipe import FanRecipe, Recipe
from initcli.initializers.recipe_sizes import check_fan, check_sizes
from initcli.initializers.registry import register
from initcli.laws import STD_WITHIN_2, Law, Normal, TruncatedNormal, Uniform


@register
@dataclass(frozen=True)
class LayerScale(Recipe, ValueBody):
    """Fill the vector that multiplies a residual branch, so that the block begins near the identity.

    W = value

    Bounds: value
    Source: timm `layer_scale.py`; Touvron et al. (2021), https://arxiv.org/abs/2103.17239
    """

    name: ClassVar[str] = "layer_scale"

    value: float | bool = parameter(1e-5, "the value of every element, smaller in deeper models")


@register
@dataclass(frozen=True)
class TransformersEmbedding(Recipe):
    """Draw an embedding table, its row of padding zero.

    W ~ N(0, std²), but for the row `padding_idx`, which is 0

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: PyTorch's own Embedding draws N(0, 1).
    Source: transformers 5.23, `_init_weights` of BERT, Whisper and most others
    """

    name: ClassVar[str] = "transformers_embedding"

    padding_idx: int | None = parameter(None, "the row that is zero; a negative one counts from the end")
    std: float = parameter(0.02, "the standard deviation of the other values, ≥ 0")

    def __post_init__(self) -> None:
        check_padding(self.padding_idx)
        parse_number("std", self.std, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return padded_law(self.name, shape, self.padding_idx, self.std)


@register
@dataclass(frozen=True)
class Siren(FanRecipe):
    """Draw a layer of a network whose activations are sin(omega_0 x).

    W ~ U[−L, L),  L = √(6 / fan_in) / omega_0, or 1 / fan_in in the first layer

    >>> Siren().law((256, 256)).high
    0.005103103630798287

    Bounds: ±L
    Differs: the biases stay as PyTorch's Linear leaves them, U[−1 / √fan_in, 1 / √fan_in).
    Source: vsitzmann/siren@4df34ba `explore_siren.ipynb`; Sitzmann et al. (2020), https://arxiv.org/abs/2006.09661
    """

    name: ClassVar[str] = "siren"

    omega_0: float = parameter(30.0, "what the sine's argument is multiplied with, > 0")
    is_first: bool = parameter(False, "whether this is the network's first layer")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)
        check_flag("is_first", self.is_first)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan = check_fan(self, shape, (fans or self.fans(shape)).fan_in)
        limit = 1 / fan if self.is_first else sqrt(6 / fan) / self.omega_0
        return Uniform(-limit, limit)


@register
@dataclass(frozen=True)
class LoraA(FanRecipe, ScaledBody):
    """Draw the matrix of a low-rank adapter that reads the layer's inputs, as peft does by default.

    W ~ U[−L, L),  L = 1 / √fan_in, which is PyTorch's Linear

    Bounds: ±1 / √fan_in
    Differs: peft's embeddings fill A with zeros and draw B from N(0, 1).
    Source: huggingface/peft `tuners/lora/layer.py`; Hu et al. (2021), https://arxiv.org/abs/2106.09685
    """

    name: ClassVar[str] = "lora_a"
    rule: ClassVar[tuple[float, str, str]] = (1 / 3, "fan_in", "uniform")


@register
@dataclass(frozen=True)
class LoraAGaussian(FanRecipe):
    """Draw the matrix of a low-rank adapter that reads the layer's inputs, as peft's `gaussian` does.

    W ~ N(0, s²),  s = 1 / r

    >>> LoraAGaussian(order="torch").law((16, 4096)).std
    0.0625

    Bounds: none; in float32 the farthest value lies at ±6.34 s
    Source: huggingface/peft `tuners/lora/layer.py`
    """

    name: ClassVar[str] = "lora_a_gaussian"

    r: int | None = parameter(None, "the rank of the adapter, ≥ 1; None for the fan_out of a matrix")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Normal(0.0, 1 / (self.r or check_fan(self, shape, (fans or self._matrix_fans(shape)).fan_out)))

    def _matrix_fans(self, shape: tuple[int, ...]) -> Fans:
        """Return the fans of a matrix, as a kernel's fan_out counts its receptive field too and is not the rank."""
        if len(shape) != 2:
            what = f"`{self.name}` reads the rank from a matrix only, got {list(shape)}"
            raise ArgumentError(what, "name the rank: `r=16`", parameter="shape")
        return self.fans(shape)


@register
@dataclass(frozen=True)
class LoraB(Recipe, ZerosBody):
    """Fill the matrix of a low-rank adapter that writes to the layer's outputs, so that the adapter begins as nothing.

    W = 0

    Bounds: 0
    Source: huggingface/peft `tuners/lora/layer.py`; Hu et al. (2021), https://arxiv.org/abs/2106.09685
    """

    name: ClassVar[str] = "lora_b"


@register
@dataclass(frozen=True)
class MocoQkv(FanRecipe):
    """Draw the packed matrix of queries, keys and values so that each third is Xavier's.

    W ~ U[−L, L),  L = √(6 / (⌊out / 3⌋ + in))

    Bounds: ±√(6 / (⌊out / 3⌋ + in))
    Differs: Xavier of the packed matrix itself has √(6 / (out + in)), which is √2 less where out = 3 in.
    Source: timm `init_weights_vit_moco`; Chen, Xie & He (2021), https://arxiv.org/abs/2104.02057
    """

    name: ClassVar[str] = "moco_qkv"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if fans is None:
            check_rank(self.name, shape, 2, 2)
        fans = fans or self.fans(shape)
        return divided_law(self, shape, "uniform", 2.0, fans.fan_out // 3 + fans.fan_in)


@register
@dataclass(frozen=True)
class TruncNormalTf(Recipe, CutBody):
    """Draw from a normal distribution cut at multiples of its std, as timm does in the manner of TensorFlow.

    W ~ N(mean, std²) kept within [mean + a std, mean + b std];  with −2 and 2 that leaves 0.8796 std

    Bounds: mean + a std ≤ W ≤ mean + b std
    Differs: in PyTorch's and timm's trunc_normal, a and b are values.
    Source: huggingface/pytorch-image-models `timm/layers/weight_init.py`
    """

    name: ClassVar[str] = "trunc_normal_tf"
    aliases: ClassVar[tuple[str, ...]] = ("trunc_normal_tf_",)
    edge_names: ClassVar[tuple[str, str]] = ("a", "b")
    is_relative: ClassVar[bool] = True

    mean: float = parameter(0.0, "the mean before the cut")
    std: float = parameter(1.0, "the standard deviation before the cut, ≥ 0")
    a: float = parameter(-2.0, "the least value, in std from the mean")
    b: float = parameter(2.0, "the greatest value, in std from the mean; ≥ a")


@register
@dataclass(frozen=True)
class LecunNormal(FanRecipe, ScaledBody):
    """Draw weights that keep the variance going forward, as timm does in the manner of JAX.

    W ~ N(0, std²) cut at ±2 std and corrected,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: transformers_lecun_normal forgets that the cut is in values.
    Source: huggingface/pytorch-image-models `timm/layers/weight_init.py`
    """

    name: ClassVar[str] = "lecun_normal"
    aliases: ClassVar[tuple[str, ...]] = ("lecun_normal_",)
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "truncated_normal")


@register
@dataclass(frozen=True)
class TransformersLecunNormal(FanRecipe):
    """Draw weights as transformers' lecun_normal_ does: corrected for a cut that it does not make.

    W ~ N(0, s²) kept within [−2, 2],  s = √(1 / fan_in) / 0.8796

    >>> TransformersLecunNormal(order="torch").law((1000, 500)).std
    0.050841353920272905

    Bounds: ±2
    Differs: it is 13.68 % wider than lecun_normal where fan_in is large, because −2 and 2 are values and not std.
    Source: transformers 5.23 `initialization.py`
    """

    name: ClassVar[str] = "transformers_lecun_normal"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        fan = check_fan(self, shape, (fans or self.fans(shape)).fan_in)
        return TruncatedNormal(0.0, sqrt(1 / fan) / STD_WITHIN_2, -2.0, 2.0)
