"""Keras's layers around a layer, which is written as a mapping with its class.

A layer inside that has no `name` is called as the first of its class; `keras_inner.name_inside` counts them.

Source: keras-team/keras v3.15.1, `keras/src/layers/rnn/{bidirectional,time_distributed}.py`,
`keras/src/layers/normalization/spectral_normalization.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import replace

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice
from initcli.layers.base import Built, Shape, Weight
from initcli.layers.keras_arguments import Given, check_input, keras_layer
from initcli.layers.keras_inner import Inner, parse_inner, parse_inners

_RECURRENT = ("SimpleRNN", "GRU", "LSTM", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_OF_SEVERAL_INPUTS = ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention")


@keras_layer("Bidirectional", "layer, merge_mode='concat', weights=None, backward_layer=None")
def bidirectional(inputs: Shape, given: Given) -> Built:
    """A recurrent layer and its copy, or `backward_layer`, that walks the other way."""
    given.refuse("weights", "give the layer's initializers")
    mode = given["merge_mode"]
    if mode is not None:
        check_choice("merge_mode", mode, ("sum", "mul", "ave", "concat"))
    forward, backward = _pair(given)
    ahead = forward.build(inputs)
    weights = ahead.below(f"{forward.name}/", "forward_layer")
    weights += backward.build(inputs).below(f"{backward.name}/", "backward_layer")
    if mode is None or ahead.outputs is None:
        return Built(weights)
    *front, last = ahead.outputs
    return Built(weights, (*front, last * 2 if mode == "concat" and last is not None else last))


def _pair(given: Given) -> tuple[Inner, Inner]:
    """Return the layers of both directions.

    Raises:
        ArgumentError: one is not recurrent, both walk the same way, or they do not give the same things.
    """
    inner = _check_recurrent(parse_inner("layer", given["layer"]))
    if given["backward_layer"] is None:
        backward = replace(
            inner,
            name=f"backward_{inner.name.removeprefix('backward_')}",
            arguments={**inner.arguments, "go_backwards": True},
        )
    else:
        _, backward = parse_inners("backward_layer", [given["layer"], given["backward_layer"]])
        _check_recurrent(backward)
    forward = replace(inner, name=f"forward_{inner.name.removeprefix('forward_')}")
    if forward["go_backwards"] == backward["go_backwards"]:
        what = "the two layers must walk in different directions"
        raise ArgumentError(what, "write `go_backwards: true` in `backward_layer` alone", parameter=backward.parameter)
    for argument in ("stateful", "return_sequences", "return_state"):
        if forward[argument] != backward[argument]:
            what = f"`{argument}` must be the same in both layers"
            raise ArgumentError(what, parameter=backward.parameter)
    return forward, backward


def _check_recurrent(inner: Inner) -> Inner:
    if inner.layer.name not in _RECURRENT:
        what = f"`{inner.parameter}` must be a recurrent layer, got `{inner.layer.name}`"
        raise ArgumentError(what, f"one of: {', '.join(_RECURRENT)}", parameter=inner.parameter)
    return inner


@keras_layer("TimeDistributed", "layer")
def time_distributed(inputs: Shape, given: Given) -> Built:
    """The same layer at each place of the first axis."""
    check_input("TimeDistributed", inputs, 2)
    inner = parse_inner("layer", given["layer"])
    if inner.layer.name in _OF_SEVERAL_INPUTS:
        raise ArgumentError(f"`layer` cannot be `{inner.layer.name}`, which has several inputs", parameter="layer")
    built = inner.build(inputs[1:])
    outputs = None if built.outputs is None else (inputs[0], *built.outputs)
    return Built(built.below(f"{inner.name}/", "layer"), outputs)


@keras_layer("SpectralNormalization", "layer, power_iterations=1")
def spectral_normalization(inputs: Shape, given: Given) -> Built:
    """A layer whose kernel is divided by its largest singular value, for which a vector is kept."""
    given.size("power_iterations")
    inner = parse_inner("layer", given["layer"])
    built = inner.build(inputs)
    kernel = next((each for each in built.weights if each.name in ("kernel", "embeddings")), None)
    if kernel is None:
        what = f"`{inner.layer.name}` has no weight `kernel` or `embeddings`"
        raise ArgumentError(what, "take a layer that has one, such as Dense or Conv2D", parameter="layer")
    vector = Weight("vector_u", (1, kernel.shape[-1]), "truncated_normal(stddev=0.02)", dtype=kernel.dtype)
    if inner["lora_rank"]:  # Keras then finds a kernel that is computed, and no weight
        return Built([vector, *built.below(f"{inner.name}/", "layer")], built.outputs)
    others = [each for each in built.weights if each is not kernel]
    first, *others = Built([kernel, *others], built.outputs).below(f"{inner.name}/", "layer")
    return Built([first._replace(holders=("", *first.holders)), vector, *others], built.outputs)
