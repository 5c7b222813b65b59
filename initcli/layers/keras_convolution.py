"""Keras's convolutions in one, two and three dimensions: dense, by depth, separable, and transposed.

Source: keras-team/keras v3.15.1, `keras/src/layers/convolutional/`; checked by `make clients`.
"""

from __future__ import annotations

from functools import partial

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape
from initcli.layers.keras_arguments import Given, keras_layer, repeat, weight_arguments
from initcli.layers.keras_feature_maps import FeatureMap, read_map, slide

_DENSE = weight_arguments(kernel="glorot_uniform", bias="zeros")
_DEPTHWISE = weight_arguments(depthwise="glorot_uniform", bias="zeros")
_SEPARABLE = weight_arguments(depthwise="glorot_uniform", pointwise="glorot_uniform", bias="zeros")


def _convolution(rank: int, inputs: Shape, given: Given) -> Built:
    """A kernel of (lengths…, channels / groups, filters)."""
    filters, groups = given.size("filters"), given.size("groups")
    kernel_size = given.sizes("kernel_size", rank)
    seen = read_map(f"Conv{rank}D", inputs, rank, given)
    channels = seen.known_channels()
    for name, count in (("filters", filters), ("groups", channels)):
        if count % groups:
            what = f"{count} {'filters' if name == 'filters' else 'channels'} cannot be cut into {groups} `groups`"
            raise ArgumentError(what, parameter=name)
    check_dilation(given, rank)
    outputs = convolve(seen, given, filters)
    return Built([given.weight("kernel", (*kernel_size, channels // groups, filters)), *given.bias(filters)], outputs)


def _depthwise(rank: int, inputs: Shape, given: Given) -> Built:
    """A kernel of (lengths…, channels, depth_multiplier): each channel for itself."""
    kernel_size, multiplier = given.sizes("kernel_size", rank), given.size("depth_multiplier")
    seen = read_map(f"DepthwiseConv{rank}D", inputs, rank, given)
    channels = seen.known_channels()
    outputs = convolve(seen, given, channels * multiplier)
    kernel = given.weight("kernel", (*kernel_size, channels, multiplier), initializer="depthwise_initializer")
    return Built([kernel, *given.bias(channels * multiplier)], outputs)


def _separable(rank: int, inputs: Shape, given: Given) -> Built:
    """A convolution by depth, and one of single points over what it gives."""
    kernel_size, multiplier = given.sizes("kernel_size", rank), given.size("depth_multiplier")
    filters = given.size("filters")
    seen = read_map(f"SeparableConv{rank}D", inputs, rank, given)
    channels = seen.known_channels()
    outputs = convolve(seen, given, filters)
    shapes = {
        "depthwise": (*kernel_size, channels, multiplier),
        "pointwise": (*(1,) * rank, channels * multiplier, filters),
    }
    kernels = [
        given.weight(f"{name}_kernel", shape, initializer=f"{name}_initializer") for name, shape in shapes.items()
    ]
    return Built([*kernels, *given.bias(filters)], outputs)


def _transposed(rank: int, inputs: Shape, given: Given) -> Built:
    """A kernel of (lengths…, filters, channels): Keras reads the filters as its inputs."""
    filters, kernel_size = given.size("filters"), given.sizes("kernel_size", rank)
    seen = read_map(f"Conv{rank}DTranspose", inputs, rank, given)
    check_dilation(given, rank)
    lengths = _spread(seen.lengths, given)
    weights = [given.weight("kernel", (*kernel_size, filters, seen.channels)), *given.bias(filters)]
    return Built(weights, seen._replace(lengths=lengths, channels=filters).shape)


def convolve(seen: FeatureMap, given: Given, channels: int) -> Shape:
    """Return the shape of what a convolution with a `kernel_size` gives, of so many channels.

    Raises:
        ArgumentError: a wrong window, or one that does not fit.
    """
    rank = len(seen.lengths)
    is_causal = rank == 1 and "groups" in given.values
    padding = given.choice("padding", "valid", "same", *(["causal"] if is_causal else []))
    steps, dilations = given.sizes("strides", rank), given.sizes("dilation_rate", rank)
    windows = [
        dilation * (size - 1) + 1 for size, dilation in zip(given.sizes("kernel_size", rank), dilations, strict=True)
    ]
    lengths = tuple(
        slide(length, window, step, padding) for length, window, step in zip(seen.lengths, windows, steps, strict=True)
    )
    return seen._replace(lengths=lengths, channels=channels).shape


def check_dilation(given: Given, rank: int) -> None:
    """Raise `ArgumentError` if both `strides` and `dilation_rate` exceed 1."""
    if max(given.sizes("strides", rank)) > 1 and max(given.sizes("dilation_rate", rank)) > 1:
        raise ArgumentError("`dilation_rate` must be 1 where `strides` is more than 1", parameter="dilation_rate")


def _spread(lengths: Shape, given: Given) -> Shape:
    """Return the lengths that a transposed convolution gives.

    valid: (n − 1) stride + max(window, stride), or + window + output_padding;
    same: n stride, or (n − 1) stride + window mod 2 + output_padding
    """
    rank = len(lengths)
    padding = given.choice("padding", "valid", "same")
    steps = given.sizes("strides", rank)
    extras: tuple[int | None, ...] = (None,) * rank
    if given["output_padding"] is not None:
        extras = given.sizes("output_padding", rank, 0)
    spread: list[int | None] = []
    for length, size, dilation, step, extra in zip(
        lengths, given.sizes("kernel_size", rank), given.sizes("dilation_rate", rank), steps, extras, strict=True
    ):
        window = (size - 1) * dilation + 1
        if extra is not None and extra >= step:
            what = f"`output_padding` must be less than `strides`, got {extra} and {step}"
            raise ArgumentError(what, parameter="output_padding")
        if length is None:
            spread.append(None)
        elif padding == "valid":
            spread.append((length - 1) * step + (max(window, step) if extra is None else window + extra))
        else:
            spread.append(length * step if extra is None else (length - 1) * step + window % 2 + extra)
    return tuple(spread)


for _rank in (1, 2, 3):
    _one = repeat(1, _rank)
    _window = f"kernel_size, strides={_one}, padding='valid'"
    _transposition = ("data_format=None, output_padding=None", "output_padding=None, data_format=None")[_rank < 3]
    keras_layer(
        f"Conv{_rank}D",
        f"filters, {_window}, data_format=None, dilation_rate={_one}, groups=1, activation=None, use_bias=True, "
        f"{_DENSE}",
    )(partial(_convolution, _rank))
    keras_layer(
        f"Conv{_rank}DTranspose",
        f"filters, {_window}, {_transposition}, dilation_rate={_one}, activation=None, use_bias=True, {_DENSE}",
    )(partial(_transposed, _rank))

for _rank in (1, 2):
    _one = repeat(1, _rank)
    _window = f"kernel_size, strides={_one}, padding='valid'"
    keras_layer(
        f"DepthwiseConv{_rank}D",
        f"{_window}, depth_multiplier=1, data_format=None, dilation_rate={_one}, activation=None, use_bias=True, "
        f"{_DEPTHWISE}",
    )(partial(_depthwise, _rank))
    keras_layer(
        f"SeparableConv{_rank}D",
        f"filters, {_window}, data_format=None, dilation_rate={_one}, depth_multiplier=1, activation=None, "
        f"use_bias=True, {_SEPARABLE}",
    )(partial(_separable, _rank))
