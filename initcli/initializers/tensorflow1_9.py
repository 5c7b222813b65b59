"""TensorFlow 1.9's initializers whose laws TensorFlow changed later: by 1.10 the cut normals, by 1.13 the convolutions.

Source: tensorflow/tensorflow v1.9, `tensorflow/python/ops/init_ops.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from initcli.fans import Fans
from initcli.initializers import tensorflow_convolutions, variance_scaling
from initcli.initializers.arguments import parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.registry import register
from initcli.initializers.tensorflow_convolutions import Convolution
from initcli.initializers.variance_scaling import Rule, ScaledInitializer, uncorrected
from initcli.laws import Law


class TensorFlow19Initializer(Initializer):
    """An initializer of the framework `tensorflow1_9`: one whose law TensorFlow changed later."""

    framework: ClassVar[str] = "tensorflow1_9"
    aliases: ClassVar[tuple[str, ...]] = ()


class _Uncorrected(TensorFlow19Initializer, ScaledInitializer):
    """What scales with fans and is not widened for its cut."""

    def scale_law(self, rule: Rule, shape: tuple[int, ...], fans: Fans | None) -> Law:
        return super().scale_law(uncorrected(rule), shape, fans)


@register
@dataclass(frozen=True)
class VarianceScaling(_Uncorrected, variance_scaling.VarianceScaling):
    """Draw with a variance that is scaled to the fan of the shape, as TensorFlow 1.4 to 1.9 did.

    s = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    normal: N(0, s²) kept within ±2 s, std = 0.87962566 s;  uniform: U[−L, L), L = √3 s

    Bounds: normal ±2 s; uniform ±1.7321 s
    Differs: TensorFlow since 1.10 and Keras since 2.2 widen the normal, so that the std is s after the cut.
    Source: TensorFlow 1.9
    """

    aliases: ClassVar[tuple[str, ...]] = ("variance_scaling_initializer",)
    distributions: ClassVar[tuple[str, ...]] = ("normal", "uniform")

    distribution: str = parameter("normal", "normal, which is cut, or uniform")


@register
class GlorotNormal(_Uncorrected, variance_scaling.GlorotNormal):
    """Draw weights from a cut normal by Glorot and Bengio's fans, as TensorFlow 1.4 to 1.9 did.

    W ~ N(0, s²) kept within ±2 s,  s = √(2 / (fan_in + fan_out)),  std = 0.87962566 s

    >>> GlorotNormal().law((784, 128)).std
    0.041192245681391876

    Bounds: ±2 s
    Differs: TensorFlow since 1.10 and Keras since 2.2 widen the normal, so that the std is s after the cut.
    Source: TensorFlow 1.9; Glorot & Bengio (2010)
    """

    aliases: ClassVar[tuple[str, ...]] = ("glorot_normal_initializer",)


@dataclass(frozen=True)
class _RootGain(TensorFlow19Initializer, Convolution):
    """The convolutions as they were before TensorFlow 1.13: √gain is what the kernel is multiplied with."""

    gain: float = parameter(1.0, "what the kernel's squares are multiplied with, ≥ 0")

    def __post_init__(self) -> None:
        parse_number("gain", self.gain, least=0)

    @property
    def factor(self) -> float:
        return sqrt(self.gain)


@register
class ConvolutionDeltaOrthogonal(_RootGain, tensorflow_convolutions.ConvolutionDeltaOrthogonal):
    """Draw a convolution kernel that is an orthogonal matrix at its centre and zero elsewhere, as up to 1.12.

    W[(k − 1) // 2] = √gain Q in every spatial axis of length k, else 0;  Q: in × out, in ≤ out, Q Qᵀ = I

    Bounds: ±√gain; the squares sum to gain in
    Differs: TensorFlow since 1.13 multiplies with gain.
    Source: TensorFlow 1.9
    """


@register
class ConvolutionOrthogonal1D(_RootGain, tensorflow_convolutions.ConvolutionOrthogonal1D):
    """Draw a kernel (k, in, out) whose convolution, wrapped round, is orthogonal, as up to 1.12.

    W = √gain H ∗ B₁ ∗ … ∗ Bₖ₋₁, with H and B as in tensorflow.convolutional_orthogonal_1d

    Bounds: ±√gain; the squares sum to gain in
    Differs: TensorFlow since 1.13 multiplies with gain.
    Source: TensorFlow 1.9
    """


@register
class ConvolutionOrthogonal2D(_RootGain, tensorflow_convolutions.ConvolutionOrthogonal2D):
    """Draw a kernel (k, k, in, out) whose convolution, wrapped round, is orthogonal, as up to 1.12.

    W = √gain H ∗ B₁ ∗ … ∗ Bₖ₋₁, with H and B as in tensorflow.convolutional_orthogonal_2d

    Bounds: ±√gain; the squares sum to gain in
    Differs: TensorFlow since 1.13 multiplies with gain.
    Source: TensorFlow 1.9
    """


@register
class ConvolutionOrthogonal3D(_RootGain, tensorflow_convolutions.ConvolutionOrthogonal3D):
    """Draw a kernel (k, k, k, in, out) whose convolution, wrapped round, is orthogonal, as up to 1.12.

    W = √gain H ∗ B₁ ∗ … ∗ Bₖ₋₁, with H and B as in tensorflow.convolutional_orthogonal_3d

    Bounds: ±√gain; the squares sum to gain in
    Differs: TensorFlow since 1.13 multiplies with gain.
    Source: TensorFlow 1.9
    """
