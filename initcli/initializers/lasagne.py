"""Lasagne's initializers, for matrices (in, out) and kernels (out, in, receptive field…).

Source: Lasagne/Lasagne@5d3c63c, `lasagne/init.py`; its formulas were run with NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, lasagne_fans
from initcli.initializers.base import Initializer, check_ordered, check_rank, parameter, parse_number
from initcli.initializers.bodies import GainBody, NormalBody, OrthogonalBody, ScaledBody, ValueBody
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws import Uniform as UniformLaw
from initcli.sparse_laws import Sparse as SparseLaw


class LasagneInitializer(Initializer):
    """An initializer of the framework `lasagne`."""

    framework: ClassVar[str] = "lasagne"


class _Gained(LasagneInitializer, GainBody):
    """What has a gain that may be `relu`."""

    gain_name: ClassVar[str] = "gain"
    gain: float | str

    def gain_value(self) -> float:
        return sqrt(2) if self.gain == "relu" else super().gain_value()


@register
@dataclass(frozen=True)
class Constant(LasagneInitializer, ValueBody):
    """Fill with one value.

    W = val

    Bounds: val
    Source: Lasagne 0.2
    """

    name: ClassVar[str] = "constant"

    val: float | int | bool = parameter(0.0, "the value of every element")


@register
@dataclass(frozen=True)
class Normal(LasagneInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the std comes first here; its default is 0.05 in Keras, 1 in PyTorch and Paddle.
    Source: Lasagne 0.2
    """

    name: ClassVar[str] = "normal"

    std: float = parameter(0.01, "the standard deviation of the values, ≥ 0")
    mean: float = parameter(0.0, "the mean of the values")


@register
@dataclass(frozen=True)
class Uniform(LasagneInitializer):
    """Draw from a uniform distribution, given by its range or by its std.

    W ~ U[−range, range), or U[a, b) for the range [a, b], or U[mean − √3 std, mean + √3 std) if there is a std

    Bounds: those of the range, or mean ± √3 std
    Differs: the default is ±0.05 in Keras and Chainer, ±0.07 in MXNet, [0, 1) in PyTorch.
    Source: Lasagne 0.2
    """

    name: ClassVar[str] = "uniform"

    range: float | tuple[float, float] = parameter(0.01, "the bound on either side of zero, or both bounds")
    std: float | None = parameter(None, "the standard deviation, ≥ 0; with it, the range counts for nothing")
    mean: float = parameter(0.0, "the mean, where there is a std")

    def __post_init__(self) -> None:
        given: object = self.range
        if isinstance(given, list):
            object.__setattr__(self, "range", tuple(given))
        if isinstance(self.range, tuple):
            if len(self.range) != 2:
                raise ArgumentError(f"`range` must be one number or two, got {list(self.range)}", parameter="range")
            low, high = (parse_number("range", edge) for edge in self.range)
            check_ordered("range[0]", low, "range[1]", high)
        else:
            parse_number("range", self.range, least=0)
        if self.std is not None:
            parse_number("std", self.std, least=0)
        parse_number("mean", self.mean)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if self.std is not None:
            return UniformLaw(self.mean - sqrt(3) * self.std, self.mean + sqrt(3) * self.std)
        return UniformLaw(*(self.range if isinstance(self.range, tuple) else (-self.range, self.range)))


@dataclass(frozen=True)
class _Scaled(_Gained, ScaledBody):
    """Glorot and He: what scales with the fans."""

    gain: float | str = parameter(1.0, "what the std is multiplied with, ≥ 0; `relu` is √2")
    c01b: bool = parameter(False, "whether the axes are (in, 0, 1, out)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.c01b, bool):
            raise ArgumentError(f"`c01b` must be true or false, got `{self.c01b}`", parameter="c01b")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return lasagne_fans(shape, self.c01b)


@register
class GlorotNormal(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Lasagne 0.2; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@register
class GlorotUniform(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out))

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: Keras's and JAX's has no gain, and reads kernels as (…, in, out).
    Source: Lasagne 0.2; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@register
class HeNormal(_Scaled):
    """Draw weights whose variance is scaled to fan_in, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan_in

    >>> HeNormal(gain="relu").law((64, 32, 3, 3)).std
    0.08333333333333334

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for: `relu`.
    Source: Lasagne 0.2; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class HeUniform(_Scaled):
    """Draw weights whose variance is scaled to fan_in, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan_in)

    Bounds: ±gain √(3 / fan_in)
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for: `relu`.
    Source: Lasagne 0.2; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
@dataclass(frozen=True)
class Sparse(LasagneInitializer):
    """Draw from a normal distribution as many elements of every column as `sparsity` says; the others are zero.

    W ~ N(0, std²) for ⌊sparsity · rows⌋ elements of each column, chosen at random, else 0

    Bounds: none; in float32 and float64 no value lies beyond ±9.1 std
    Differs: in PyTorch and Flux sparsity is the share of zeros.
    Source: Lasagne 0.2
    """

    name: ClassVar[str] = "sparse"

    sparsity: float = parameter(0.1, "the share of each column that is not zero, from 0 to 1")
    std: float = parameter(0.01, "the standard deviation of the values that are not zero, ≥ 0")

    def __post_init__(self) -> None:
        if parse_number("sparsity", self.sparsity, least=0) > 1:
            raise ArgumentError(f"`sparsity` must be at most 1, got {self.sparsity}", parameter="sparsity")
        parse_number("std", self.std, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        rows, cols = shape
        return SparseLaw(rows, cols, rows - int(self.sparsity * rows), self.std)


@register
@dataclass(frozen=True)
class Orthogonal(_Gained, OrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (rows, …) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: Lasagne takes an SVD of normal values without fixing signs; here Q is Haar's. The bits rest on LAPACK.
    Source: Lasagne 0.2; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"

    gain: float | str = parameter(1.0, "what Q is multiplied with; `relu` is √2")
