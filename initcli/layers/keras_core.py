"""Keras's layers of one weight matrix, and the one that only says what the input is.

Source: keras-team/keras v3.15.1, `keras/src/layers/core/`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape, Weight, parse_size
from initcli.layers.keras_arguments import LORA, Given, check_input, keras_layer, weight_arguments

_QUANTIZED = "quantize the model that has read the file"
_KERNEL_AND_BIAS = weight_arguments(kernel="glorot_uniform", bias="zeros")
_EMBEDDINGS = weight_arguments(has_activity=False, embeddings="uniform")


@keras_layer(
    "InputLayer",
    "shape=None, batch_size=None, sparse=None, ragged=None, batch_shape=None, input_tensor=None, optional=False",
    is_strict=True,
)
def input_layer(given: Given) -> Built:
    """Say the shape of the input, which may stand for `input_shape` at the top of the spec."""
    given.refuse("input_tensor", "a spec has no tensors: give `shape`")
    names = [name for name in ("shape", "batch_shape") if given[name] is not None]
    if len(names) != 1:
        what = f"`InputLayer` needs `shape` or `batch_shape`, got {'both' if names else 'neither'}"
        raise ArgumentError(what, "`shape` is that of one example", parameter="shape")
    name, shape = names[0], given[names[0]]
    if name == "batch_shape" and given["batch_size"] is not None:
        raise ArgumentError("`batch_size` goes with `shape`, and not with `batch_shape`", parameter="batch_size")
    if not isinstance(shape, list | tuple) or (name == "batch_shape" and not shape):
        raise ArgumentError(f"`{name}` must be a list of lengths, got `{shape}`", parameter=name)
    lengths = tuple(None if length is None else parse_size(name, length, 0) for length in shape)
    return Built([], lengths if name == "shape" else lengths[1:])


@keras_layer("Dense", f"units, activation=None, use_bias=True, {_KERNEL_AND_BIAS}, {LORA}, quantization_config=None")
def dense(inputs: Shape, given: Given) -> Built:
    """y = x W + b over the last axis."""
    check_input("Dense", inputs, 1)
    given.refuse("quantization_config", _QUANTIZED)
    units = given.size("units")
    kernel = given.weight("kernel", (inputs[-1], units))
    return Built([kernel, *given.bias(units), *given.adapters(kernel)], (*inputs[:-1], units))


@keras_layer(
    "Embedding",
    f"input_dim, output_dim, {_EMBEDDINGS}, mask_zero=False, weights=None, {LORA}, quantization_config=None",
)
def embedding(inputs: Shape, given: Given) -> Built:
    """Give a row of `output_dim` values for each number below `input_dim`."""
    given.refuse("weights", "give `embeddings_initializer`")
    given.refuse("quantization_config", _QUANTIZED)
    table = _table(given)
    return Built([table, *given.adapters(table)], (*inputs, table.shape[1]))


@keras_layer(
    "ReversibleEmbedding",
    f"input_dim, output_dim, tie_weights=True, {_EMBEDDINGS}, mask_zero=False, reverse_dtype=None, logit_soft_cap=None",
)
def reversible_embedding(inputs: Shape, given: Given) -> Built:
    """Embed, and turn what was embedded into logits: by the same table, or by one of its own."""
    table = _table(given)
    reverse = given.weight("reverse_embeddings", table.shape[::-1], initializer="embeddings_initializer")
    return Built([table] if given.flag("tie_weights") else [table, reverse], (*inputs, table.shape[1]))


def _table(given: Given) -> Weight:
    return given.weight("embeddings", (given.size("input_dim"), given.size("output_dim")))
