"""PyTorch's layers: the shapes that its documentation states, the laws of its source, and what each refuses."""

from typing import Any

import pytest

from initcli.calls import parse_call
from initcli.errors import ArgumentError
from initcli.initializers import find
from initcli.initializers.base import build
from initcli.layers import find_layer, known_layers

CONV = {"in_channels": 4, "out_channels": 4, "kernel_size": 3}
LSTM = {"input_size": 10, "hidden_size": 20}
BLOCK = {"d_model": 4, "nhead": 2}
LINEAR = {"class": "Linear", "in_features": 2, "out_features": 3}

# class, arguments, name: shape and initializer as the documentation of torch 2.13 has them under "Variables"
DOCUMENTED: list[tuple[str, dict[str, Any], dict[str, tuple[tuple[int, ...], str]]]] = [
    (
        "Linear",
        {"in_features": 20, "out_features": 30},
        {"weight": ((30, 20), "linear_default"), "bias": ((30,), "linear_default_bias(fan_in=20)")},
    ),
    (
        "Bilinear",
        {"in1_features": 20, "in2_features": 30, "out_features": 40},
        {"weight": ((40, 20, 30), "bilinear_default"), "bias": ((40,), "linear_default_bias(fan_in=20)")},
    ),
    (
        "Conv2d",
        {"in_channels": 16, "out_channels": 32, "kernel_size": [3, 5], "groups": 4},
        {"weight": ((32, 4, 3, 5), "linear_default"), "bias": ((32,), "linear_default_bias(fan_in=60)")},
    ),
    (
        "ConvTranspose1d",  # fan_in is that of the outputs: 32 / 4 × 3
        {"in_channels": 16, "out_channels": 32, "kernel_size": 3, "groups": 4},
        {"weight": ((16, 8, 3), "linear_default"), "bias": ((32,), "linear_default_bias(fan_in=24)")},
    ),
    (
        "Embedding",
        {"num_embeddings": 10, "embedding_dim": 3, "padding_idx": -1},
        {"weight": ((10, 3), "embedding_default(padding_idx=-1)")},
    ),
    (
        "LSTM",
        {**LSTM, "num_layers": 2, "bidirectional": True, "proj_size": 5, "bias": False},
        {
            name + direction: (shape, "rnn_default(hidden_size=20)")
            for layer, seen in ((0, 10), (1, 2 * 5))
            for direction in ("", "_reverse")
            for name, shape in (
                (f"weight_ih_l{layer}", (4 * 20, seen)),
                (f"weight_hh_l{layer}", (4 * 20, 5)),
                (f"weight_hr_l{layer}", (5, 20)),
            )
        },
    ),
    (
        "GRUCell",
        LSTM,
        {
            name: (shape, "rnn_default(hidden_size=20)")
            for name, shape in (
                ("weight_ih", (60, 10)),
                ("weight_hh", (60, 20)),
                ("bias_ih", (60,)),
                ("bias_hh", (60,)),
            )
        },
    ),
    ("PReLU", {"num_parameters": 3}, {"weight": ((3,), "constant(0.25)")}),
    ("LayerNorm", {"normalized_shape": [5, 10]}, {"weight": ((5, 10), "ones"), "bias": ((5, 10), "zeros")}),
    (
        "BatchNorm2d",
        {"num_features": 100},
        {
            "weight": ((100,), "ones"),
            "bias": ((100,), "zeros"),
            "running_mean": ((100,), "zeros"),
            "running_var": ((100,), "ones"),
            "num_batches_tracked": ((), "zeros"),
        },
    ),
    ("InstanceNorm2d", {"num_features": 100}, {}),
    (
        "MultiheadAttention",
        {"embed_dim": 8, "num_heads": 2, "kdim": 5, "add_bias_kv": True},
        {
            "q_proj_weight": ((8, 8), "xavier_uniform"),
            "k_proj_weight": ((8, 5), "xavier_uniform"),
            "v_proj_weight": ((8, 8), "xavier_uniform"),
            "in_proj_bias": ((24,), "zeros"),
            "bias_k": ((1, 1, 8), "xavier_normal"),
            "bias_v": ((1, 1, 8), "xavier_normal"),
            "out_proj.weight": ((8, 8), "linear_default"),
            "out_proj.bias": ((8,), "zeros"),
        },
    ),
    ("MaxPool2d", {"kernel_size": 2}, {}),
]

# class, arguments, the one that is at fault
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("Linear", {"in_features": -1, "out_features": 3}, "in_features"),
    ("Linear", {"in_features": 2, "out_features": 2.5}, "out_features"),
    ("Linear", {"in_features": 2, "out_features": 3, "bias": "no"}, "bias"),
    ("Bilinear", {"in1_features": 0, "in2_features": 2, "out_features": 3}, "in1_features"),
    ("Bilinear", {"in1_features": 2, "in2_features": -2, "out_features": 3}, "in2_features"),
    ("Embedding", {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 3}, "padding_idx"),
    ("Embedding", {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": -4}, "padding_idx"),
    ("EmbeddingBag", {"num_embeddings": 3, "embedding_dim": -2}, "embedding_dim"),
    ("EmbeddingBag", {"num_embeddings": 3, "embedding_dim": 2, "mode": "median"}, "mode"),
    *(
        (name, {**CONV, **wrong}, next(iter(wrong)))
        for name in ("Conv2d", "ConvTranspose2d")
        for wrong in (
            *({"groups": 0}, {"in_channels": 3, "groups": 2}, {"out_channels": 3, "groups": 2}),
            *({"in_channels": -4}, {"kernel_size": 0}, {"kernel_size": [3]}, {"padding_mode": "same"}),
        )
    ),
    ("Conv1d", {**CONV, "padding": "SAME"}, "padding"),
    ("Conv1d", {**CONV, "padding": "same", "stride": 2}, "padding"),
    ("Conv3d", {**CONV, "padding": "same", "stride": [1, 1, 2]}, "padding"),
    ("ConvTranspose2d", {**CONV, "padding_mode": "circular"}, "padding_mode"),
    *(
        (name, {**LSTM, **wrong}, next(iter(wrong)))
        for name in ("RNN", "LSTM", "GRU")
        for wrong in (
            *({"input_size": 0}, {"hidden_size": 0}, {"num_layers": 0}, {"bias": 1}, {"bidirectional": 2}),
            *({"batch_first": 1}, {"dropout": 1.5}, {"dropout": -1}, {"dropout": "half"}),
        )
    ),
    *(("LSTM", {**LSTM, "proj_size": size}, "proj_size") for size in (-1, 20, 21)),
    ("GRU", {**LSTM, "proj_size": 3}, "proj_size"),
    ("GRU", {**LSTM, "num_layers": 250_001}, "num_layers"),
    ("RNN", {**LSTM, "nonlinearity": "gelu"}, "nonlinearity"),
    ("RNNCell", {**LSTM, "nonlinearity": "gelu"}, "nonlinearity"),
    *((name, {**LSTM, "input_size": -1}, "input_size") for name in ("RNNCell", "LSTMCell", "GRUCell")),
    *((name, {**LSTM, "hidden_size": 0}, "hidden_size") for name in ("RNNCell", "LSTMCell", "GRUCell")),
    ("LayerNorm", {"normalized_shape": [3, -1]}, "normalized_shape"),
    ("LayerNorm", {"normalized_shape": "d"}, "normalized_shape"),
    ("RMSNorm", {"normalized_shape": 3, "elementwise_affine": 1}, "elementwise_affine"),
    ("GroupNorm", {"num_groups": 3, "num_channels": 4}, "num_channels"),
    ("GroupNorm", {"num_groups": 0, "num_channels": 4}, "num_groups"),
    ("BatchNorm1d", {"num_features": -1}, "num_features"),
    ("BatchNorm1d", {"num_features": 3, "affine": None}, "affine"),
    ("BatchNorm1d", {"num_features": 3, "track_running_stats": 0}, "track_running_stats"),
    ("InstanceNorm1d", {"num_features": 3, "bias": 0}, "bias"),
    ("PReLU", {"num_parameters": -1}, "num_parameters"),
    ("PReLU", {"init": "a quarter"}, "init"),
    ("Dropout", {"p": 1.5}, "p"),
    ("MultiheadAttention", {"embed_dim": 5, "num_heads": 2}, "embed_dim"),
    ("MultiheadAttention", {"embed_dim": 0, "num_heads": 2}, "embed_dim"),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 0}, "num_heads"),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "kdim": -1}, "kdim"),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "vdim": 1.5}, "vdim"),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "bias": 1}, "bias"),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "add_bias_kv": 1}, "add_bias_kv"),
    *(
        (name, {**BLOCK, **wrong}, next(iter(wrong)))
        for name in ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")
        for wrong in (
            *({"d_model": 5}, {"d_model": 0}, {"nhead": 0}, {"dim_feedforward": -1}, {"bias": 1}),
            *({"dropout": 2}, {"activation": "silu"}),
        )
    ),
    ("Transformer", {**BLOCK, "num_encoder_layers": -1}, "num_encoder_layers"),
    ("Transformer", {**BLOCK, "num_decoder_layers": 1.5}, "num_decoder_layers"),
    ("Transformer", {**BLOCK, "num_encoder_layers": 10**9}, "num_encoder_layers"),
    ("Transformer", {**BLOCK, "custom_encoder": "mine"}, "custom_encoder"),
    ("TransformerEncoder", {"encoder_layer": {"d_model": 4}, "num_layers": 2}, "encoder_layer"),
    ("TransformerEncoder", {"encoder_layer": {**LINEAR, "class": "Liner"}, "num_layers": 2}, "encoder_layer"),
    ("TransformerEncoder", {"encoder_layer": LINEAR, "num_layers": -2}, "num_layers"),
    ("TransformerEncoder", {"encoder_layer": LINEAR, "num_layers": 500_001}, "num_layers"),
    ("TransformerEncoder", {"encoder_layer": {"class": "ReLU"}, "num_layers": 10**12}, "num_layers"),
    ("TransformerDecoder", {"decoder_layer": {**LINEAR, "in_features": -1}, "num_layers": 2}, "decoder_layer"),
    ("TransformerDecoder", {"decoder_layer": LINEAR, "num_layers": 2, "norm": {"class": 3}}, "norm"),
    *(
        ("AdaptiveLogSoftmaxWithLoss", {"in_features": 8, "n_classes": 20, **wrong}, next(iter(wrong)))
        for wrong in (
            *({"cutoffs": []}, {"cutoffs": 5}, {"cutoffs": [5, 5]}, {"cutoffs": [0, 5]}, {"cutoffs": [20]}),
            *({"div_value": 1e-200, "cutoffs": [5, 9]}, {"div_value": 1e200, "cutoffs": [5, 9]}),
            *({"div_value": 0, "cutoffs": [5]}, {"head_bias": 1, "cutoffs": [5]}, {"n_classes": "c", "cutoffs": [5]}),
        )
    ),
    ("LinearCrossEntropyLoss", {"in_features": 8, "num_classes": 9, "label_smoothing": 2}, "label_smoothing"),
    ("LinearCrossEntropyLoss", {"in_features": 8, "num_classes": 9, "out_features": 3}, "out_features"),
    ("LinearCrossEntropyLoss", {"in_features": 8, "num_classes": -9}, "num_classes"),
    ("ReLU", {"p": 0.5}, "p"),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), DOCUMENTED, ids=[case[0] for case in DOCUMENTED])
def test_a_layer_has_the_documented_weights(
    name: str, arguments: dict[str, Any], expected: dict[str, tuple[tuple[int, ...], str]]
) -> None:
    """Names, shapes and initializers; their order is compared with PyTorch's own by the client tests."""
    weights = find_layer("torch", name).build(arguments).weights

    assert {weight.name: (weight.shape, weight.init) for weight in weights} == expected


@pytest.mark.parametrize(("name", "arguments", "expected"), DOCUMENTED, ids=[case[0] for case in DOCUMENTED])
def test_every_default_is_an_initializer_that_takes_the_shape(
    name: str, arguments: dict[str, Any], expected: dict[str, tuple[tuple[int, ...], str]]
) -> None:
    """The text is one that a spec could have, and PyTorch's."""
    for weight in find_layer("torch", name).build(arguments).weights:
        called, positional, named = parse_call(weight.init)
        initializer = build(find(called, "torch"), named, positional, "torch")

        assert initializer.framework == "torch"
        initializer.law(weight.shape)


@pytest.mark.parametrize(("name", "arguments", "parameter"), REFUSED)
def test_what_a_class_cannot_be_made_with_is_refused(name: str, arguments: dict[str, Any], parameter: str) -> None:
    """The fault names the argument."""
    with pytest.raises(ArgumentError) as caught:
        find_layer("torch", name).build(arguments)

    assert caught.value.parameter == parameter


def test_only_the_count_of_batches_is_no_float() -> None:
    """It is an int64, as PyTorch's buffer is; all others have the spec's dtype."""
    weights = find_layer("torch", "BatchNorm1d").build({"num_features": 3}).weights

    assert {weight.name: weight.dtype for weight in weights if weight.dtype} == {"num_batches_tracked": "int64"}


def test_the_parts_of_a_transformer_are_named_by_their_path() -> None:
    """Two attentions in a decoder's block, and a norm at the end of each stack."""
    arguments = {**BLOCK, "num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 8}

    names = [weight.name for weight in find_layer("torch", "Transformer").build(arguments).weights]

    assert names[:2] == ["encoder.layers.0.self_attn.in_proj_weight", "encoder.layers.0.self_attn.in_proj_bias"]
    assert "encoder.norm.weight" in names
    assert "decoder.layers.1.multihead_attn.out_proj.bias" in names
    assert names[-1] == "decoder.norm.bias"


def test_a_whole_transformer_draws_every_matrix_by_xavier() -> None:
    """And leaves the biases to their layers; a block alone keeps the layers' own defaults."""
    block = find_layer("torch", "TransformerEncoderLayer").build({**BLOCK, "dim_feedforward": 8}).weights
    whole = find_layer("torch", "Transformer").build({**BLOCK, "dim_feedforward": 8}).weights

    assert {weight.init for weight in whole if len(weight.shape) == 2} == {"xavier_uniform"}
    inits = {weight.name: weight.init for weight in whole}
    assert inits["encoder.layers.0.linear1.bias"] == "linear_default_bias(fan_in=4)"
    assert {weight.name: weight.init for weight in block}["self_attn.out_proj.weight"] == "linear_default"


def test_a_stack_is_made_of_the_layer_that_it_is_given() -> None:
    """Any class of PyTorch's, by a mapping as in a spec; the norm is one too."""
    stack = {"encoder_layer": LINEAR, "num_layers": 2, "norm": {"class": "RMSNorm", "normalized_shape": 3}}

    names = [weight.name for weight in find_layer("torch", "TransformerEncoder").build(stack).weights]

    assert names == [*(f"layers.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")), "norm.weight"]


@pytest.mark.parametrize("name", ["ReLU", "Softmax", "Flatten", "AdaptiveAvgPool3d", "ZeroPad1d", "Identity"])
def test_a_class_without_weights_knows_its_own_arguments(name: str) -> None:
    """Those that it needs must be there, and no others."""
    layer = find_layer("torch", name)
    needed = {key: 1 for key, each in layer.parameters.items() if each.default is each.empty}

    assert not layer.build(needed).weights
    with pytest.raises(ArgumentError, match="has no argument `units`"):
        layer.build({**needed, "units": 3})
    for key in needed:
        with pytest.raises(ArgumentError, match=f"needs `{key}`"):
            layer.build({other: value for other, value in needed.items() if other != key})


def test_no_layer_is_there_whose_sizes_wait_for_data() -> None:
    """PyTorch's lazy classes have no weights until a batch has come, and a spec has none."""
    assert not [name for name in known_layers("torch") if name.startswith("Lazy")]
