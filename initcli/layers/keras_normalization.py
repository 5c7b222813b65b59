"""Keras's normalizations: scales of one, shifts of zero, and the statistics that some of them keep.

Source: keras-team/keras v3.15.1, `keras/src/layers/normalization/` and `keras/src/layers/preprocessing/`;
checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape, Weight
from initcli.layers.keras_arguments import Given, find_length, keras_layer, tell_name, weight_arguments

_SHIFT_AND_SCALE = weight_arguments(has_activity=False, beta="zeros", gamma="ones")
_STATISTICS = "moving_mean_initializer='zeros', moving_variance_initializer='ones'"


@keras_layer(
    "BatchNormalization",
    "axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True, "
    f"{_SHIFT_AND_SCALE.replace(', beta_regularizer', f', {_STATISTICS}, beta_regularizer')}, "
    "renorm=False, renorm_clipping=None, renorm_momentum=0.99, synchronized=False",
)
def batch_normalization(inputs: Shape, given: Given) -> Built:
    """Normalize each channel over the batch, and keep running statistics."""
    shape = (find_length("axis", given["axis"], inputs),)
    weights = [*_scale_and_shift(given, shape), given.weight("moving_mean", shape)]
    variance = given.weight("moving_variance", shape)
    weights.append(variance)
    if given.flag("renorm"):
        if tell_name(variance.init) not in ("ones", "Ones", "zeros", "Zeros"):
            what = (
                "`moving_variance_initializer` cannot be other than ones or zeros with `renorm`, which takes its root"
            )
            raise ArgumentError(what, parameter="moving_variance_initializer")
        weights += [
            variance._replace(name="moving_stddev"),
            given.weight("renorm_mean", shape, initializer="moving_mean_initializer"),
            variance._replace(name="renorm_stddev"),
        ]
    return Built(weights, inputs)


@keras_layer("LayerNormalization", f"axis=-1, epsilon=0.001, center=True, scale=True, {_SHIFT_AND_SCALE}")
def layer_normalization(inputs: Shape, given: Given) -> Built:
    """Normalize each example over its `axis`, which may be several."""
    return Built(_scale_and_shift(given, _find_lengths(given["axis"], inputs)), inputs)


@keras_layer("GroupNormalization", f"groups=32, axis=-1, epsilon=0.001, center=True, scale=True, {_SHIFT_AND_SCALE}")
def group_normalization(inputs: Shape, given: Given) -> Built:
    """Normalize each example over groups of channels; −1 stands for as many groups as there are channels."""
    (channels,) = given.known("gamma", (find_length("axis", given["axis"], inputs),))
    groups = channels if given["groups"] == -1 else given.size("groups")
    if channels % groups:
        raise ArgumentError(f"{channels} channels cannot be cut into {groups} `groups`", parameter="groups")
    return Built(_scale_and_shift(given, (channels,)), inputs)


@keras_layer("RMSNormalization", "axis=-1, epsilon=1e-06")
def rms_normalization(inputs: Shape, given: Given) -> Built:
    """Divide by the root mean square over `axis`, which may be several."""
    return Built([Weight("scale", given.known("scale", _find_lengths(given["axis"], inputs)), "ones")], inputs)


@keras_layer("Normalization", "axis=-1, mean=None, variance=None, invert=False")
def normalization(inputs: Shape, given: Given) -> Built:
    """Take away a mean and divide by a deviation, which are statistics of the data unless they are arguments."""
    axes = given["axis"]
    several = [] if axes is None else axes if isinstance(axes, list | tuple) else [axes]
    kept = {axis % (len(inputs) + 1): length for axis, length in _measure(several, inputs)}
    shape = given.known("mean", tuple(kept[axis] for axis in sorted(kept)))
    if (given["mean"] is None) != (given["variance"] is None):
        name = "mean" if given["mean"] is None else "variance"
        raise ArgumentError("`mean` and `variance` must both be given, or neither", parameter=name)
    if given["mean"] is not None:
        _check_statistics(given, shape)
        return Built([], inputs)
    statistics = [Weight("mean", shape, "zeros"), Weight("variance", shape, "ones")]
    return Built([*statistics, Weight("count", (), "zeros", dtype="int32")], inputs)


def _check_statistics(given: Given, shape: tuple[int, ...]) -> None:
    """Raise `ArgumentError` if `mean` and `variance` differ in shape, or cannot be broadcast to that of the axes."""
    mean, variance = (_tell_shape(given[name]) for name in ("mean", "variance"))
    if mean != variance:
        what = f"`mean` and `variance` must have the same shape, got {list(mean)} and {list(variance)}"
        raise ArgumentError(what, parameter="variance")
    kept = shape[len(shape) - len(mean) :]
    if len(mean) > len(shape) or any(length not in (1, whole) for length, whole in zip(mean, kept, strict=True)):
        what = f"`mean` has a shape of {list(mean)}, but the axes of `axis` one of {list(shape)}"
        raise ArgumentError(what, parameter="mean")


def _tell_shape(value: object) -> tuple[int, ...]:
    """Return the shape of lists in lists, each as long as the first of its level."""
    if not isinstance(value, list | tuple):
        return ()
    return (len(value), *(_tell_shape(value[0]) if value else ()))


def _scale_and_shift(given: Given, shape: Shape) -> list[Weight]:
    """Return gamma if `scale`, and beta if `center`."""
    names = [name for name, flag in (("gamma", "scale"), ("beta", "center")) if given.flag(flag)]
    return [given.weight(name, shape) for name in names]


def _find_lengths(axes: Any, inputs: Shape) -> Shape:
    """Return the input's lengths along `axes`, which Keras sorts as they are written: those from the end are first."""
    found = _measure(axes if isinstance(axes, list | tuple) else [axes], inputs)
    return tuple(length for _, length in sorted(found, key=lambda each: each[0]))


def _measure(axes: Sequence[Any], inputs: Shape) -> list[tuple[int, int | None]]:
    """Return each axis and the input's length along it."""
    return [(axis, find_length("axis", axis, inputs)) for axis in axes]
