"""Keras's pooling in one, two and three dimensions: by windows, to a given size, and over all of space.

Source: keras-team/keras v3.15.1, `keras/src/layers/pooling/`; checked by `make clients`.
"""

from __future__ import annotations

from functools import partial

from initcli.layers.base import Built, Shape
from initcli.layers.keras_arguments import Given, keras_layer, repeat
from initcli.layers.keras_feature_maps import read_map, slide


def _pooling(rank: int, inputs: Shape, given: Given) -> Built:
    """One value for each place of the window, which moves by its own size if `strides` is None."""
    seen = read_map(f"pooling in {rank}D", inputs, rank, given)
    windows = given.sizes("pool_size", rank)
    steps = windows if given["strides"] is None else given.sizes("strides", rank)
    padding = given.choice("padding", "valid", "same")
    lengths = tuple(
        slide(length, window, step, padding) for length, window, step in zip(seen.lengths, windows, steps, strict=True)
    )
    return Built([], seen._replace(lengths=lengths).shape)


def _global_pooling(rank: int, inputs: Shape, given: Given) -> Built:
    """One value for each channel."""
    seen = read_map(f"pooling in {rank}D", inputs, rank, given)
    lengths = (1,) * rank if given.flag("keepdims") else ()
    return Built([], seen._replace(lengths=lengths).shape)


def _adaptive_pooling(rank: int, inputs: Shape, given: Given) -> Built:
    """Space of `output_size`, whatever it was."""
    seen = read_map(f"pooling in {rank}D", inputs, rank, given)
    return Built([], seen._replace(lengths=given.sizes("output_size", rank)).shape)


for _rank in (1, 2, 3):
    _rest = "strides=None, padding='valid', data_format=None"
    keras_layer(f"MaxPooling{_rank}D MaxPool{_rank}D", f"pool_size={repeat(2, _rank)}, {_rest}")(
        partial(_pooling, _rank)
    )
    keras_layer(f"AveragePooling{_rank}D AvgPool{_rank}D", f"pool_size, {_rest}")(partial(_pooling, _rank))
    keras_layer(
        f"GlobalMaxPooling{_rank}D GlobalMaxPool{_rank}D GlobalAveragePooling{_rank}D GlobalAvgPool{_rank}D",
        "data_format=None, keepdims=False",
    )(partial(_global_pooling, _rank))
    keras_layer(f"AdaptiveMaxPooling{_rank}D AdaptiveAveragePooling{_rank}D", "output_size, data_format=None")(
        partial(_adaptive_pooling, _rank)
    )
