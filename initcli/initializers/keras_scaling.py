"""Keras's variance scaling and its named children: one body, seven names, and the axes that the fans can be read from.

Source: keras-team/keras v3.15.1, `keras/src/initializers/random_initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from initcli.errors import ArgumentError
from initcli.fans import Fans, resolve_axis
from initcli.initializers import variance_scaling
from initcli.initializers.base import parameter
from initcli.initializers.keras import KerasInitializer
from initcli.initializers.registry import register
from initcli.initializers.variance_scaling import ScaledInitializer

_AXES = ("input_axes", "output_axes")


@dataclass(frozen=True, kw_only=True)
class _ScaledByAxes(KerasInitializer, ScaledInitializer):
    """What scales with fans, read from axes if those of both are named. They follow a child's own parameters."""

    input_axes: tuple[int, ...] | None = parameter(
        None, "the axes that count the inputs, if `output_axes` is given too"
    )
    output_axes: tuple[int, ...] | None = parameter(None, "the axes that count the outputs")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _AXES:
            object.__setattr__(self, name, _parse_axes(name, getattr(self, name)))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        if self.input_axes is None or self.output_axes is None:
            return super().fans(shape)
        counts = [prod(shape[resolve_axis(name, axis, shape)] for axis in getattr(self, name)) for name in _AXES]
        return Fans(*counts)

    def config(self) -> dict[str, Any]:
        """Return the parameters without the seed, and without axes that are not named."""
        return {name: value for name, value in super().config().items() if value is not None or name not in _AXES}

    def get_config(self) -> dict[str, Any]:
        """Return the parameters and the seed, the axes as lists."""
        config = super().get_config()
        return {**config, **{name: list(config[name]) for name in _AXES if config[name] is not None}}


def _parse_axes(parameter_name: str, value: object) -> tuple[int, ...] | None:
    """Return axes as a tuple; None if there are none.

    Raises:
        ArgumentError: it is no list of whole numbers.
    """
    if value is None:
        return None
    axes = tuple(value) if isinstance(value, tuple | list | range | np.ndarray) else None
    if axes is None or not all(isinstance(axis, int | np.integer) and not isinstance(axis, bool) for axis in axes):
        what = f"`{parameter_name}` must be a list of whole numbers, got `{value}`"
        raise ArgumentError(what, "for example `[0]`; -1 is the last axis", parameter=parameter_name)
    return tuple(int(axis) for axis in axes)


@register
@dataclass(frozen=True)
class VarianceScaling(_ScaledByAxes, variance_scaling.VarianceScaling):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    with input_axes and output_axes: fan_in = ∏ of the first, fan_out = ∏ of the others, no receptive field
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    >>> VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal").law((3, 3, 64, 128)).std
    0.041666666666666664

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; untruncated_normal none
    Differs: Keras 2.0 to 2.1 and TensorFlow up to 1.9 cut at ±2 std, uncorrected: 0.8796 std; JAX's `normal` is uncut.
    Source: Keras 3.15; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distribution == "normal":
            object.__setattr__(self, "distribution", "truncated_normal")


@register
class GlorotUniform(_ScaledByAxes, variance_scaling.GlorotUniform):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))

    >>> GlorotUniform().law((784, 128)).high
    0.08111071056538127

    Bounds: ±√(6 / (fan_in + fan_out))
    Differs: Keras 2.0 to 2.3 take √n for the fans of rank 1; PyTorch calls it xavier_uniform and reads (out, in, …).
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """


@register
class GlorotNormal(_ScaledByAxes, variance_scaling.GlorotNormal):
    """Draw weights that keep the variance both going forward and coming back, from a cut normal.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))

    Bounds: ±2.2737 std
    Differs: PyTorch's xavier_normal is not cut; Keras 2.0 to 2.1 and TensorFlow up to 1.9 give 0.8796 std.
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """


@register
class HeUniform(_ScaledByAxes, variance_scaling.HeUniform):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)

    Bounds: ±√(6 / fan_in)
    Differs: PyTorch's Linear calls kaiming_uniform with a = √5, whose L is √(1 / fan_in).
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class HeNormal(_ScaledByAxes, variance_scaling.HeNormal):
    """Draw weights so that ReLU layers keep their variance going forward.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)

    >>> HeNormal().law((784, 256)).std
    0.050507627227610534

    Bounds: ±2.2737 std
    Differs: PyTorch's kaiming_normal is not cut; Keras 2.0 to 2.1 give 0.8796 std.
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class LecunUniform(_ScaledByAxes, variance_scaling.LecunUniform):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)

    Bounds: ±√(3 / fan_in)
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class LecunNormal(_ScaledByAxes, variance_scaling.LecunNormal):
    """Draw weights whose outputs have the variance of their inputs; the companion of SELU.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: Sonnet, Haiku and tf.js cut without correcting (0.8796 std); Chainer does not cut.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """
