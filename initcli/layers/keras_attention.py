"""Keras's attention, whose queries, keys and values are all the input of the layer.

Source: keras-team/keras v3.15.1, `keras/src/layers/attention/`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice, parse_number
from initcli.layers.base import Built, Shape, Weight, parse_size
from initcli.layers.keras_arguments import Given, check_input, keras_layer, weight_arguments

_KERNEL_AND_BIAS = weight_arguments(kernel="glorot_uniform", bias="zeros")


@keras_layer(
    "MultiHeadAttention",
    "num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None, "
    f"sliding_window=None, flash_attention=None, {_KERNEL_AND_BIAS}, use_gate=False, seed=None",
)
def multi_head_attention(inputs: Shape, given: Given) -> Built:
    """Attention of `num_heads`, whose projections are matrices by head: fans are those of input and output."""
    check_input("MultiHeadAttention", inputs, 2)
    heads, keys = given.size("num_heads"), given.size("key_dim")
    values = keys if given["value_dim"] is None else given.size("value_dim")
    _check_attention(given)
    outputs: Shape = inputs[-1:]
    if given["output_shape"]:
        several = given["output_shape"]
        lengths = several if isinstance(several, list | tuple) else [several]
        outputs = tuple(parse_size("output_shape", length) for length in lengths)
    widths = {"query": (heads, keys), "key": (heads, keys), "gate": (heads, values), "value": (heads, values)}
    return Built(_project(given, inputs, widths, outputs), (*inputs[:-1], *outputs))


@keras_layer(
    "GroupQueryAttention",
    "head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None, "
    f"flash_attention=None, {_KERNEL_AND_BIAS}, use_gate=False, seed=None",
)
def group_query_attention(inputs: Shape, given: Given) -> Built:
    """Attention in which several heads of queries share one of keys and values."""
    check_input("GroupQueryAttention", inputs, 2, 2)
    width, heads = given.size("head_dim"), given.size("num_query_heads")
    shared = given.size("num_key_value_heads")
    if heads % shared:
        what = f"`num_query_heads` must be a multiple of `num_key_value_heads`, got {heads} and {shared}"
        raise ArgumentError(what, parameter="num_query_heads")
    _check_attention(given)
    widths = {"query": (heads, width), "key": (shared, width), "gate": (heads, width), "value": (shared, width)}
    return Built(_project(given, inputs, widths, inputs[-1:], "_"), inputs)


@keras_layer("Attention", "use_scale=False, score_mode='dot', dropout=0.0, seed=None")
def attention(inputs: Shape, given: Given) -> Built:
    """Attention by dot products, with one learned number for the scale and one for sums of query and key."""
    check_input("Attention", inputs, 2)
    check_choice("score_mode", given["score_mode"], ("dot", "concat"))
    numbers = {"scale": given.flag("use_scale"), "concat_score_weight": given["score_mode"] == "concat"}
    return Built([Weight(name, (), "ones") for name, is_there in numbers.items() if is_there], inputs)


@keras_layer("AdditiveAttention", "use_scale=True, dropout=0.0")
def additive_attention(inputs: Shape, given: Given) -> Built:
    """Attention by Σ scale tanh(query + key)."""
    check_input("AdditiveAttention", inputs, 2)
    shape = given.known("scale", inputs[-1:])
    return Built([Weight("scale", shape, "glorot_uniform")] if given.flag("use_scale") else [], inputs)


def _check_attention(given: Given) -> None:
    """Raise `ArgumentError` for a window of no length, and for flash attention with dropout, which Keras has not."""
    if given["sliding_window"] is not None:
        given.size("sliding_window")
    if parse_number("dropout", given["dropout"]) > 0 and given["flash_attention"]:
        what = "`dropout` must be 0 with `flash_attention`"
        raise ArgumentError(what, parameter="dropout")


def _project(
    given: Given, inputs: Shape, widths: dict[str, tuple[int, int]], outputs: Shape, begin: str = ""
) -> list[Weight]:
    """Return the projections to heads, that of the gate only if `use_gate`, and the one from heads to `outputs`.

    `begin` is what their attributes begin with: `_` where they are private, as that of the gate always is.
    """
    names = [name for name in widths if name != "gate" or given.flag("use_gate")]
    weights: list[Weight] = []
    for name in names:
        kernel = given.weight("kernel", (inputs[-1], *widths[name]), "in out out")
        weights += Built([kernel, *given.bias(*widths[name])]).below(
            f"{name}/", f"{'_' if name == 'gate' else begin}{name}_dense"
        )
    kernel = given.weight("kernel", (*widths["gate"], *outputs), " ".join(["in", "in", *["out"] * len(outputs)]))
    return [*weights, *Built([kernel, *given.bias(*outputs)]).below("attention_output/", f"{begin}output_dense")]
