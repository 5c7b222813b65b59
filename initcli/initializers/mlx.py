"""MLX's `mlx.nn.init`, for shapes (out, receptive field…, in). What MLX takes at the call is a parameter here.

`sparse`, which thins rows, is not here.

Source: ml-explore/mlx, `python/mlx/nn/init.py`; read, not run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import ClassVar

from initcli.fans import Fans, mlx_fans
from initcli.initializers.base import Initializer, check_rank, parameter
from initcli.initializers.bodies import NormalBody, OrthogonalBody, ScaledBody, UniformBody, ValueBody, check_square
from initcli.initializers.registry import register
from initcli.laws import Eye, Law


class MlxInitializer(Initializer):
    """An initializer of the framework `mlx`."""

    framework: ClassVar[str] = "mlx"


@register
@dataclass(frozen=True)
class Constant(MlxInitializer, ValueBody):
    """Fill with one value.

    W = value

    Bounds: value
    Source: MLX
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(MISSING, "the value of every element")


@register
@dataclass(frozen=True)
class Normal(MlxInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the default std is 0.05 in Keras, 0.01 in JAX, MXNet and Lasagne.
    Source: MLX
    """

    name: ClassVar[str] = "normal"

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class Uniform(MlxInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[low, high),  std = (high − low) / √12

    Bounds: low ≤ W < high
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: MLX
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("low", "high")

    low: float = parameter(0.0, "the lower bound, which can be drawn")
    high: float = parameter(1.0, "the upper bound, which cannot; ≥ low")


@register
class Identity(MlxInitializer):
    """Put ones on the main diagonal of a square matrix.

    W[i, j] = 1 if i = j, else 0

    Bounds: 0 and 1
    Differs: Keras takes any matrix.
    Source: MLX
    """

    name: ClassVar[str] = "identity"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        check_square(self, shape)
        return Eye(*shape)


class _Scaled(MlxInitializer, ScaledBody):
    """What scales with the fans."""

    gain_name: ClassVar[str] = "gain"

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return mlx_fans(shape)


@dataclass(frozen=True)
class _Glorot(_Scaled):
    """Both of Glorot."""

    gain: float = parameter(1.0, "what the std is multiplied with, ≥ 0")


@register
class GlorotNormal(_Glorot):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: MLX; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@register
class GlorotUniform(_Glorot):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out))

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Source: MLX; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@dataclass(frozen=True)
class _He(_Scaled):
    """Both of He: std = gain / √fan."""

    mode_name: ClassVar[str] = "mode"

    mode: str = parameter("fan_in", "which fan: fan_in or fan_out")
    gain: float = parameter(1.0, "what the std is multiplied with, ≥ 0")


@register
class HeNormal(_He):
    """Draw weights whose variance is scaled to a fan, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for.
    Source: MLX; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class HeUniform(_He):
    """Draw weights whose variance is scaled to a fan, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan)

    Bounds: ±gain √(3 / fan)
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for.
    Source: MLX; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
@dataclass(frozen=True)
class Orthogonal(MlxInitializer, OrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: all others flatten what has more than two axes. The bits rest on LAPACK.
    Source: MLX
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "gain"

    gain: float = parameter(1.0, "what Q is multiplied with")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        return super().law(shape, fans)
