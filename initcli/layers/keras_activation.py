"""PReLU, which learns its slopes, and Keras's layers that change values and neither shapes nor weights.

Source: keras-team/keras v3.15.1, `keras/src/layers/{activations,regularization,core,preprocessing}/`;
checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from initcli.errors import ArgumentError
from initcli.initializers.arguments import parse_number
from initcli.layers.base import Built, Shape
from initcli.layers.keras_arguments import Given, check_input, keras_layer

_UNCHANGING = {
    "Activation": "activation",
    "ActivityRegularization": "l1=0.0, l2=0.0",
    "ELU": "alpha=1.0",
    "Identity": "",
    "Masking": "mask_value=0.0",
    "Rescaling": "scale, offset=0.0",
    "Softmax UnitNormalization": "axis=-1",
}
"""What takes any values for its arguments, and any input."""

_NOT_NEGATIVE = {
    "LeakyReLU": "negative_slope=0.3",
    "ReLU": "max_value=None, negative_slope=0.0, threshold=0.0",
}

_DROPOUTS = {
    "Dropout AlphaDropout": "rate, noise_shape=None, seed=None",
    "GaussianDropout": "rate, seed=None",
    "GaussianNoise": "stddev, seed=None",
}
_SPATIAL_DROPOUTS = {
    1: "rate, seed=None",
    2: "rate, data_format=None, seed=None",
    3: "rate, data_format=None, seed=None",
}


@keras_layer("PReLU", "alpha_initializer='Zeros', alpha_regularizer=None, alpha_constraint=None, shared_axes=None")
def prelu(inputs: Shape, given: Given) -> Built:
    """max(0, x) + alpha min(0, x), one alpha for each value but along `shared_axes`, which are counted from 1."""
    shared = given["shared_axes"]
    axes = [] if shared is None else shared if isinstance(shared, list | tuple) else [shared]
    if not {*axes} <= {*range(1, len(inputs) + 1)}:
        what = f"`shared_axes` must be axes from 1 to {len(inputs)}, got `{shared}`"
        raise ArgumentError(what, "axis 0 is the batch", parameter="shared_axes")
    lengths = tuple(1 if axis in axes else length for axis, length in enumerate(inputs, 1))
    return Built([given.weight("alpha", lengths)], inputs)


def _unchanging(inputs: Shape, given: Given) -> Built:
    """Give what came in, by another value each."""
    del given
    return Built([], inputs)


def _rectifier(inputs: Shape, given: Given) -> Built:
    """Cut values off, at bounds that are not negative."""
    for name in ("negative_slope", "threshold", "max_value"):
        if name in given.values and (name != "max_value" or given[name] is not None):
            parse_number(name, given[name], 0)
    return Built([], inputs)


def _dropout(parameter: str, rank: int, inputs: Shape, given: Given) -> Built:
    """Set values to zero, or add noise; the argument `parameter` says how much, from 0 to 1."""
    if parse_number(parameter, given[parameter], 0) > 1:
        what = f"`{parameter}` must be a number from 0 to 1, got {given[parameter]}"
        raise ArgumentError(what, parameter=parameter)
    if rank:
        check_input(f"SpatialDropout{rank}D", inputs, rank + 1, rank + 1)
    return Built([], inputs)


def _add(known: dict[str, str], function: Callable[..., Built]) -> None:
    for names, signature in known.items():
        keras_layer(names, signature)(function)


_add(_UNCHANGING, _unchanging)
_add(_NOT_NEGATIVE, _rectifier)
for _names, _signature in _DROPOUTS.items():
    keras_layer(_names, _signature)(partial(_dropout, _signature.partition(",")[0], 0))
for _rank, _signature in _SPATIAL_DROPOUTS.items():
    keras_layer(f"SpatialDropout{_rank}D", _signature, is_strict=True)(partial(_dropout, "rate", _rank))
