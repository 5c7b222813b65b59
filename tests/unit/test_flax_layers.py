"""flax's layers: shapes by hand, and the laws of its source."""

from typing import Any

import pytest

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.fans import axes_fans
from initcli.initializers import find
from initcli.initializers.base import build, decide_law
from initcli.layers import Shape, Weight, find_layer, known_layers

IMAGE = (28, 28, 6)
TEXT = (10, 512)
CONV = {"features": 12, "kernel_size": [3, 3]}
CELL = {"in_features": 3, "hidden_features": 4}

# class, the input's shape, arguments, and name: shape and initializer of each weight, worked out by hand
BY_HAND: list[tuple[str, Shape | None, dict[str, Any], dict[str, tuple[tuple[int, ...], str]]]] = [
    ("Dense", (784,), {"features": 10}, {"kernel": ((784, 10), "lecun_normal"), "bias": ((10,), "zeros")}),
    (
        "nnx.Linear",
        None,
        {"in_features": 784, "out_features": 10},
        {"bias": ((10,), "zeros"), "kernel": ((784, 10), "lecun_normal")},
    ),
    (
        "DenseGeneral",
        (3, 6, 7),
        {"features": [4, 5], "axis": [1, -1]},
        {"kernel": ((3, 7, 4, 5), "lecun_normal"), "bias": ((4, 5), "zeros")},
    ),
    (
        "nnx.LinearGeneral",
        None,
        {"in_features": 3, "out_features": [4, 5], "batch_axis": {"0": 8}},  # as a spec has it: keys are text
        {"bias": ((8, 4, 5), "zeros"), "kernel": ((8, 3, 4, 5), "lecun_normal")},
    ),
    (
        "Conv",
        IMAGE,
        {**CONV, "feature_group_count": 2},
        {"kernel": ((3, 3, 3, 12), "lecun_normal"), "bias": ((12,), "zeros")},
    ),
    (
        "ConvLocal",
        (8, 3),
        {"features": 4, "kernel_size": 3, "padding": "VALID"},
        {"kernel": ((6, 9, 4), "lecun_normal"), "bias": ((6, 4), "zeros")},
    ),
    ("ConvTranspose", IMAGE, {**CONV, "use_bias": False}, {"kernel": ((3, 3, 6, 12), "lecun_normal")}),
    (
        "nnx.ConvTranspose",
        None,
        {"in_features": 3, "out_features": 4, "kernel_size": 6, "transpose_kernel": True},
        {"bias": ((4,), "zeros"), "kernel": ((6, 4, 3), "lecun_normal")},
    ),
    (
        "Embed",
        (11,),
        {"num_embeddings": 100, "features": 64},
        {"embedding": ((100, 64), "variance_scaling(1.0, fan_in, normal, out_axis=0)")},
    ),
    ("LayerNorm", TEXT, {}, {"scale": ((512,), "ones"), "bias": ((512,), "zeros")}),
    ("RMSNorm", TEXT, {}, {"scale": ((512,), "ones")}),
    ("GroupNorm", IMAGE, {"num_groups": 3}, {"scale": ((6,), "ones"), "bias": ((6,), "zeros")}),
    (
        "BatchNorm",
        IMAGE,
        {},
        {"mean": ((6,), "zeros"), "var": ((6,), "ones"), "scale": ((6,), "ones"), "bias": ((6,), "zeros")},
    ),
    (
        "SimpleCell",
        (3,),
        {"features": 4},
        {"i/kernel": ((3, 4), "lecun_normal"), "i/bias": ((4,), "zeros"), "h/kernel": ((4, 4), "orthogonal")},
    ),
    (
        "nnx.GRUCell",
        None,
        CELL,
        {
            "dense_h/kernel": ((4, 12), "orthogonal"),
            "dense_i/bias": ((12,), "zeros"),
            "dense_i/kernel": ((3, 12), "lecun_normal"),
        },
    ),
    (
        "MGUCell",
        (3,),
        {"features": 4, "reset_gate": False},
        {
            "if/kernel": ((3, 4), "lecun_normal"),
            "if/bias": ((4,), "ones"),
            "hf/kernel": ((4, 4), "orthogonal"),
            "hn/kernel": ((4, 4), "orthogonal"),
            "in/kernel": ((3, 4), "lecun_normal"),
            "in/bias": ((4,), "zeros"),
        },
    ),
    ("PReLU", TEXT, {}, {"negative_slope": ((), "constant(0.01)")}),
    ("Dropout", TEXT, {"rate": 0.5}, {}),
]

# class, the input's shape, arguments and the output's shape, worked out by hand
OUTPUTS: list[tuple[str, Shape, dict[str, Any], Shape]] = [
    ("Dense", (None, 512), {"features": 3}, (None, 3)),
    ("DenseGeneral", (3, 6, 7), {"features": 4, "axis": (1, -1)}, (6, 4)),
    ("Conv", IMAGE, CONV, (28, 28, 12)),
    ("Conv", (None, 28, 6), {**CONV, "strides": 2, "padding": "VALID"}, (None, 13, 12)),
    ("Conv", (5, *IMAGE), {**CONV, "strides": [2, 3]}, (5, 14, 10, 12)),
    ("Conv", (8, 3), {"features": 4, "kernel_size": 3, "padding": [[1, 0]], "kernel_dilation": 2}, (5, 4)),
    ("Conv", (8, 3), {"features": 4, "kernel_size": 3, "padding": 0, "input_dilation": 2}, (13, 4)),
    ("ConvTranspose", (8, 3), {"features": 4, "kernel_size": 3, "padding": "VALID"}, (10, 4)),
    ("ConvTranspose", (8, None, 3), {**CONV, "strides": [2, 3]}, (16, None, 12)),
    ("Embed", (None,), {"num_embeddings": 3, "features": 7}, (None, 7)),
    ("BatchNorm", IMAGE, {}, IMAGE),
    ("LSTMCell", (9, 3), {"features": 4}, (9, 4)),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 8, "out_features": 20}, (10, 20)),
    ("Dropout", IMAGE, {"rate": 0.1}, IMAGE),
]


def weights_of(name: str, inputs: Shape | None, arguments: dict[str, Any]) -> list[Weight]:
    return find_layer("jax", name).build(arguments, inputs).weights


def std_of(weight: Weight) -> float:
    """The std that the text of a weight's initializer promises, its fans read by its axes."""
    called, positional, named = parse_call(weight.init)
    fans = axes_fans(weight.shape, weight.axes) if weight.axes else None
    initializer = build(find(called, "jax"), named, positional, "jax")
    assert initializer.framework == "jax"
    return decide_law(initializer, weight.shape, parse_dtype("float32"), fans).std


@pytest.mark.parametrize(("name", "inputs", "arguments", "expected"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_a_layer_has_the_weights_that_are_worked_out_by_hand(
    name: str, inputs: Shape | None, arguments: dict[str, Any], expected: dict[str, tuple[tuple[int, ...], str]]
) -> None:
    """Names in order, shapes and initializers, each of which JAX's registry has and takes the shape."""
    weights = weights_of(name, inputs, arguments)

    assert [(each.name, (each.shape, each.init)) for each in weights] == list(expected.items())
    assert all(std_of(each) >= 0 for each in weights)


@pytest.mark.parametrize(("name", "inputs", "arguments", "expected"), OUTPUTS)
def test_the_output_has_the_shape_that_is_worked_out_by_hand(
    name: str, inputs: Shape, arguments: dict[str, Any], expected: Shape
) -> None:
    """A length that is not known stays so, where no weight rests on it."""
    assert find_layer("jax", name).build(arguments, inputs).outputs == expected


def test_attention_draws_each_projection_as_one_matrix() -> None:
    """The query's kernel (512, 8, 64) has a fan_in of 512, that of (8, 64, 512) too; keys can be of another width."""
    arguments = {"num_heads": 8, "in_features": 512, "in_kv_features": 100, "num_kv_heads": 2}
    weights = {each.name: each for each in weights_of("nnx.MultiHeadAttention", None, arguments)}

    assert weights["query/kernel"].shape == (512, 8, 64)
    assert weights["value/kernel"].shape == (100, 2, 64)
    stds = {name: std_of(weights[f"{name}/kernel"]) for name in ("query", "key", "value", "out")}
    assert stds == pytest.approx({"query": 512**-0.5, "key": 0.1, "value": 0.1, "out": 512**-0.5}, rel=1e-15)


def test_the_rows_of_an_embedding_scale_with_their_length() -> None:
    """N(0, 1 / features), because the axes of outputs and inputs overlap."""
    (weight,) = weights_of("nnx.Embed", None, {"num_embeddings": 1000, "features": 64})

    assert std_of(weight) == 0.125


def test_a_transposed_kernel_reads_its_fan_in_from_the_outputs() -> None:
    """As flax, which leaves the axes to the initializer: √(1 / (3 · 12)) instead of √(1 / (3 · 8))."""
    arguments = {"features": 12, "kernel_size": 3}

    kernels = [
        weights_of("ConvTranspose", (9, 8), {**arguments, "transpose_kernel": each})[0] for each in (True, False)
    ]

    assert [std_of(each) for each in kernels] == pytest.approx([36**-0.5, 24**-0.5], rel=1e-15)


def test_linen_keeps_running_statistics_in_a_collection_of_their_own() -> None:
    """All else is in `params`; nnx has no collections."""
    linen, nnx = weights_of("BatchNorm", IMAGE, {}), weights_of("nnx.BatchNorm", None, {"num_features": 6})

    assert [each.collection for each in linen] == ["batch_stats", "batch_stats", "params", "params"]
    assert {each.collection for each in nnx} == {""}
    assert [each.name for each in nnx] == ["bias", "mean", "scale", "var"]


@pytest.mark.parametrize(("forced", "statistics"), [(True, "float32"), (False, "bfloat16")])
def test_running_statistics_are_float32_unless_told_otherwise(forced: bool, statistics: str) -> None:
    """Whatever the dtype of the parameters, which is the layer's own if it is not given."""
    arguments = {"param_dtype": "bfloat16", "force_float32_reductions": forced}

    assert [each.dtype for each in weights_of("BatchNorm", IMAGE, arguments)] == [statistics] * 2 + ["bfloat16"] * 2
    assert [each.dtype for each in weights_of("BatchNorm", IMAGE, {})] == ["float32"] * 2 + [""] * 2


@pytest.mark.parametrize(
    "name", [name for name, each in known_layers("jax").items() if "kernel_init" in each.parameters]
)
def test_an_initializer_that_is_given_takes_the_place_of_the_default(name: str) -> None:
    """Whatever object it is, it is passed on: for kernels, and for nothing else."""
    mine, layer = object(), find_layer("jax", name)
    sizes = {"kernel_size": 3, "num_heads": 2}
    needed = {key: sizes.get(key, 4) for key, each in layer.parameters.items() if each.default is each.empty}

    weights = layer.build({**needed, "kernel_init": mine}, (4, 4)).weights

    given = {each.name for each in weights if each.init is mine}
    recurrent = {each.name for each in weights if each.name.startswith(("h", "dense_h"))}
    assert given == {each.name for each in weights if each.name.endswith("kernel")} - recurrent


def test_the_last_projection_of_attention_can_have_initializers_of_its_own() -> None:
    """`out_kernel_init` and `out_bias_init`; without them it has those of the others."""
    arguments = {"num_heads": 8, "kernel_init": "a", "bias_init": "b", "out_bias_init": "c"}

    inits = {each.name: each.init for each in weights_of("MultiHeadAttention", TEXT, arguments)}

    assert (inits["query/kernel"], inits["query/bias"]) == ("a", "b")
    assert (inits["out/kernel"], inits["out/bias"]) == ("a", "c")


def test_linens_lstm_has_an_orthogonal_kernel_for_each_gate_and_nnxs_optimized_one_for_all() -> None:
    """The names and the law of what is drawn differ, the arguments do not."""
    linen = {each.name: each.shape for each in weights_of("OptimizedLSTMCell", (3,), {"features": 4})}
    nnx = {each.name: each.shape for each in weights_of("nnx.OptimizedLSTMCell", None, CELL)}

    assert linen == {f"i{gate}/kernel": (3, 4) for gate in "ifgo"} | {f"h{gate}/kernel": (4, 4) for gate in "ifgo"} | {
        f"h{gate}/bias": (4,) for gate in "ifgo"
    }
    assert nnx == {"dense_i/kernel": (3, 16), "dense_h/kernel": (4, 16), "dense_h/bias": (16,)}
