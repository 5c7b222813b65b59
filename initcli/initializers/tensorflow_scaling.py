"""TensorFlow 1's variance scaling and its named children: the laws of Keras, since TensorFlow 1.10.

Source: tensorflow/tensorflow v1.13, `tensorflow/python/ops/init_ops.py`.
"""

from __future__ import annotations

from typing import ClassVar

from initcli.initializers import variance_scaling
from initcli.initializers.registry import register
from initcli.initializers.tensorflow import TensorFlowInitializer


@register
class VarianceScaling(TensorFlowInitializer, variance_scaling.VarianceScaling):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; untruncated_normal none
    Differs: TensorFlow up to 1.9 cuts at ±2 std, uncorrected: 0.8796 std; tf.contrib gives 1.0029 std.
    Source: TensorFlow 1.13
    """

    aliases: ClassVar[tuple[str, ...]] = ("variance_scaling_initializer",)


@register
class GlorotUniform(TensorFlowInitializer, variance_scaling.GlorotUniform):
    """Draw weights that keep the variance both going forward and coming back, uniformly; get_variable's default.

    W ~ U[−L, L),  L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))

    Bounds: ±√(6 / (fan_in + fan_out))
    Differs: PyTorch calls it xavier_uniform and reads (out, in, …).
    Source: TensorFlow 1.13; Glorot & Bengio (2010)
    """

    aliases: ClassVar[tuple[str, ...]] = ("glorot_uniform_initializer",)


@register
class GlorotNormal(TensorFlowInitializer, variance_scaling.GlorotNormal):
    """Draw weights that keep the variance both going forward and coming back, from a cut normal.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))

    Bounds: ±2.2737 std
    Differs: TensorFlow up to 1.9 gives 0.8796 std; PyTorch's xavier_normal is not cut.
    Source: TensorFlow 1.13; Glorot & Bengio (2010)
    """

    aliases: ClassVar[tuple[str, ...]] = ("glorot_normal_initializer",)


@register
class HeUniform(TensorFlowInitializer, variance_scaling.HeUniform):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)

    Bounds: ±√(6 / fan_in)
    Differs: PyTorch's Linear calls kaiming_uniform with a = √5, whose L is √(1 / fan_in).
    Source: TensorFlow 1.13; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class HeNormal(TensorFlowInitializer, variance_scaling.HeNormal):
    """Draw weights so that ReLU layers keep their variance going forward.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)

    Bounds: ±2.2737 std
    Differs: tf.contrib's variance_scaling gives 1.0029 std; PyTorch's kaiming_normal is not cut.
    Source: TensorFlow 1.13; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class LecunUniform(TensorFlowInitializer, variance_scaling.LecunUniform):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)

    Bounds: ±√(3 / fan_in)
    Source: TensorFlow 1.13; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class LecunNormal(TensorFlowInitializer, variance_scaling.LecunNormal):
    """Draw weights whose outputs have the variance of their inputs; the companion of SELU.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: Sonnet, Haiku and tf.js cut without correcting (0.8796 std); Chainer does not cut.
    Source: TensorFlow 1.13; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """
