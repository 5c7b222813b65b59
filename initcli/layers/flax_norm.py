"""flax's normalizations: a scale of ones and a bias of zeros over the features, and BatchNorm's running statistics.

Source: google/flax v0.12.8, `flax/linen/normalization.py`, `flax/nnx/nn/normalization.py`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape, Weight
from initcli.layers.flax_arguments import (
    Arguments,
    check_divides,
    flax_layer,
    known_sizes,
    last_size,
    resolve_axes,
    resolve_features,
)

_AFFINE = "use_bias=True, use_scale=True, bias_init=zeros, scale_init=ones"
_SCALE = "use_scale=True, scale_init=ones"
_DTYPES = "epsilon=1e-6, dtype=None, param_dtype=None"
_MEANS = "axis_name=None, axis_index_groups=None, use_fast_variance=True"
_LINEN = f"{_MEANS}, force_float32_reductions=True"
_NNX = f"{_MEANS}, promote_dtype=promote_dtype, bias_metadata=(), scale_metadata=()"
_AXES = "reduction_axes=-1, feature_axes=-1"
_GROUPS = "num_groups=32, group_size=None"
_BATCH = f"axis=-1, momentum=0.99, epsilon=1e-5, dtype=None, param_dtype=None, {_AFFINE}"


def affine(given: Arguments, shape: tuple[int, ...]) -> list[Weight]:
    """Return the scale and the bias, as far as there are to be any; RMSNorm never has a bias."""
    scale = [given.weight("scale", shape, "scale_init")] if given.flag("use_scale") else []
    has_bias = "use_bias" in given.values and given.flag("use_bias")
    return scale + ([given.weight("bias", shape, "bias_init")] if has_bias else [])


def _statistics(given: Arguments, shape: tuple[int, ...]) -> list[Weight]:
    """Return the running mean and variance: float32 whatever the parameters are, unless linen is told otherwise."""
    is_forced = "force_float32_reductions" not in given.values or given.flag("force_float32_reductions")
    dtype, collection = "float32" if is_forced else given.dtype, given.collection and "batch_stats"
    named = {"mean": "zeros", "var": "ones"}
    return [Weight(name, shape, init, "", dtype, collection) for name, init in named.items()]


def _feature_shape(given: Arguments, name: str, inputs: Shape) -> tuple[int, ...]:
    """Return the lengths of the axes that the argument names."""
    return known_sizes(tuple(inputs[axis - 1] for axis in resolve_features(name, given[name], inputs)))


@flax_layer("LayerNorm", f"{_DTYPES}, {_AFFINE}, {_AXES}, {_LINEN}")
@flax_layer("RMSNorm", f"{_DTYPES}, {_SCALE}, {_AXES}, {_LINEN}")
@flax_layer("InstanceNorm", f"{_DTYPES}, {_AFFINE}, feature_axes=-1, {_LINEN}")
def _norm(given: Arguments, inputs: Shape) -> Built:
    """Normalize over `reduction_axes`, or each example's channel; scale and bias are those of `feature_axes`."""
    if "reduction_axes" in given.values:
        resolve_axes("reduction_axes", given["reduction_axes"], inputs)
    return Built(affine(given, _feature_shape(given, "feature_axes", inputs)), inputs)


@flax_layer("nnx.LayerNorm", f"num_features, {_DTYPES}, {_AFFINE}, {_AXES}, {_NNX}")
@flax_layer(
    "nnx.RMSNorm",
    f"num_features, {_DTYPES}, {_SCALE}, {_AXES}, {_MEANS}, promote_dtype=promote_dtype, scale_metadata=()",
)
@flax_layer("nnx.InstanceNorm", f"num_features, {_DTYPES}, {_AFFINE}, feature_axes=-1, {_NNX}")
def _nnx_norm(given: Arguments) -> Built:
    """Normalize; scale and bias have `num_features` values whatever the axes."""
    return Built(affine(given, (given.size("num_features"),)))


def _check_groups(given: Arguments, features: int) -> None:
    """Raise `ArgumentError` unless just one of `num_groups` and `group_size` is given, and divides the features."""
    if (given["num_groups"] is None) == (given["group_size"] is None):
        hint = "write `num_groups: null` with a `group_size`; the default is 32 groups"
        raise ArgumentError("give either `num_groups` or `group_size`", hint, parameter="num_groups")
    name = "num_groups" if given["group_size"] is None else "group_size"
    check_divides(name, given.size(name), features, "features")


@flax_layer("GroupNorm", f"{_GROUPS}, {_DTYPES}, {_AFFINE}, reduction_axes=None, {_LINEN}")
def _group_norm(given: Arguments, inputs: Shape) -> Built:
    """Normalize over groups of the last axis; scale and bias are of each channel."""
    features, axes = last_size(inputs), given["reduction_axes"]
    if axes is not None and len(inputs) not in resolve_axes("reduction_axes", axes, inputs):
        what = f"`reduction_axes` must include the last axis, which has the features, got {axes}"
        raise ArgumentError(what, parameter="reduction_axes")
    _check_groups(given, features)
    return Built(affine(given, (features,)), inputs)


@flax_layer("nnx.GroupNorm", f"num_features, {_GROUPS}, {_DTYPES}, {_AFFINE}, reduction_axes=None, {_NNX}")
def _nnx_group_norm(given: Arguments) -> Built:
    """Normalize over groups of channels."""
    _check_groups(given, given.size("num_features"))
    return _nnx_norm(given)


@flax_layer("BatchNorm", f"use_running_average=None, {_BATCH}, {_LINEN}")
def _batch_norm(given: Arguments, inputs: Shape) -> Built:
    """Normalize each channel over the batch, and keep running statistics."""
    shape = _feature_shape(given, "axis", inputs)
    return Built([*_statistics(given, shape), *affine(given, shape)], inputs)


@flax_layer("nnx.BatchNorm", f"num_features, use_running_average=False, {_BATCH}, {_NNX}")
def _nnx_batch_norm(given: Arguments) -> Built:
    """Normalize each channel over the batch, and keep running statistics."""
    shape = (given.size("num_features"),)
    return Built([*_statistics(given, shape), *affine(given, shape)])
