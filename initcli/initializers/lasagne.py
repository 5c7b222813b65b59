"""Lasagne's initializers, for matrices (in, out) and kernels (out, in, receptive field…).

Source: Lasagne/Lasagne@5d3c63c, `lasagne/init.py`; its formulas were run with NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, lasagne_fans
from initcli.initializers.arguments import check_flag, check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import ArrayBody, GainBody, NormalBody, ScaledBody, SvdBody
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws import Uniform as UniformLaw
from initcli.laws.sparse import Sparse as SparseLaw


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
class Constant(LasagneInitializer, ArrayBody):
    """Fill with one value, or with an array that broadcasts to the shape.

    W = val

    Bounds: the least and the greatest value
    Source: Lasagne 0.2.dev1
    """

    name: ClassVar[str] = "constant"

    val: float | int | bool | tuple[Any, ...] = parameter(0.0, "the value of every element, or an array")


@register
@dataclass(frozen=True)
class Normal(LasagneInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the std comes first here; its default is 0.05 in Keras, 1 in PyTorch and Paddle.
    Source: Lasagne 0.2.dev1
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
    Source: Lasagne 0.2.dev1
    """

    name: ClassVar[str] = "uniform"

    range: float | tuple[float, float] = parameter(0.01, "the bound on either side of zero, or both bounds")
    std: float | None = parameter(None, "the standard deviation; with it, the range counts for nothing")
    mean: float = parameter(0.0, "the mean, where there is a std")

    def __post_init__(self) -> None:
        given: object = self.range
        if isinstance(given, list):
            object.__setattr__(self, "range", tuple(given))
        if isinstance(self.range, tuple) and len(self.range) != 2:
            raise ArgumentError(f"`range` must be one number or two, got {list(self.range)}", parameter="range")
        for edge in self.range if isinstance(self.range, tuple) else (self.range,):
            parse_number("range", edge)
        if self.std is not None:
            parse_number("std", self.std)
        parse_number("mean", self.mean)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if self.std is not None:
            edges: tuple[float, ...] = (self.mean - sqrt(3) * self.std, self.mean + sqrt(3) * self.std)
        else:
            edges = self.range if isinstance(self.range, tuple) else (-self.range, self.range)
        return UniformLaw(*sorted(edges))


@dataclass(frozen=True)
class _Scaled(_Gained, ScaledBody):
    """Glorot and He: what scales with the fans."""

    gain: float | str = parameter(1.0, "what the std is multiplied with; `relu` is √2")
    c01b: bool = parameter(False, "whether the axes are (in, 0, 1, out)")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("c01b", self.c01b)

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return lasagne_fans(shape, self.c01b)


@register
class GlorotNormal(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Lasagne 0.2.dev1; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")

    def takes_empty(self, shape: tuple[int, ...]) -> bool:
        """Without c01b the divisor is a NumPy number: it warns."""
        return not self.c01b


@register
class GlorotUniform(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out))

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: Keras's and JAX's has no gain, and reads kernels as (…, in, out).
    Source: Lasagne 0.2.dev1; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")
    refuses_negative: ClassVar[bool] = False


@register
class HeNormal(_Scaled):
    """Draw weights whose variance is scaled to fan_in, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan_in

    >>> HeNormal(gain="relu").law((64, 32, 3, 3)).std
    0.08333333333333334

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for: `relu`.
    Source: Lasagne 0.2.dev1; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")

    def takes_empty(self, shape: tuple[int, ...]) -> bool:
        """Above rank 2 the divisor is a NumPy number: it warns."""
        return len(shape) > 2


@register
class HeUniform(_Scaled):
    """Draw weights whose variance is scaled to fan_in, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan_in)

    Bounds: ±gain √(3 / fan_in)
    Differs: He's gain, √2, which Keras and PyTorch have, must be asked for: `relu`.
    Source: Lasagne 0.2.dev1; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")
    refuses_negative: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class Sparse(LasagneInitializer):
    """Draw from a normal distribution as many elements of every column as `sparsity` says; the others are zero.

    W ~ N(0, std²) for ⌊sparsity · rows⌋ elements of each column, chosen at random, else 0

    Bounds: none; in float32 and float64 no value lies beyond ±9.1 std
    Differs: in PyTorch and Flux sparsity is the share of zeros.
    Source: Lasagne 0.2.dev1
    """

    name: ClassVar[str] = "sparse"

    sparsity: float = parameter(0.1, "the share of each column that is not zero")
    std: float = parameter(0.01, "the standard deviation of the values that are not zero, ≥ 0")

    def __post_init__(self) -> None:
        parse_number("sparsity", self.sparsity)
        parse_number("std", self.std, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        rows, cols = shape
        kept = int(self.sparsity * rows)
        if cols and not 0 <= kept <= rows:
            what = f"`sparsity` must leave 0 to {rows} of {rows} rows, got {self.sparsity}, which leaves {kept}"
            raise ArgumentError(what, "give it a share from 0 to 1", parameter="sparsity")
        return SparseLaw(rows, cols, rows - min(max(kept, 0), rows), self.std)


@register
@dataclass(frozen=True)
class Orthogonal(_Gained, SvdBody):
    """Draw a matrix of singular vectors: its rows or its columns are orthonormal, whichever are fewer.

    W = gain U of the thin SVD U S Vᵀ of a rows × cols matrix of N(0, 1), or gain Vᵀ where rows < cols
    (rows, …) is flattened to rows × cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch, Keras and JAX take a QR and fix its signs, for a Haar matrix. The bits rest on LAPACK.
    Source: Lasagne 0.2.dev1; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"

    gain: float | str = parameter(1.0, "what the singular vectors are multiplied with; `relu` is √2")
