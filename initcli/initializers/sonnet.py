"""Sonnet 2's initializers, for shapes (receptive field…, in, out). Here `normal` is not cut.

Sonnet's linear and convolution layers use truncated_normal(0, 1 / √fan_in), uncorrected, unless told otherwise.

Source: google-deepmind/sonnet@26b0518 (2.0.3.dev), `sonnet/src/initializers.py`; read, and its samplers run with
TensorFlow 2.21.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import ClassVar

from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    CutAtTwoBody,
    GainedOrthogonalBody,
    IdentitiesBody,
    NormalBody,
    OnesBody,
    UniformBody,
    ValueBody,
    ZerosBody,
)
from initcli.initializers.haiku import ScalingBody
from initcli.initializers.registry import register


class SonnetInitializer(Initializer):
    """An initializer of the framework `sonnet`."""

    framework: ClassVar[str] = "sonnet"
    refuses_negative: ClassVar[bool] = False


@register
class Zeros(SonnetInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "zeros"


@register
class Ones(SonnetInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "ones"


@register
@dataclass(frozen=True)
class Constant(SonnetInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(MISSING, "the value of every element")


@register
@dataclass(frozen=True)
class RandomUniform(SonnetInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[minval, maxval),  std = (maxval − minval) / √12

    Bounds: minval ≤ W < maxval
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "random_uniform"
    edge_names: ClassVar[tuple[str, str]] = ("minval", "maxval")

    minval: float = parameter(0.0, "the lower bound, which can be drawn")
    maxval: float = parameter(1.0, "the upper bound, which cannot; ≥ minval")


@register
@dataclass(frozen=True)
class RandomNormal(SonnetInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, stddev²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 stddev
    Differs: the default stddev is 0.05 in Keras, 0.01 in JAX; Haiku's first parameter is the stddev.
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "random_normal"
    std_name: ClassVar[str] = "stddev"

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(1.0, "the standard deviation of the values")


@register
@dataclass(frozen=True)
class TruncatedNormal(SonnetInitializer, CutAtTwoBody):
    """Draw from a normal distribution cut at two standard deviations.

    W ~ N(mean, stddev²) kept within mean ± 2 stddev,  std = 0.87962566 stddev

    Bounds: mean ± 2 stddev
    Differs: PyTorch's trunc_normal cuts at the absolute values −2 and 2; the default stddev is 0.05 in Keras.
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "truncated_normal"
    std_name: ClassVar[str] = "stddev"

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(1.0, "the standard deviation before the cut")


@register
class Identity(SonnetInitializer, IdentitiesBody):
    """Put ones on the main diagonal of every matrix along the last two axes.

    W[…, i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras's takes rank 2 only; Flux's puts one matrix at the centre of a kernel.
    Source: Sonnet 2.0.3.dev
    """

    name: ClassVar[str] = "identity"


@register
class Orthogonal(SonnetInitializer, GainedOrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (…, cols) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch flattens (out, …) to out × rest. The bits rest on LAPACK.
    Source: Sonnet 2.0.3.dev; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    is_last: ClassVar[bool] = True


@register
class VarianceScaling(SonnetInitializer, ScalingBody):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; normal none
    Differs: Haiku also takes a scale of 0; Keras's `normal` is cut; Sonnet's layers cut uncorrected: 0.8796 std.
    Source: Sonnet 2.0.3.dev; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    name: ClassVar[str] = "variance_scaling"
    refuses_negative: ClassVar[bool] = True
    refuses_zero: ClassVar[bool] = True
