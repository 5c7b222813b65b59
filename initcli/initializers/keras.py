"""Keras's initializers, with the laws that Keras has had since 2.2.0.

Source: keras-team/keras v3.15.1, `keras/src/initializers/{random,constant}_initializers.py`; measured by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras_fans
from initcli.initializers.base import Initializer, parameter, parse_number
from initcli.initializers.registry import register
from initcli.laws import Constant as ConstantLaw
from initcli.laws import Eye, Law, Normal, Uniform
from initcli.laws import Orthogonal as OrthogonalLaw
from initcli.laws import TruncatedNormal as TruncatedNormalLaw


class _Keras(Initializer):
    framework: ClassVar[str] = "keras"


@register
@dataclass(frozen=True)
class Zeros(_Keras):
    """Fill with zeros.

    W = 0

    Bounds: 0
    Source: Keras 3.15
    """

    name: ClassVar[str] = "zeros"
    aliases: ClassVar[tuple[str, ...]] = ("zero",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the constant 0."""
        return ConstantLaw(0)


@register
@dataclass(frozen=True)
class Ones(_Keras):
    """Fill with ones.

    W = 1

    Bounds: 1
    Source: Keras 3.15
    """

    name: ClassVar[str] = "ones"
    aliases: ClassVar[tuple[str, ...]] = ("one",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the constant 1."""
        return ConstantLaw(1)


@register
@dataclass(frozen=True)
class Constant(_Keras):
    """Fill with one value.

    W = value

    Bounds: value
    Differs: TensorFlow 1 also takes a list, and repeats its last element; Keras 3 takes what broadcasts to the shape.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "constant"

    value: float | int | bool = parameter(0.0, "the value of every element")

    def __post_init__(self) -> None:
        """Check the value."""
        if not isinstance(self.value, bool):
            parse_number("value", self.value)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the constant."""
        return ConstantLaw(self.value)


@register
@dataclass(frozen=True)
class RandomNormal(_Keras):
    """Draw from a normal distribution.

    W ~ N(mean, stddev²)

    Bounds: none; in float32 the farthest value lies at mean ± 6.34 stddev
    Differs: the default stddev is 1 in TensorFlow 1, PyTorch and Haiku, 0.01 in JAX, MXNet and Lasagne.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "random_normal"
    aliases: ClassVar[tuple[str, ...]] = ("normal",)

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(0.05, "the standard deviation of the values, ≥ 0")

    def __post_init__(self) -> None:
        """Check the parameters."""
        parse_number("mean", self.mean)
        parse_number("stddev", self.stddev, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the normal law."""
        return Normal(self.mean, self.stddev)


@register
@dataclass(frozen=True)
class RandomUniform(_Keras):
    """Draw from a uniform distribution.

    W ~ U[minval, maxval),  std = (maxval − minval) / √12

    Bounds: minval ≤ W < maxval
    Differs: the default is [0, 1) in TensorFlow 1 and PyTorch, [0, 0.01) in JAX, [−1, 1) in Paddle.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "random_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("uniform",)

    minval: float = parameter(-0.05, "the lower bound, which can be drawn")
    maxval: float = parameter(0.05, "the upper bound, which cannot; ≥ minval")

    def __post_init__(self) -> None:
        """Check the parameters."""
        parse_number("minval", self.minval)
        parse_number("maxval", self.maxval)
        if self.minval > self.maxval:
            raise ArgumentError(
                f"`minval` must not exceed `maxval`, got {self.minval} and {self.maxval}",
                "exchange the two",
                parameter="minval",
            )

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the uniform law."""
        return Uniform(self.minval, self.maxval)


@register
@dataclass(frozen=True)
class TruncatedNormal(_Keras):
    """Draw from a normal distribution cut at two standard deviations.

    W ~ N(mean, stddev²) kept within mean ± 2 stddev,  std = 0.87962566 stddev

    Bounds: mean ± 2 stddev
    Differs: PyTorch's trunc_normal cuts at the absolute values −2 and 2; JAX's default stddev is 0.01, TensorFlow 1's 1.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "truncated_normal"

    mean: float = parameter(0.0, "the mean of the values")
    stddev: float = parameter(0.05, "the standard deviation before the cut, ≥ 0")

    def __post_init__(self) -> None:
        """Check the parameters."""
        parse_number("mean", self.mean)
        parse_number("stddev", self.stddev, least=0)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the cut normal law."""
        return TruncatedNormalLaw(self.mean, self.stddev)


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform", "normal")


def _scaled_law(scale: float, mode: str, distribution: str, fans: Fans) -> Law:
    """Return the law of variance scale / max(1, fan): the one body of the whole family."""
    variance = scale / max(1.0, float(getattr(fans, mode)))
    if distribution == "uniform":
        limit = sqrt(3 * variance)
        return Uniform(-limit, limit)
    if distribution == "untruncated_normal":
        return Normal(0.0, sqrt(variance))
    return TruncatedNormalLaw.with_std(sqrt(variance))


@register
@dataclass(frozen=True)
class VarianceScaling(_Keras):
    """Draw with a variance that is scaled to the fan of the shape.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    truncated_normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    >>> VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal").law((3, 3, 64, 128)).std
    0.041666666666666664

    Bounds: truncated_normal ±2.2737 std; uniform ±1.7321 std; untruncated_normal none
    Differs: Keras 2.0 to 2.1 and TensorFlow up to 1.9 cut at ±2 std, uncorrected (0.8796 std); in JAX `normal` is uncut.
    Source: Keras 3.15; He, Zhang, Ren & Sun (2015) and Glorot & Bengio (2010) for the scales
    """

    name: ClassVar[str] = "variance_scaling"

    scale: float = parameter(1.0, "the variance for a fan of one, > 0")
    mode: str = parameter("fan_in", "which fan: fan_in, fan_out or fan_avg")
    distribution: str = parameter(
        "truncated_normal", "truncated_normal (also called normal), untruncated_normal or uniform"
    )

    def __post_init__(self) -> None:
        """Check the parameters."""
        if parse_number("scale", self.scale) <= 0:
            raise ArgumentError(f"`scale` must be positive, got {self.scale}", parameter="scale")
        _check_choice("mode", self.mode, _MODES)
        object.__setattr__(self, "distribution", str(self.distribution).lower())
        _check_choice("distribution", self.distribution, _DISTRIBUTIONS)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the scaled law."""
        return _scaled_law(self.scale, self.mode, self.distribution, fans or keras_fans(shape))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ArgumentError(f"`{name}` cannot be `{value}`", f"one of: {', '.join(choices)}", parameter=name)


class _Scaled(_Keras):
    """A named child of `VarianceScaling`: fixed scale, mode and distribution."""

    _fixed: ClassVar[tuple[float, str, str]]

    def __init_subclass__(cls, *, scale: float, mode: str, distribution: str, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls._fixed = (scale, mode, distribution)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the scaled law."""
        return _scaled_law(*self._fixed, fans or keras_fans(shape))


@register
class GlorotUniform(_Scaled, scale=1.0, mode="fan_avg", distribution="uniform"):
    """Draw weights that keep the variance both going forward and coming back, uniformly.

    W ~ U[−L, L),  L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))

    >>> GlorotUniform().law((784, 128)).high
    0.08111071056538127

    Bounds: ±√(6 / (fan_in + fan_out))
    Differs: Keras 2.0 to 2.3 take √n for the fans of rank 1; PyTorch calls it xavier_uniform and reads (out, in, …).
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_uniform"


@register
class GlorotNormal(_Scaled, scale=1.0, mode="fan_avg", distribution="truncated_normal"):
    """Draw weights that keep the variance both going forward and coming back, from a cut normal.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))

    Bounds: ±2.2737 std
    Differs: PyTorch's xavier_normal is not cut; Keras 2.0 to 2.1 and TensorFlow up to 1.9 give 0.8796 std.
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks
    """

    name: ClassVar[str] = "glorot_normal"


@register
class HeUniform(_Scaled, scale=2.0, mode="fan_in", distribution="uniform"):
    """Draw weights so that ReLU layers keep their variance going forward, uniformly.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)

    Bounds: ±√(6 / fan_in)
    Differs: PyTorch's Linear calls kaiming_uniform with a = √5, whose L is √(1 / fan_in).
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_uniform"


@register
class HeNormal(_Scaled, scale=2.0, mode="fan_in", distribution="truncated_normal"):
    """Draw weights so that ReLU layers keep their variance going forward.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)

    >>> HeNormal().law((784, 256)).std
    0.050507627227610534

    Bounds: ±2.2737 std
    Differs: PyTorch's kaiming_normal is not cut; Keras 2.0 to 2.1 give 0.8796 std.
    Source: He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """

    name: ClassVar[str] = "he_normal"


@register
class LecunUniform(_Scaled, scale=1.0, mode="fan_in", distribution="uniform"):
    """Draw weights whose outputs have the variance of their inputs, uniformly.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)

    Bounds: ±√(3 / fan_in)
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_uniform"


@register
class LecunNormal(_Scaled, scale=1.0, mode="fan_in", distribution="truncated_normal"):
    """Draw weights whose outputs have the variance of their inputs; the companion of SELU.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)

    Bounds: ±2.2737 std
    Differs: Sonnet, Haiku and tf.js cut without correcting (0.8796 std); Chainer does not cut.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """

    name: ClassVar[str] = "lecun_normal"


@register
@dataclass(frozen=True)
class Orthogonal(_Keras):
    """Draw a random matrix with orthonormal rows or columns.

    W = gain Q, (…, cols) flattened to rows × cols; Q has orthonormal columns, or rows where rows < cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: PyTorch flattens (out, …) to out × rest; Keras 2 took an SVD without the sign fix. The bits depend on LAPACK.
    Source: Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    aliases: ClassVar[tuple[str, ...]] = ("OrthogonalInitializer",)

    gain: float = parameter(1.0, "what Q is multiplied with")

    def __post_init__(self) -> None:
        """Check the gain."""
        parse_number("gain", self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the orthogonal law of the flattened shape."""
        if len(shape) < 2:
            raise ArgumentError(
                f"`orthogonal` needs a shape of rank 2 or more, got {list(shape)}",
                "give it a matrix",
                parameter="shape",
            )
        return OrthogonalLaw(prod(shape[:-1]), shape[-1], self.gain)


@register
@dataclass(frozen=True)
class Identity(_Keras):
    """Put ones on the main diagonal.

    W[i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras up to 2.2.2 refuses shapes that are not square; Keras 2.2.3 and 2.2.4 tile the square.
    Source: Keras 3.15; Le, Jaitly & Hinton (2015), https://arxiv.org/abs/1504.00941
    """

    name: ClassVar[str] = "identity"
    aliases: ClassVar[tuple[str, ...]] = ("IdentityInitializer",)

    gain: float = parameter(1.0, "the value on the diagonal")

    def __post_init__(self) -> None:
        """Check the gain."""
        parse_number("gain", self.gain)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law of an identity matrix."""
        if len(shape) != 2:
            raise ArgumentError(
                f"`identity` needs a shape of rank 2, got {list(shape)}", "give it a matrix", parameter="shape"
            )
        return Eye(shape[0], shape[1], self.gain)
