"""Flux.jl's initializers, for matrices (out, in) and kernels (receptive field…, in, out) as Julia counts the axes.

An empty tensor may have a fan of zero, which Julia divides by.

Source: FluxML/Flux.jl@3f2f828 (0.16.11), `src/utils.jl`; read, not run.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import ceil, sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, flux_fans
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import CutBody, GainedOrthogonalBody, NormalBody, OnesBody, ScaledBody, ZerosBody
from initcli.initializers.jax import parse_axis
from initcli.initializers.registry import register
from initcli.laws import Constant, Law, Normal, Uniform
from initcli.laws import TruncatedNormal as TruncatedNormalLaw
from initcli.laws.kernel import IdentityKernel
from initcli.laws.sparse import Sparse as SparseLaw


class FluxInitializer(Initializer):
    """An initializer of the framework `flux`."""

    framework: ClassVar[str] = "flux"
    refuses_negative: ClassVar[bool] = False


@register
class Zeros32(FluxInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "zeros32"


@register
class Ones32(FluxInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "ones32"


@register
class Rand32(FluxInitializer):
    """Draw from the standard uniform distribution.

    W ~ U[0, 1),  std = 1 / √12

    Bounds: 0 ≤ W < 1
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "rand32"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Uniform(0.0, 1.0)


@register
class Randn32(FluxInitializer):
    """Draw from the standard normal distribution.

    W ~ N(0, 1)

    Bounds: none; in float32 the farthest value lies at ±6.34
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "randn32"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return Normal()


@dataclass(frozen=True)
class _Scaled(FluxInitializer, ScaledBody):
    """What scales with the fans."""

    gain_name: ClassVar[str] = "gain"

    gain: float = parameter(1.0, "what the std is multiplied with")

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return flux_fans(shape)

    def takes_empty(self, shape: tuple[int, ...]) -> bool:
        return True


@register
class GlorotUniform(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = gain √(6 / (fan_in + fan_out))

    Bounds: ±gain √(6 / (fan_in + fan_out))
    Differs: the fans of rank 1 are 1 and n here, n and n in Keras.
    Source: Flux.jl 0.16; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


@register
class GlorotNormal(_Scaled):
    """Draw weights that keep the variance both going forward and coming back, from an uncut normal.

    W ~ N(0, std²),  std = gain √(2 / (fan_in + fan_out))

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's is cut at ±2.2737 std.
    Source: Flux.jl 0.16; Glorot & Bengio (2010)
    """

    name: ClassVar[str] = "glorot_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "untruncated_normal")


@dataclass(frozen=True)
class _Kaiming(_Scaled):
    """Both of Kaiming: std = gain / √fan_in."""

    gain: float = parameter(sqrt(2), "what the std is multiplied with; √2 by default")


@register
class KaimingUniform(_Kaiming):
    """Draw weights so that ReLU layers keep their variance, uniformly.

    W ~ U[−L, L),  L = gain √(3 / fan_in)

    Bounds: ±gain √(3 / fan_in)
    Source: Flux.jl 0.16; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_uniform"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


@register
class KaimingNormal(_Kaiming):
    """Draw weights so that ReLU layers keep their variance, from an uncut normal.

    W ~ N(0, std²),  std = gain / √fan_in

    Bounds: none; in float32 the farthest value lies at ±6.34 std
    Differs: Keras's and JAX's he_normal is cut at ±2.2737 std.
    Source: Flux.jl 0.16; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "kaiming_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")


@register
class LecunNormal(_Scaled):
    """Draw weights whose outputs have the variance of their inputs, from a normal cut at −2 and 2.

    W ~ N(0, std²) kept within [−2, 2],  std = gain / √fan_in

    >>> LecunNormal().law((3, 100)).std  # [−2, 2] is twenty std away: nothing is cut
    0.1

    Bounds: ±2, which a fan_in of more than 40 never reaches
    Differs: Keras's and JAX's is cut at ±2.2737 std, whatever the std.
    Source: Flux.jl 0.16; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"
    rule: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "untruncated_normal")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return TruncatedNormalLaw(0.0, super().law(shape, fans).std, -2.0, 2.0)


@register
@dataclass(frozen=True)
class TruncatedNormal(FluxInitializer, CutBody):
    """Draw from a normal distribution cut at two values.

    W ~ N(mean, std²) kept within [lo, hi], which are values and not multiples of std

    Bounds: lo ≤ W ≤ hi
    Differs: Keras and JAX cut at two std, whatever the std.
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "truncated_normal"
    edge_names: ClassVar[tuple[str, str]] = ("lo", "hi")

    mean: float = parameter(0.0, "the mean before the cut")
    std: float = parameter(1.0, "the standard deviation before the cut")
    lo: float = parameter(-2.0, "the least value")
    hi: float = parameter(2.0, "the greatest value, ≥ lo")


@register
class Orthogonal(FluxInitializer, GainedOrthogonalBody):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (…, cols) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch flattens (out, …) to out × rest. The bits rest on LAPACK.
    Source: Flux.jl 0.16; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    is_last: ClassVar[bool] = True


@register
@dataclass(frozen=True)
class SparseInit(FluxInitializer, NormalBody):
    """Draw from a normal distribution and set the same number of elements in every column to zero.

    W ~ N(0, std²), but for ⌈sparsity · rows⌉ elements of each column, chosen at random, that are 0

    Bounds: none; in float32 and float64 no value lies beyond ±9.1 std
    Differs: in Lasagne sparsity is the share that is not zero.
    Source: Flux.jl 0.16; Martens (2010), Deep learning via Hessian-free optimization
    """

    name: ClassVar[str] = "sparse_init"

    sparsity: float = parameter(MISSING, "the share of each column that is zero; below 0 it counts as 0, above 1 as 1")
    std: float = parameter(0.01, "the standard deviation of the other values")

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_number("sparsity", self.sparsity)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        rows, cols = shape
        return SparseLaw(rows, cols, ceil(min(max(0.0, self.sparsity), 1.0) * rows), self._std)


@register
@dataclass(frozen=True)
class IdentityInit(FluxInitializer):
    """Let a dense layer or a convolution pass its inputs on unchanged; a vector is zero.

    W[(k − 1) // 2, …, i, j] = gain if i = j, else 0, rolled along the axes by shift

    Bounds: 0 and gain
    Differs: PyTorch's dirac puts the ones at k // 2; Haiku and Sonnet put an identity at every tap.
    Source: Flux.jl 0.16
    """

    name: ClassVar[str] = "identity_init"

    gain: float = parameter(1.0, "the value on the diagonal")
    shift: int | tuple[int, ...] = parameter(0, "by how much to roll the first axis, or each of several")

    def __post_init__(self) -> None:
        parse_number("gain", self.gain)
        if isinstance(self.shift, tuple | list):
            object.__setattr__(self, "shift", tuple(parse_axis("shift", by) for by in self.shift))
        else:
            parse_axis("shift", self.shift)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1)
        if len(shape) == 1:
            return Constant(0)
        shift = self.shift if isinstance(self.shift, tuple) else (self.shift,)
        if len(shift) > len(shape):
            raise ArgumentError(f"`shift` has {len(shift)} axes, the shape {list(shape)} fewer", parameter="shift")
        return IdentityKernel(shape, self.gain, shift, is_centred=True)
