"""TensorFlow 1's orthogonal convolutions, with the gain that they have since 1.13.

Source: tensorflow/tensorflow v1.13, `tensorflow/python/ops/init_ops.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.convolutions import parse_kernel
from initcli.initializers.registry import register
from initcli.initializers.tensorflow import TensorFlowInitializer
from initcli.laws import Law
from initcli.laws.convolution import ConvolutionOrthogonal
from initcli.laws.whole import DeltaOrthogonal, Orthogonal


@dataclass(frozen=True)
class Convolution(Initializer):
    """What the orthogonal convolutions are made with."""

    gain: float = parameter(1.0, "what the kernel is multiplied with")

    def __post_init__(self) -> None:
        parse_number("gain", self.gain)

    @property
    def factor(self) -> float:
        """What the kernel is multiplied with."""
        return self.gain


class _Spread(Convolution):
    """An orthogonal convolution that is spread over all taps, which are as many along every one of `axes` axes."""

    axes: ClassVar[int]

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        taps, inputs, outputs = parse_kernel(self.name, shape, self.axes + 2, self.axes + 2)
        if len(set(taps)) > 1:
            what = f"`{self.name}` needs a kernel of equal sides, got {list(shape)}"
            raise ArgumentError(what, "the last two axes are in and out", parameter="shape")
        return ConvolutionOrthogonal(self.axes, taps[0], inputs, outputs, self.factor)


@register
class ConvolutionDeltaOrthogonal(TensorFlowInitializer, Convolution):
    """Draw a convolution kernel that is an orthogonal matrix at its centre and zero elsewhere.

    W[(k − 1) // 2] = gain Q in every spatial axis of length k, else 0;  Q: in × out, in ≤ out, Q Qᵀ = I

    Bounds: ±gain; the squares sum to gain² in
    Differs: TensorFlow up to 1.12 multiplies with √gain; PyTorch's dirac is centred at k // 2. The bits rest on LAPACK.
    Source: TensorFlow 1.13; Xiao et al. (2018), https://arxiv.org/abs/1806.05393
    """

    name: ClassVar[str] = "convolutional_delta_orthogonal"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        taps, inputs, outputs = parse_kernel(self.name, shape, 3, 5)
        if not inputs:
            what = f"`{self.name}` needs inputs, got {list(shape)}"
            raise ArgumentError(what, "use `zeros` for an empty tensor", parameter="shape")
        return DeltaOrthogonal(Orthogonal(inputs, outputs, self.factor), taps)


@register
class ConvolutionOrthogonal1D(TensorFlowInitializer, _Spread):
    """Draw a kernel (k, in, out) whose convolution, wrapped round, is orthogonal.

    W = gain H ∗ B₁ ∗ … ∗ Bₖ₋₁;  H: in × out, in ≤ out, H Hᵀ = I;  B: the taps [P, I − P], P a random projection

    Bounds: ±gain; the squares sum to gain² in, and S Sᵀ = gain² I for S, the sum of the taps
    Differs: TensorFlow up to 1.12 multiplies with √gain. The bits rest on LAPACK.
    Source: TensorFlow 1.13; Xiao et al. (2018), https://arxiv.org/abs/1806.05393
    """

    name: ClassVar[str] = "convolutional_orthogonal_1d"
    axes: ClassVar[int] = 1


@register
class ConvolutionOrthogonal2D(TensorFlowInitializer, _Spread):
    """Draw a kernel (k, k, in, out) whose convolution, wrapped round, is orthogonal.

    W = gain H ∗ B₁ ∗ … ∗ Bₖ₋₁;  H: in × out, in ≤ out, H Hᵀ = I
    B: the taps [[P Q, P (I − Q)], [(I − P) Q, (I − P) (I − Q)]], P and Q random projections

    Bounds: ±gain; the squares sum to gain² in, and S Sᵀ = gain² I for S, the sum of the taps
    Differs: TensorFlow up to 1.12 multiplies with √gain. The bits rest on LAPACK.
    Source: TensorFlow 1.13; Xiao et al. (2018), https://arxiv.org/abs/1806.05393
    """

    name: ClassVar[str] = "convolutional_orthogonal_2d"
    axes: ClassVar[int] = 2


@register
class ConvolutionOrthogonal3D(TensorFlowInitializer, _Spread):
    """Draw a kernel (k, k, k, in, out) whose convolution, wrapped round, is orthogonal.

    W = gain H ∗ B₁ ∗ … ∗ Bₖ₋₁;  H: in × out, in ≤ out, H Hᵀ = I
    B: the 2 × 2 × 2 taps [P, I − P] [Q, I − Q] [R, I − R], one factor for each axis; P, Q, R random projections

    Bounds: ±gain; the squares sum to gain² in, and S Sᵀ = gain² I for S, the sum of the taps
    Differs: TensorFlow up to 1.12 multiplies with √gain. The bits rest on LAPACK.
    Source: TensorFlow 1.13; Xiao et al. (2018), https://arxiv.org/abs/1806.05393
    """

    name: ClassVar[str] = "convolutional_orthogonal_3d"
    axes: ClassVar[int] = 3
