"""How many inputs feed one output of a weight tensor, and how many outputs one input feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from typing import TypeAlias

from initcli.errors import ArgumentError

Axes: TypeAlias = int | tuple[int, ...]
"""One axis, or several that count together; a negative one counts from the end."""


AXIS_ROLES = ("in", "out", "batch")
"""The words that have a meaning where axes are named."""


@dataclass(frozen=True)
class Fans:
    """The fan_in and fan_out of a shape: counts, and fractions of one where JAX's axes overlap."""

    fan_in: float
    fan_out: float

    @property
    def fan_avg(self) -> float:
        """(fan_in + fan_out) / 2."""
        return (self.fan_in + self.fan_out) / 2

    @property
    def fan_geo_avg(self) -> float:
        """√(fan_in fan_out)."""
        return sqrt(self.fan_in * self.fan_out)


def keras_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a shape whose axes are (receptive field…, in, out).

    Rank 0 has fans 1, 1; rank 1 has fans n, n; above rank 2 both fans count the receptive field.

    >>> keras_fans((3, 3, 7, 5))
    Fans(fan_in=63, fan_out=45)

    Source: Keras 3.15 `compute_fans`; the same in tf.keras, Keras ≥ 2.4 and TensorFlow 1 and 2.
    """
    if len(shape) < 2:
        return Fans(*(shape or (1,)) * 2)
    receptive_field = prod(shape[:-2])
    return Fans(shape[-2] * receptive_field, shape[-1] * receptive_field)


def keras2_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans as Keras 2.0 to 2.3 read them: √size for both at rank 1 and from rank 6 on, else `keras_fans`.

    >>> keras2_fans((16,)), keras2_fans((3, 7, 5))
    (Fans(fan_in=4.0, fan_out=4.0), Fans(fan_in=21, fan_out=15))

    Source: Keras 2.0.9 and 2.2.4 `_compute_fans`.
    """
    return keras_fans(shape) if 2 <= len(shape) <= 5 else Fans(*(sqrt(prod(shape)),) * 2)


def torch_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a shape whose axes are (out, in, receptive field…).

    >>> torch_fans((5, 7, 3, 3))
    Fans(fan_in=63, fan_out=45)

    Raises:
        ArgumentError: the rank is below 2.

    Source: PyTorch 2.13 `_calculate_fan_in_and_fan_out`; the same in MXNet and Chainer.
    """
    if len(shape) < 2:
        what = f"fan in and fan out cannot be computed for a shape with fewer than 2 dimensions, got {list(shape)}"
        raise ArgumentError(what, "use `uniform`, `normal` or a constant for biases and scales", parameter="shape")
    receptive_field = prod(shape[2:])
    return Fans(shape[1] * receptive_field, shape[0] * receptive_field)


def jax_fans(shape: tuple[int, ...], in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()) -> Fans:
    """Return the fans of a shape by named axes: what is neither in, out nor batch is the receptive field.

    fan_in = size / (out batch),  fan_out = size / (in batch)

    That is JAX's in × size / in / out / batch without its roundings. An axis named twice counts twice.

    >>> jax_fans((3, 3, 7, 5)), jax_fans((512, 8, 64), 0, (1, 2))
    (Fans(fan_in=63, fan_out=45), Fans(fan_in=512, fan_out=512))

    Raises:
        ArgumentError: the shape lacks an axis, or has no elements: JAX divides by zero.

    Source: JAX 0.10 `_compute_fans`.
    """
    if in_axis == -2 and len(shape) < 2:
        what = f"an `in_axis` of -2 needs a shape of rank 2 or more, got {list(shape)}"
        raise ArgumentError(what, "give it a matrix, or name the `in_axis`", parameter="shape")
    inputs = _count("in_axis", in_axis, shape)
    outputs = _count("out_axis", out_axis, shape)
    batches = _count("batch_axis", batch_axis, shape)
    if not all(shape):
        what = f"a shape without elements has no fans to divide by, got {list(shape)}"
        raise ArgumentError(what, "use `zeros` for it", parameter="shape")
    return Fans(_quotient(prod(shape), outputs * batches), _quotient(prod(shape), inputs * batches))


def paddle_fans(shape: tuple[int, ...]) -> Fans:
    """Return Keras's fans up to rank 2, whose axes are (in, out), and PyTorch's above, whose axes are (out, in, …).

    >>> paddle_fans((7, 5)), paddle_fans((5, 7, 3, 3))
    (Fans(fan_in=7, fan_out=5), Fans(fan_in=63, fan_out=45))

    Source: Paddle 3.3 `Initializer._compute_fans`.
    """
    return keras_fans(shape) if len(shape) <= 2 else torch_fans(shape)


def lasagne_fans(shape: tuple[int, ...], is_c01b: bool = False) -> Fans:
    """Return the fans of a matrix (in, out), of (out, in, receptive field…), or with `is_c01b` of (in, 0, 1, out).

    >>> lasagne_fans((7, 5)), lasagne_fans((5, 7, 3, 3)), lasagne_fans((7, 3, 3, 5), is_c01b=True)
    (Fans(fan_in=7, fan_out=5), Fans(fan_in=63, fan_out=45), Fans(fan_in=63, fan_out=45))

    Raises:
        ArgumentError: the rank is below 2, or with `is_c01b` not 4.

    Source: Lasagne 0.2 `Glorot` and `He`; Glorot adds the fans, so it does not matter there which is which.
    """
    if is_c01b:
        if len(shape) != 4:
            what = f"with `c01b` only shapes of rank 4 are accepted, got {list(shape)}"
            raise ArgumentError(what, "leave `c01b` out", parameter="shape")
        return Fans(prod(shape[:3]), prod(shape[1:]))
    return keras_fans(shape) if len(shape) == 2 else torch_fans(shape)


def haiku_fans(shape: tuple[int, ...], fan_in_axes: tuple[int, ...] | None = None) -> Fans:
    """Return Keras's fans; above rank 2, those of `fan_in_axes` against all other axes if they are named.

    An axis named twice counts twice, and one that is counted from the end counts among the others too.

    >>> haiku_fans((8, 64, 512), (0, 1))
    Fans(fan_in=512, fan_out=512)

    Raises:
        ArgumentError: the shape lacks an axis.

    Source: Haiku 0.0.17 `_compute_fans`.
    """
    if fan_in_axes is None or len(shape) <= 2:
        return keras_fans(shape)
    fan_in = prod(shape[resolve_axis("fan_in_axes", axis, shape)] for axis in fan_in_axes)
    return Fans(fan_in, prod(n for i, n in enumerate(shape) if i not in fan_in_axes))


def caffe_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a blob whose axes are (num, channels, …): size / num and size / channels, which may be absent.

    >>> caffe_fans((5, 7, 3, 3)), caffe_fans((5,))
    (Fans(fan_in=63, fan_out=45), Fans(fan_in=1, fan_out=5))

    Raises:
        ArgumentError: the rank is 0.

    Source: Caffe 9b89154 `XavierFiller` and `MSRAFiller`.
    """
    return Fans(1, shape[0]) if len(shape) == 1 else torch_fans(shape)


def mlx_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a shape whose axes are (out, receptive field…, in).

    >>> mlx_fans((5, 3, 3, 7))
    Fans(fan_in=63, fan_out=45)

    Raises:
        ArgumentError: the rank is below 2.

    Source: MLX 0.32 `_calculate_fan_in_fan_out`.
    """
    return torch_fans((*shape[:1], *shape[-1:], *shape[1:-1]) if len(shape) > 1 else shape)


def flux_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a matrix (out, in), or of (receptive field…, in, out); a vector is a column.

    >>> flux_fans((7,)), flux_fans((5, 7)), flux_fans((3, 3, 7, 5))
    (Fans(fan_in=1, fan_out=7), Fans(fan_in=7, fan_out=5), Fans(fan_in=63, fan_out=45))

    Source: Flux.jl 0.16 `nfan`.
    """
    if len(shape) == 1:
        return Fans(1, shape[0])
    return torch_fans(shape) if len(shape) == 2 else keras_fans(shape)


FANS_BY_FRAMEWORK: dict[str, Callable[[tuple[int, ...]], Fans]] = {
    **dict.fromkeys(("keras", "tensorflow", "tensorflow1_9", "tf_contrib", "haiku", "sonnet"), keras_fans),
    **dict.fromkeys(("keras2_1", "keras2_2"), keras2_fans),
    **dict.fromkeys(("torch", "mxnet", "chainer"), torch_fans),
    "caffe": caffe_fans,
    "jax": jax_fans,
    "paddle": paddle_fans,
    "lasagne": lasagne_fans,
    "mlx": mlx_fans,
    "flux": flux_fans,
}
"""How each framework reads fans from a shape whose axes are in its own order."""


def axes_fans(shape: tuple[int, ...], axes: str) -> Fans:
    """Return the fans of a shape whose axes are named in order; a word that is no role names the receptive field.

    fan_in = ∏ in × ∏ receptive field,  fan_out = ∏ out × ∏ receptive field

    Several axes of one role count together, as in attention's kernels. A `batch` axis, such as that of stacked experts,
    counts in neither fan. A role that no axis has counts as 1, a dimension of zero as it is.

    >>> axes_fans((5, 7, 3, 3), "out in h w"), axes_fans((4, 512, 8, 64), "batch in out out")
    (Fans(fan_in=63, fan_out=45), Fans(fan_in=512, fan_out=512))

    Raises:
        ArgumentError: there are more or fewer words than the shape has axes.
    """
    words = axes.split()
    if len(words) != len(shape):
        what = f"`axes` names {len(words)} axes, but the shape {list(shape)} has {len(shape)}"
        hint = "write a word for each axis: `in`, `out`, `batch`, or any other for the receptive field"
        raise ArgumentError(what, hint, parameter="axes")
    named = list(zip(words, shape, strict=True))
    receptive_field = prod(n for word, n in named if word not in AXIS_ROLES)
    inputs, outputs = (prod(n for word, n in named if word == role) for role in ("in", "out"))
    return Fans(inputs * receptive_field, outputs * receptive_field)


def resolve_axis(parameter_name: str, axis: int, shape: tuple[int, ...]) -> int:
    """Return `axis` counted from the front.

    Raises:
        ArgumentError: the shape has no such axis.
    """
    rank = len(shape)
    if not -rank <= axis < rank:
        what = f"`{parameter_name}` names axis {axis}, which the shape {list(shape)} does not have"
        raise ArgumentError(what, f"from {-rank} to {rank - 1}" if rank else "a scalar has no axes", parameter_name)
    return axis % rank


def _count(parameter_name: str, axes: Axes, shape: tuple[int, ...]) -> int:
    """Return the product of the shape's dimensions along `axes`."""
    several = axes if isinstance(axes, tuple) else (axes,)
    return prod(shape[resolve_axis(parameter_name, axis, shape)] for axis in several)


def _quotient(dividend: int, divisor: int) -> float:
    """Return the quotient, as a whole number where it is one."""
    whole, rest = divmod(dividend, divisor)
    return dividend / divisor if rest else whole
