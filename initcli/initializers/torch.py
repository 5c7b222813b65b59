"""PyTorch's `torch.nn.init`: every function, by its name without the underscore, which is an alias.

Shapes are PyTorch's: (out, in, receptive field…).

Source: pytorch/pytorch v2.13.0, `torch/nn/init.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from math import ceil, prod
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_rank, parse_number
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import CutBody, NormalBody, OnesBody, UniformBody, ValueBody, ZerosBody
from initcli.initializers.gains import parse_gain
from initcli.initializers.registry import register
from initcli.laws import Eye as EyeLaw
from initcli.laws import Law
from initcli.laws.sparse import Dirac as DiracLaw
from initcli.laws.sparse import Sparse as SparseLaw
from initcli.laws.whole import Orthogonal as OrthogonalLaw

GAIN_MEANING = "what the std is multiplied with: a number, a nonlinearity (relu), calculate_gain(leaky_relu, 0.2)"


class TorchInitializer(Initializer):
    """An initializer of the framework `torch`."""

    framework: ClassVar[str] = "torch"

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if cls.name and "aliases" not in cls.__dict__:
            cls.aliases = (f"{cls.name}_",)


@register
@dataclass(frozen=True)
class Uniform(TorchInitializer, UniformBody):
    """Draw from a uniform distribution.

    W ~ U[a, b),  std = (b − a) / √12

    Bounds: a ≤ W < b
    Differs: the default is [−0.05, 0.05) in Keras, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "uniform"
    edge_names: ClassVar[tuple[str, str]] = ("a", "b")
    draws_complex: ClassVar[bool] = True

    a: float = parameter(0.0, "the lower bound, which can be drawn")
    b: float = parameter(1.0, "the upper bound, which cannot; ≥ a")


@register
@dataclass(frozen=True)
class Normal(TorchInitializer, NormalBody):
    """Draw from a normal distribution.

    W ~ N(mean, std²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 std
    Differs: the default std is 0.05 in Keras, 0.01 in JAX, MXNet and Lasagne.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "normal"
    draws_complex: ClassVar[bool] = True

    mean: float = parameter(0.0, "the mean of the values")
    std: float = parameter(1.0, "the standard deviation of the values, ≥ 0")


@register
@dataclass(frozen=True)
class TruncNormal(TorchInitializer, CutBody):
    """Draw from a normal distribution cut at two values.

    W ~ N(mean, std²) kept within [a, b], which are values and not multiples of std

    >>> TruncNormal(std=0.02).law((8, 8)).std  # [−2, 2] is a hundred std away: nothing is cut
    0.02

    Bounds: a ≤ W ≤ b
    Differs: Keras and JAX cut at two std, whatever the std; JAX's bounds are multiples of it.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "trunc_normal"
    edge_names: ClassVar[tuple[str, str]] = ("a", "b")
    refuses_zero: ClassVar[bool] = True

    mean: float = parameter(0.0, "the mean before the cut")
    std: float = parameter(1.0, "the standard deviation before the cut, > 0")
    a: float = parameter(-2.0, "the least value")
    b: float = parameter(2.0, "the greatest value, ≥ a")


@register
@dataclass(frozen=True)
class Constant(TorchInitializer, ValueBody):
    """Fill with one value.

    W = val

    Bounds: val
    Differs: Keras calls the value `value`, and its default is 0.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "constant"

    val: float | int | bool = parameter(MISSING, "the value of every element")


@register
class Ones(TorchInitializer, OnesBody):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "ones"


@register
class Zeros(TorchInitializer, ZerosBody):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "zeros"


@register
@dataclass(frozen=True)
class Eye(TorchInitializer):
    """Put ones on the main diagonal.

    W[i, j] = 1 if i = j, else 0

    Bounds: 0 and 1
    Differs: Keras calls it identity and gives it a gain.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "eye"

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        return EyeLaw(*shape)


@register
@dataclass(frozen=True)
class Dirac(TorchInitializer):
    """Let a convolution pass its inputs on unchanged, as many as there are outputs for.

    W[g m + d, d, k // 2, …] = 1 for d < min(m, in) in each group g, else 0;  m = out / groups

    Bounds: 0 and 1
    Differs: JAX's and TensorFlow's delta_orthogonal puts an orthogonal matrix at (k − 1) // 2.
    Source: PyTorch 2.13
    """

    name: ClassVar[str] = "dirac"

    groups: int = parameter(1, "how many blocks the outputs are divided into, ≥ 1; it divides the first axis")

    def __post_init__(self) -> None:
        parse_number("groups", self.groups, least=1)
        if not isinstance(self.groups, int):
            raise ArgumentError(f"`groups` must be a whole number, got {self.groups}", parameter="groups")

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 3, 5)
        if shape[0] % self.groups:
            what = f"the first axis must be divisible by `groups`, got {shape[0]} and {self.groups}"
            raise ArgumentError(what, parameter="groups")
        return DiracLaw(shape, self.groups)


@register
@dataclass(frozen=True)
class Orthogonal(TorchInitializer):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (rows, …) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: Keras and JAX flatten (…, cols) to rest × cols. The bits rest on LAPACK.
    Source: PyTorch 2.13; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"

    gain: float | str = parameter(1.0, GAIN_MEANING.replace("the std", "Q"))

    def __post_init__(self) -> None:
        self.gain_value()

    def gain_value(self) -> float:
        return parse_gain(self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2)
        return OrthogonalLaw(shape[0], prod(shape[1:]), self.gain_value())


@register
@dataclass(frozen=True)
class Sparse(TorchInitializer):
    """Draw from a normal distribution and set the same number of elements in every column to zero.

    W ~ N(0, std²), but for ⌈sparsity · rows⌉ elements of each column, chosen at random, that are 0

    >>> round(Sparse(0.75, std=2.0).law((100, 5)).std, 12)  # √(1 − 0.75) of std
    1.0

    Bounds: none; the farthest value lies at ±9.16 std
    Source: PyTorch 2.13; Martens (2010), Deep learning via Hessian-free optimization
    """

    name: ClassVar[str] = "sparse"

    sparsity: float = parameter(MISSING, "the share of each column that is zero, from 0 to 1")
    std: float = parameter(0.01, "the standard deviation of the other values, ≥ 0")

    def __post_init__(self) -> None:
        if parse_number("sparsity", self.sparsity, least=0) > 1:
            raise ArgumentError(f"`sparsity` must be at most 1, got {self.sparsity}", parameter="sparsity")
        parse_number("std", self.std, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        rows, cols = shape
        return SparseLaw(rows, cols, ceil(self.sparsity * rows), self.std)
