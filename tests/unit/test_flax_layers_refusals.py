"""What flax's layers refuse, and which argument is told to be at fault."""

from typing import Any

import pytest

from initcli.errors import ArgumentError
from initcli.layers import Shape, find_layer

IMAGE = (28, 28, 6)
TEXT = (10, 512)
CONV = {"features": 12, "kernel_size": [3, 3]}
CELL = {"in_features": 3, "hidden_features": 4}

# class, the input's shape, arguments, and the argument that is at fault
REFUSED: list[tuple[str, Shape | None, dict[str, Any], str]] = [
    ("Dense", TEXT, {"features": 0}, "features"),
    ("Dense", TEXT, {"features": 3, "use_bias": 1}, "use_bias"),
    ("Dense", TEXT, {"features": 3, "param_dtype": "float31"}, "param_dtype"),
    ("Dense", TEXT, {"features": 3, "kernel_init": None}, "kernel_init"),
    ("Dense", (512, None), {"features": 3}, ""),
    ("Dense", (), {"features": 3}, ""),
    ("Dense", None, {"features": 3}, "input_shape"),
    ("nnx.Linear", None, {"in_features": 3, "out_features": 2.5}, "out_features"),
    ("DenseGeneral", TEXT, {"features": []}, "features"),
    ("DenseGeneral", TEXT, {"features": 3, "axis": 3}, "axis"),
    ("DenseGeneral", TEXT, {"features": 3, "axis": [2, -1]}, "axis"),
    ("DenseGeneral", TEXT, {"features": 3, "axis": 0}, "axis"),
    ("DenseGeneral", TEXT, {"features": 3, "axis": "last"}, "axis"),
    ("DenseGeneral", TEXT, {"features": 3, "batch_dims": [0]}, "batch_dims"),
    ("nnx.LinearGeneral", None, {"in_features": [3, 4], "out_features": 2}, "axis"),
    ("nnx.LinearGeneral", None, {"in_features": 3, "out_features": 2, "axis": 0.5}, "axis"),
    ("nnx.LinearGeneral", None, {"in_features": 3, "out_features": 2, "batch_axis": {1: 2}}, "batch_axis"),
    ("nnx.LinearGeneral", None, {"in_features": 3, "out_features": 2, "batch_axis": {0: 0}}, "batch_axis"),
    *(
        ("Conv", IMAGE, {**CONV, **wrong}, next(iter(wrong)))
        for wrong in (
            *({"kernel_size": 2.5}, {"kernel_size": []}, {"kernel_size": [3, 3, 3]}, {"strides": [1, 2, 3]}),
            *({"strides": 0}, {"kernel_dilation": 0}, {"input_dilation": 2}, {"padding": "WRAP"}, {"padding": 1.5}),
            *({"padding": "circular"}, {"padding": [1]}, {"padding": [[1, 2, 3], 1]}, {"padding": "CAUSAL"}),
            *({"feature_group_count": 4}, {"feature_group_count": 0}, {"use_bias": "yes"}),
        )
    ),
    ("Conv", IMAGE, {**CONV, "features": 7, "feature_group_count": 3}, "feature_group_count"),
    ("nnx.Conv", None, {"in_features": 6, "out_features": 8, "kernel_size": 3, "padding": "WRAP"}, "padding"),
    ("nnx.Conv", None, {"in_features": 6, "out_features": 8, "kernel_size": 3, "strides": [1, 1]}, "strides"),
    ("ConvLocal", IMAGE, {**CONV, "feature_group_count": 2}, "feature_group_count"),
    ("ConvLocal", (None, 28, 6), CONV, ""),
    ("ConvTranspose", IMAGE, {**CONV, "padding": "REFLECT"}, "padding"),
    ("ConvTranspose", IMAGE, {**CONV, "transpose_kernel": 1}, "transpose_kernel"),
    ("ConvTranspose", (5,) * 5, {**CONV, "kernel_size": [3] * 4}, "kernel_size"),
    ("Embed", (11,), {"num_embeddings": 0, "features": 4}, "num_embeddings"),
    ("LayerNorm", IMAGE, {"feature_axes": 0}, "feature_axes"),
    ("LayerNorm", IMAGE, {"reduction_axes": 4}, "reduction_axes"),
    ("RMSNorm", IMAGE, {"use_scale": None}, "use_scale"),
    ("BatchNorm", IMAGE, {"axis": -5}, "axis"),
    ("BatchNorm", IMAGE, {"force_float32_reductions": 2}, "force_float32_reductions"),
    ("GroupNorm", IMAGE, {}, "num_groups"),
    ("GroupNorm", IMAGE, {"num_groups": None}, "num_groups"),
    ("GroupNorm", IMAGE, {"num_groups": 3, "group_size": 2}, "num_groups"),
    ("GroupNorm", IMAGE, {"num_groups": None, "group_size": 4}, "group_size"),
    ("GroupNorm", IMAGE, {"num_groups": 3, "reduction_axes": [1, 2]}, "reduction_axes"),
    ("nnx.GroupNorm", None, {"num_features": 6}, "num_groups"),
    ("LSTMCell", (3,), {"features": 0}, "features"),
    ("MGUCell", (3,), {"features": 4, "reset_gate": 1}, "reset_gate"),
    ("nnx.SimpleCell", None, {**CELL, "in_features": 0}, "in_features"),
    ("nnx.LSTMCell", None, {**CELL, "hidden_features": True}, "hidden_features"),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 7}, "num_heads"),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 8, "qkv_features": 20}, "num_heads"),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 8, "normalize_qk": 1}, "normalize_qk"),
    ("nnx.MultiHeadAttention", None, {"num_heads": 8, "in_features": 512, "num_kv_heads": 3}, "num_kv_heads"),
    ("PReLU", TEXT, {"negative_slope_init": float("inf")}, "negative_slope_init"),
    ("Dropout", TEXT, {"rate": "half"}, "rate"),
]


@pytest.mark.parametrize(("name", "inputs", "arguments", "parameter"), REFUSED)
def test_what_a_class_cannot_be_made_with_is_refused(
    name: str, inputs: Shape | None, arguments: dict[str, Any], parameter: str
) -> None:
    """The fault names the argument, or none if it is the input's shape."""
    with pytest.raises(ArgumentError) as caught:
        find_layer("jax", name).build(arguments, inputs)

    assert caught.value.parameter == parameter
