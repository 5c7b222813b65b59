"""Chainer's two filters, for kernels (channels, channels, taps…): they interpolate or average, channel by channel.

Source: chainer/chainer@a8e15cb (7.8.1), `chainer/initializers/sampling.py`; read, not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_choice, check_rank
from initcli.initializers.base import parameter
from initcli.initializers.chainer import ChainerInitializer
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws.kernel import Interpolation


@dataclass(frozen=True)
class _Sampling(ChainerInitializer):
    """Both filters: of the factor (K + 1) // 2 and the centre (K − 1) / 2."""

    is_averaging: ClassVar[bool]

    interpolation: str = parameter("linear", "how to interpolate: linear")

    def __post_init__(self) -> None:
        check_choice("interpolation", self.interpolation, ("linear",))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 3)
        if shape[1] not in (shape[0], 1) or len(set(shape[2:])) > 1:
            what = f"`{self.name}` needs equal channels, or one, and taps alike along every axis, got {list(shape)}"
            raise ArgumentError(what, parameter="shape")
        factor, centre = (shape[-1] + 1) // 2, (shape[-1] - 1) / 2
        sum_along_axis = float(np.sum(1 - np.abs(np.arange(shape[-1]) - centre) / max(1, factor)))
        divisor = sum_along_axis ** (len(shape) - 2) if self.is_averaging and shape[-1] else 1.0
        return Interpolation(shape, centre, divisor, is_diagonal=shape[1] != 1)


@register
class UpsamplingDeconvFilter(_Sampling):
    """Let a transposed convolution interpolate linearly, channel by channel.

    W[c, c, i, …] = ∏ 1 − |i − centre| / f, else 0;  f = (K + 1) // 2,  centre = (K − 1) / 2

    Bounds: from 0 to 1
    Differs: MXNet's and Caffe's bilinear join every input with every output; MXNet's is lopsided for odd K.
    Source: Chainer 7.8; Long, Shelhamer & Darrell (2014), https://arxiv.org/abs/1411.4038
    """

    name: ClassVar[str] = "upsampling_deconv_filter"
    is_averaging: ClassVar[bool] = False


@register
class DownsamplingConvFilter(_Sampling):
    """Let a convolution average linearly, channel by channel.

    W[c, c, i, …] = ∏ (1 − |i − centre| / f) divided by its sum over the taps, else 0;  f and centre as for upsampling

    Bounds: from 0 to 1
    Source: Chainer 7.8
    """

    name: ClassVar[str] = "downsampling_conv_filter"
    is_averaging: ClassVar[bool] = True
