"""flax's linear layers and embeddings, its PReLU, and Dropout, which has no weights.

Source: google/flax v0.12.8, `flax/linen/linear.py`, `flax/nnx/nn/linear.py`; checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

from initcli.errors import ArgumentError
from initcli.initializers.arguments import parse_number
from initcli.layers.base import Built, Shape, Weight, parse_size
from initcli.layers.flax_arguments import (
    Arguments,
    flax_layer,
    known_sizes,
    last_size,
    parse_axis,
    resolve_features,
)

_EMBEDDING = "embedding_init=variance_scaling(1.0, fan_in, normal, out_axis=0)"
"""Both axes count as outputs' and inputs', and so N(0, 1 / features) is left."""


@flax_layer(
    "Dense",
    "features, use_bias=True, dtype=None, param_dtype=None, precision=None, kernel_init=lecun_normal, bias_init=zeros,"
    "promote_dtype=promote_dtype, dot_general=None, dot_general_cls=None",
)
def _dense(given: Arguments, inputs: Shape) -> Built:
    """y = x W + b over the last axis."""
    features = given.size("features")
    built = given.projection((last_size(inputs),), (features,), ("kernel_init", given.bias_init()))
    return built._replace(outputs=(*inputs[:-1], features))


@flax_layer(
    "nnx.Linear",
    "in_features, out_features, use_bias=True, dtype=None, param_dtype=None, precision=None, kernel_init=lecun_normal,"
    "bias_init=zeros, dot_general=dot_general, promote_dtype=promote_dtype, preferred_element_type=None,"
    "kernel_metadata=(), bias_metadata=()",
)
def _linear(given: Arguments) -> Built:
    """y = x W + b."""
    ins, outs = given.size("in_features"), given.size("out_features")
    return given.projection((ins,), (outs,), ("kernel_init", given.bias_init()))


@flax_layer(
    "DenseGeneral",
    "features, axis=-1, batch_dims=(), use_bias=True, dtype=None, param_dtype=None, kernel_init=lecun_normal,"
    "bias_init=zeros, precision=None, promote_dtype=promote_dtype, dot_general=None, dot_general_cls=None",
)
def _dense_general(given: Arguments, inputs: Shape) -> Built:
    """y = x W + b over several axes of the input, to several of the output."""
    if given["batch_dims"] not in ((), []):
        hint = "`nnx.LinearGeneral` is told the sizes, by `batch_axis`"
        raise ArgumentError("`batch_dims` names the batch, whose size no spec has", hint, parameter="batch_dims")
    features = given.sizes("features")
    axes = resolve_features("axis", given["axis"], inputs)
    ins = known_sizes(tuple(inputs[axis - 1] for axis in axes))
    built = given.projection(ins, features, ("kernel_init", given.bias_init()))
    left = tuple(length for axis, length in enumerate(inputs, 1) if axis not in axes)
    return built._replace(outputs=(*left, *features))


@flax_layer(
    "nnx.LinearGeneral",
    "in_features, out_features, axis=-1, batch_axis=(), use_bias=True, dtype=None, param_dtype=None,"
    "kernel_init=lecun_normal, bias_init=zeros, precision=None, promote_dtype=promote_dtype, dot_general=None,"
    "dot_general_cls=None, preferred_element_type=None, kernel_metadata=(), bias_metadata=()",
)
def _linear_general(given: Arguments) -> Built:
    """y = x W + b over several axes; one set of weights for each index of `batch_axis`, drawn as if inputs."""
    ins, outs = given.sizes("in_features"), given.sizes("out_features")
    axes = given["axis"] if isinstance(given["axis"], list | tuple) else [given["axis"]]
    if len([parse_axis("axis", axis) for axis in axes]) != len(ins):
        what = f"`axis` must name as many axes as `in_features` has sizes, got {list(axes)} and {list(ins)}"
        raise ArgumentError(what, parameter="axis")
    batch = _parse_batch_axis(given["batch_axis"])
    built = given.projection((*batch, *ins), outs, ("kernel_init", given.bias_init()))
    return Built([each._replace(shape=(*batch, *outs)) if each.name == "bias" else each for each in built.weights])


def _parse_batch_axis(value: object) -> tuple[int, ...]:
    """Return the sizes of a mapping from the leading axes to them; in a spec, keys are text."""
    if value in ((), []):
        return ()
    if not isinstance(value, Mapping) or {str(axis) for axis in value} != {str(i) for i in range(len(value))}:
        what = f"`batch_axis` must give sizes to the leading axes, from 0 on without a gap, got `{value}`"
        raise ArgumentError(what, "write `batch_axis: {0: 8}`", parameter="batch_axis")
    return tuple(parse_size("batch_axis", size) for size in value.values())


def _embedding(given: Arguments) -> list[Weight]:
    shape = given.size("num_embeddings"), given.size("features")
    return [given.weight("embedding", shape, "embedding_init")]


@flax_layer(
    "Embed", f"num_embeddings, features, dtype=None, param_dtype=None, {_EMBEDDING}, promote_dtype=promote_dtype"
)
def _embed(given: Arguments, inputs: Shape) -> Built:
    """One row for each number."""
    return Built(_embedding(given), (*inputs, given.size("features")))


@flax_layer(
    "nnx.Embed",
    f"num_embeddings, features, dtype=None, param_dtype=None, {_EMBEDDING}, promote_dtype=promote_dtype,"
    "embedding_metadata=()",
)
def _nnx_embed(given: Arguments) -> Built:
    """One row for each number."""
    return Built(_embedding(given))


def _slope(given: Arguments) -> list[Weight]:
    """Return the slope; its first value is a number in flax, and may be an initializer here."""
    slope = given["negative_slope_init"]
    weight = given.weight("negative_slope", (), "negative_slope_init")
    if isinstance(slope, Real):
        return [weight._replace(init=f"constant({parse_number('negative_slope_init', slope)})")]
    return [weight]


@flax_layer("PReLU", "param_dtype=None, negative_slope_init=0.01")
def _prelu(given: Arguments, inputs: Shape) -> Built:
    """max(0, x) + w min(0, x)."""
    return Built(_slope(given), inputs)


@flax_layer(
    "nnx.PReLU",
    "negative_slope_init=0.01, dtype=None, param_dtype=None, promote_dtype=promote_dtype, negative_slope_metadata=()",
)
def _nnx_prelu(given: Arguments) -> Built:
    """max(0, x) + w min(0, x)."""
    return Built(_slope(given))


@flax_layer("Dropout", "rate, broadcast_dims=(), deterministic=None, rng_collection=dropout")
def _dropout(given: Arguments, inputs: Shape) -> Built:
    """Set values to zero with probability `rate`."""
    parse_number("rate", given["rate"])
    return Built([], inputs)


@flax_layer("nnx.Dropout", "rate, broadcast_dims=(), deterministic=False, rng_collection=dropout")
def _nnx_dropout(given: Arguments) -> Built:
    """Set values to zero with probability `rate`; the state of its generator is no weight."""
    parse_number("rate", given["rate"])
    return Built([])
