"""PyTorch's convolutions and transposed convolutions, in one, two and three dimensions.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/conv.py`; checked by `make clients`.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice
from initcli.layers.base import Built, Weight, layer, parse_size, parse_sizes
from initcli.layers.torch_arguments import Ignored, check_divisible
from initcli.layers.torch_linear import drawn_bias


def _convolution(
    rank: int,
    in_channels: int,
    out_channels: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Ignored = 1,
    groups: int = 1,
    bias: bool = True,
    padding_mode: str = "zeros",
) -> Built:
    """A cross-correlation of every group's inputs with its outputs' kernels."""
    _check_channels(in_channels, out_channels, groups)
    _check_padding(padding, stride)
    check_choice("padding_mode", padding_mode, ("zeros", "reflect", "replicate", "circular"))
    shape = (out_channels, in_channels // groups, *parse_sizes("kernel_size", kernel_size, rank))
    return _drawn(shape, out_channels, bias)


def _transposed_convolution(
    rank: int,
    in_channels: int,
    out_channels: int,
    kernel_size: Any,
    stride: Ignored = 1,
    padding: Ignored = 0,
    output_padding: Ignored = 0,
    groups: int = 1,
    bias: bool = True,
    dilation: Ignored = 1,
    padding_mode: str = "zeros",
) -> Built:
    """The gradient of a convolution; its weight has the inputs first, and PyTorch reads fan_in from the outputs."""
    _check_channels(in_channels, out_channels, groups)
    check_choice("padding_mode", padding_mode, ("zeros",))
    shape = (in_channels, out_channels // groups, *parse_sizes("kernel_size", kernel_size, rank))
    return _drawn(shape, out_channels, bias)


for _rank in (1, 2, 3):
    layer("torch", f"Conv{_rank}d")(partial(_convolution, _rank))
    layer("torch", f"ConvTranspose{_rank}d")(partial(_transposed_convolution, _rank))


def _drawn(shape: tuple[int, ...], out_channels: int, bias: bool) -> Built:
    """Return weight and bias, both drawn by the fan_in that PyTorch reads: all axes but the first."""
    return Built([Weight("weight", shape, "linear_default"), *drawn_bias(bias, out_channels, prod(shape[1:]))])


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    parse_size("groups", groups)
    for parameter, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        check_divisible(parameter, parse_size(parameter, channels, 0), "groups", groups)


def _check_padding(padding: Any, stride: Any) -> None:
    """Raise `ArgumentError` for a word that names no padding, and for `same` where the stride is not 1."""
    if not isinstance(padding, str):
        return
    check_choice("padding", padding, ("valid", "same"))
    strides = stride if isinstance(stride, list | tuple) else [stride]
    if padding == "same" and any(step != 1 for step in strides):
        raise ArgumentError(f"`padding` cannot be `same` with a `stride` of {stride}", parameter="padding")
