"""Keras's layers that lay values out anew, or cut, pad and repeat them.

Source: keras-team/keras v3.15.1, `keras/src/layers/reshaping/`; checked by `make clients`.
"""

from __future__ import annotations

from functools import partial
from math import prod

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape, parse_size, parse_sizes
from initcli.layers.keras_arguments import Given, check_input, keras_layer, repeat
from initcli.layers.keras_feature_maps import is_channels_first, read_map


@keras_layer("Flatten", "data_format=None")
def flatten(inputs: Shape, given: Given) -> Built:
    """Lay all values out along one axis."""
    is_channels_first(given)  # checked; what is learned does not depend on it
    return Built([], (_count(inputs),))


@keras_layer("Reshape", "target_shape")
def reshape(inputs: Shape, given: Given) -> Built:
    """Lay the values out as `target_shape`, of which one length may be −1: what is left."""
    target = given["target_shape"]
    if not isinstance(target, list | tuple):
        raise ArgumentError(f"`target_shape` must be a list of lengths, got `{target}`", parameter="target_shape")
    lengths = [parse_size("target_shape", length, -1) for length in target]
    if lengths.count(-1) > 1:
        raise ArgumentError("`target_shape` can have one -1", parameter="target_shape")
    count = _count(inputs)
    if count is None:
        return Built([], tuple(None if length == -1 else length for length in lengths))
    known = prod(length for length in lengths if length != -1)
    if (count != known) if -1 not in lengths else (known == 0 or count % known):
        raise ArgumentError(f"{count} values cannot be laid out as {lengths}", parameter="target_shape")
    return Built([], tuple(count // known if length == -1 else length for length in lengths))


@keras_layer("Permute", "dims")
def permute(inputs: Shape, given: Given) -> Built:
    """Exchange axes, which are counted from 1."""
    dims = given["dims"]
    places = dims if isinstance(dims, list | tuple) else []
    if {*places} != {*range(1, len(inputs) + 1)} or len(places) != len(inputs):
        what = f"`dims` must be the numbers from 1 to {len(inputs)} in any order, got `{dims}`"
        raise ArgumentError(what, parameter="dims")
    return Built([], tuple(inputs[dim - 1] for dim in dims))


@keras_layer("RepeatVector", "n")
def repeat_vector(inputs: Shape, given: Given) -> Built:
    """Give a vector n times."""
    check_input("RepeatVector", inputs, 1, 1)
    return Built([], (given.size("n"), *inputs))


def _cropping(rank: int, inputs: Shape, given: Given) -> Built:
    """Cut off what is at the ends of each axis of space."""
    seen = read_map(f"Cropping{rank}D", inputs, rank, given)
    cut = [sum(pair) for pair in _parse_pairs("cropping", given["cropping"], rank)]
    lengths = tuple(None if length is None else length - less for length, less in zip(seen.lengths, cut, strict=True))
    if any(length is not None and length <= 0 for length in lengths):
        what = f"`cropping` leaves nothing of an input of {list(inputs)}"
        raise ArgumentError(what, parameter="cropping")
    return Built([], seen._replace(lengths=lengths).shape)


def _zero_padding(rank: int, inputs: Shape, given: Given) -> Built:
    """Put zeros at the ends of each axis of space."""
    seen = read_map(f"ZeroPadding{rank}D", inputs, rank, given)
    added = [sum(pair) for pair in _parse_pairs("padding", given["padding"], rank)]
    lengths = tuple(None if length is None else length + more for length, more in zip(seen.lengths, added, strict=True))
    return Built([], seen._replace(lengths=lengths).shape)


def _up_sampling(rank: int, inputs: Shape, given: Given) -> Built:
    """Repeat or interpolate values `size` times along each axis of space."""
    seen = read_map(f"UpSampling{rank}D", inputs, rank, given)
    lengths = tuple(
        None if length is None else length * times
        for length, times in zip(seen.lengths, given.sizes("size", rank), strict=True)
    )
    return Built([], seen._replace(lengths=lengths).shape)


def _parse_pairs(parameter: str, value: object, rank: int) -> list[tuple[int, ...]]:
    """Return what is meant for both ends of each axis: one number for all, one for each axis, or a pair for each.

    Raises:
        ArgumentError: something else; a list for a single axis is its pair.
    """
    if rank == 1 or not isinstance(value, list | tuple):
        return [parse_sizes(parameter, value, 2, 0)] * rank
    if len(value) != rank:
        raise ArgumentError(f"`{parameter}` must have {rank} entries, got {list(value)}", parameter=parameter)
    return [parse_sizes(parameter, each, 2, 0) for each in value]


def _count(shape: Shape) -> int | None:
    """Return how many values a shape has; None if a length is not known."""
    lengths = [length for length in shape if length is not None]
    return prod(lengths) if len(lengths) == len(shape) else None


for _rank in (1, 2, 3):
    _cut = ("(1, 1)", "((0, 0), (0, 0))", "((1, 1), (1, 1), (1, 1))")[_rank - 1]
    _added = ("1", "(1, 1)", "((1, 1), (1, 1), (1, 1))")[_rank - 1]
    _format = ", data_format=None" if _rank > 1 else ""
    _interpolation = ", interpolation='nearest'" if _rank == 2 else ""
    keras_layer(f"Cropping{_rank}D", f"cropping={_cut}{_format}")(partial(_cropping, _rank))
    keras_layer(f"ZeroPadding{_rank}D", f"padding={_added}, data_format=None")(partial(_zero_padding, _rank))
    keras_layer(f"UpSampling{_rank}D", f"size={repeat(2, _rank)}{_format}{_interpolation}")(
        partial(_up_sampling, _rank)
    )
