"""What PyTorch's layers draw by default: their `reset_parameters`, one entry for each law that has no name in `init`.

MultiheadAttention's packed projection is xavier_uniform, its bias_k and bias_v xavier_normal; norms are ones and zeros.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/{linear,conv,sparse,rnn,activation}.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, torch_fans
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.bodies import ValueBody
from initcli.initializers.embeddings import check_padding, padded_law
from initcli.initializers.registry import register
from initcli.initializers.scaling import scaled_law
from initcli.initializers.torch import TorchInitializer
from initcli.laws import Constant, Law


class _Bounded(TorchInitializer):
    """W ~ U[−1 / √count, 1 / √count), the variance 1 / 3 for a count of one; zeros for a count of zero."""

    draws_complex: ClassVar[bool] = True

    def count(self, shape: tuple[int, ...], fans: Fans | None) -> float:
        """Return the count whose root the bound is divided by."""
        raise NotImplementedError

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        count = self.count(shape, fans)
        return scaled_law("uniform", 1 / 3, count) if count else Constant(0.0)


@register
class LinearDefault(_Bounded):
    """Draw the weight of a linear layer or a convolution, uniformly by its fan_in.

    W ~ U[−L, L),  L = 1 / √fan_in,  std = 1 / √(3 fan_in)
    fan_in is read from axis 1 and the receptive field: of a transposed convolution (in, out / groups, …) it is the outs

    >>> LinearDefault().law((128, 784)).high
    0.03571428571428571

    Bounds: ±1 / √fan_in
    Differs: Keras's layers draw glorot_uniform, Flax's lecun_normal. It is kaiming_uniform with a = √5.
    Source: PyTorch 2.13, `reset_parameters` of Linear, Conv1d to Conv3d and ConvTranspose1d to ConvTranspose3d
    """

    name: ClassVar[str] = "linear_default"
    aliases: ClassVar[tuple[str, ...]] = ("conv_default", "conv_transpose_default")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return Fans(0, 0) if 0 in shape else torch_fans(shape)

    def count(self, shape: tuple[int, ...], fans: Fans | None) -> float:
        return (fans or self.fans(shape)).fan_in


@register
@dataclass(frozen=True)
class LinearDefaultBias(_Bounded):
    """Draw the bias of a linear layer or a convolution, uniformly by the fan_in of its weight.

    W ~ U[−L, L),  L = 1 / √fan_in,  std = 1 / √(3 fan_in);  zeros for a fan_in of 0
    fan_in of a weight (out, in, …) is in × receptive field, of Bilinear's (out, in1, in2) only in1

    Bounds: ±1 / √fan_in
    Differs: Keras's and Flax's biases are zeros.
    Source: PyTorch 2.13, `reset_parameters` of Linear, Bilinear and the convolutions
    """

    name: ClassVar[str] = "linear_default_bias"
    aliases: ClassVar[tuple[str, ...]] = ("conv_default_bias", "conv_transpose_default_bias", "bilinear_default_bias")

    fan_in: int = parameter(MISSING, "the fan_in of the layer's weight, ≥ 0")

    def __post_init__(self) -> None:
        _check_whole("fan_in", self.fan_in)

    def count(self, shape: tuple[int, ...], fans: Fans | None) -> float:
        return self.fan_in


@register
class BilinearDefault(_Bounded):
    """Draw the weight of a bilinear layer, uniformly by its first input.

    W ~ U[−L, L),  L = 1 / √in1 of a shape (out, in1, in2),  std = 1 / √(3 in1)

    >>> round(BilinearDefault().law((50, 30, 40)).high, 12)
    0.182574185835

    Bounds: ±1 / √in1
    Differs: `linear_default` would count in1 × in2.
    Source: PyTorch 2.13, `Bilinear.reset_parameters`
    """

    name: ClassVar[str] = "bilinear_default"
    aliases: ClassVar[tuple[str, ...]] = ()

    def count(self, shape: tuple[int, ...], fans: Fans | None) -> float:
        check_rank(self.name, shape, 3, 3)
        if not shape[1]:
            what = f"`{self.name}` needs a first input that is not empty, got {list(shape)}"
            raise ArgumentError(what, "use `zeros` for an empty tensor", parameter="shape")
        return shape[1]


@register
@dataclass(frozen=True)
class RnnDefault(_Bounded):
    """Draw every tensor of a recurrent layer, weights and biases, uniformly by its hidden size.

    W ~ U[−L, L),  L = 1 / √hidden_size,  std = 1 / √(3 hidden_size)

    >>> RnnDefault(64).law((256, 100)).high
    0.125

    Bounds: ±1 / √hidden_size
    Differs: Keras draws glorot_uniform, orthogonal for the recurrent kernel, and a forget bias of one.
    Source: PyTorch 2.13, `reset_parameters` of RNN, LSTM, GRU and their cells
    """

    name: ClassVar[str] = "rnn_default"
    aliases: ClassVar[tuple[str, ...]] = ("lstm_default", "gru_default")

    hidden_size: int = parameter(MISSING, "the features of the hidden state, ≥ 1; not those of a projection")

    def __post_init__(self) -> None:
        _check_whole("hidden_size", self.hidden_size, least=1)

    def count(self, shape: tuple[int, ...], fans: Fans | None) -> float:
        return self.hidden_size


@register
@dataclass(frozen=True)
class EmbeddingDefault(TorchInitializer):
    """Draw an embedding table from a standard normal, with the row of the padding set to zero.

    W ~ N(0, 1);  W[padding_idx] = 0

    >>> EmbeddingDefault(padding_idx=0).law((4, 8)).std  # √(3 / 4)
    0.8660254037844386

    Bounds: none; in float32 the farthest value lies at ±6.34
    Differs: Keras's Embedding draws U[−0.05, 0.05), Flax's N(0, 1 / features).
    Source: PyTorch 2.13, `reset_parameters` of Embedding and EmbeddingBag
    """

    name: ClassVar[str] = "embedding_default"
    draws_complex: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ()

    padding_idx: int | None = parameter(None, "the row that stays zero; a negative one counts from the end")

    def __post_init__(self) -> None:
        check_padding(self.padding_idx)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return padded_law(self.name, shape, self.padding_idx)


@register
@dataclass(frozen=True)
class PreluDefault(TorchInitializer, ValueBody):
    """Fill with PReLU's slope.

    W = init

    Bounds: init
    Differs: Keras's PReLU begins at 0, Flax's at 0.01.
    Source: PyTorch 2.13, `PReLU.reset_parameters`; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "prelu_default"
    aliases: ClassVar[tuple[str, ...]] = ()

    init: float | bool = parameter(0.25, "the slope for negative inputs")


def _check_whole(parameter_name: str, value: object, least: int | None = 0) -> None:
    """Raise `ArgumentError` unless `value` is a whole number, at least `least`."""
    if not isinstance(parse_number(parameter_name, value, least), int):
        raise ArgumentError(f"`{parameter_name}` must be a whole number, got {value}", parameter=parameter_name)
