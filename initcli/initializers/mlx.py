"""MLX's `mlx.nn.init`, for shapes (out, receptive field…, in). What MLX takes at the call is a parameter here.

Source: ml-explore/mlx 0.32.4, `python/mlx/nn/init.py`; its errors and moments were seen by running it.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import ceil
from typing import Any, ClassVar

from initcli.fans import Fans, mlx_fans
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import (
    ArrayBody,
    GainedOrthogonalBody,
    NormalBody,
    ScaledBody,
    SquareBody,
    UniformBody,
    check_filled,
)
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws.sparse import Sparse as SparseLaw


class MlxInitializer(Initializer):
    """An initializer of the framework `mlx`."""

    framework: ClassVar[str] = "mlx"
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class Constant(MlxInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = value

    Bounds: the least and the greatest value
    Source: MLX 0.32
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool | tuple[Any, ...] = parameter(MISSING, "the value of every element, or an array")


@register
@dataclass(frozen=True)
class Normal(MlxInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the default std is 0.05 in Keras, 0.01 in JAX, MXNet and Lasagne.
    Source: MLX 0.32
    """

    name: ClassVar[str] = "normal"

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values")


@register
@dataclass(frozen=True)
class Uniform(MlxInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[low, high),  std = (high − low) / √12

    Bounds: low ≤ W < high
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: MLX 0.32
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("low", "high")

    low: float = parameter(0.0, "the one bound, which can be drawn")
    high: float = parameter(1.0, "the other bound, which cannot")


@register
class Identity(MlxInitializer, SquareBody):
    """Put ones on the main diagonal of a square matrix.

    W[i, j] = 1 if i = j, else 0

    Bounds: 0 and 1
    Differs: Keras takes any matrix.
    Source: MLX 0.32
    """

    name: ClassVar[str] = "identity"


class _Scaled(MlxInitializer, ScaledBody):
    """What scales with the fans."""

    gain_name: ClassVar[str] = "gain"

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return mlx_fans(shape)


@dataclass(frozen=True)
class _Glorot(_Scaled):
    """Both of Glorot."""

    gain: float = parameter(1.0, "what the std is multiplied with")


@register
class GlorotNormal(_Glorot):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: MLX 0.32; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@register
class GlorotUniform(_Glorot):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out))

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Source: MLX 0.32; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@dataclass(frozen=True)
class _He(_Scaled):
    """Both of He: std = gain / √fan."""

    mode_name: ClassVar[str] = "mode"

    mode: str = parameter("fan_in", "which fan: fan_in or fan_out")
    gain: float = parameter(1.0, "what the std is multiplied with")


@register
class HeNormal(_He):
    """Draw weights whose variance is scaled to a fan, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for.
    Source: MLX 0.32; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class HeUniform(_He):
    """Draw weights whose variance is scaled to a fan, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan)

    Bounds: ±gain √(3 / fan)
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for.
    Source: MLX 0.32; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
@dataclass(frozen=True)
class Sparse(MlxInitializer, NormalBody):
    """Draw from a normal distribution and set the same number of elements in every row to zero.

    W ~ N(mean, std²), but for ⌈sparsity · cols⌉ elements of each row, chosen at random, that are 0

    Bounds: none; in float32 and float64 no value lies beyond mean ± 9.1 std
    Differs: PyTorch and Flux thin columns; in Lasagne sparsity is the share that is not zero.
    Source: MLX 0.32; Martens (2010), Deep learning via Hessian-free optimization
    """

    name: ClassVar[str] = "sparse"

    sparsity: float = parameter(MISSING, "the share of each row that is zero; below 0, −sparsity is what is not")
    mean: float = parameter(0.0, "the mean of the other values")
    std: float = parameter(1.0, "the standard deviation of the other values")

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_number("sparsity", self.sparsity)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        rows, cols = shape
        check_filled(self, shape)
        zeros = len(range(cols)[: ceil(self.sparsity * cols)])  # a negative count leaves out that many, as in MLX
        return SparseLaw(rows, cols, zeros, self._std, self.mean, is_by_row=True)


@register
class Orthogonal(MlxInitializer, GainedOrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: all others flatten what has more than two axes. The bits rest on LAPACK.
    Source: MLX 0.32
    """

    name: ClassVar[str] = "orthogonal"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        return super().law(shape, fans)
