"""Keras's layers: the shapes and laws that its documentation states, chains by hand, and what each refuses."""

from typing import Any

import pytest

from initcli.errors import ArgumentError
from initcli.fans import axes_fans
from initcli.layers import STYLES, Shape, find_layer, known_layers
from initcli.layers.keras_inner import name_inside

DENSE = {"class": "Dense", "units": 3}
LSTM = {"class": "LSTM", "units": 3}
CONV = {"filters": 4, "kernel_size": 3}

# class, arguments, the shape of an example, name: shape and initializer, the shape of the output
# as the documentation and the source of Keras 3.15.1 have them
DOCUMENTED: list[tuple[str, dict[str, Any], Shape, dict[str, tuple[tuple[int, ...], str]], Shape | None]] = [
    (
        "Dense",
        {"units": 64, "kernel_initializer": "random_uniform"},
        (784,),
        {"kernel": ((784, 64), "random_uniform"), "bias": ((64,), "zeros")},
        (64,),
    ),
    ("Dense", {"units": 64, "use_bias": False}, (None, 16), {"kernel": ((16, 64), "glorot_uniform")}, (None, 64)),
    (
        "Dense",
        {"units": 64, "lora_rank": 2, "use_bias": False},
        (16,),
        {
            "kernel": ((16, 64), "glorot_uniform"),
            "lora_kernel_a": ((16, 2), "he_uniform"),
            "lora_kernel_b": ((2, 64), "zeros"),
        },
        (64,),
    ),
    ("Embedding", {"input_dim": 1000, "output_dim": 64}, (10,), {"embeddings": ((1000, 64), "uniform")}, (10, 64)),
    (
        "Conv2D",
        {"filters": 8, "kernel_size": [3, 5], "groups": 2, "strides": 2},
        (28, 28, 6),
        {"kernel": ((3, 5, 3, 8), "glorot_uniform"), "bias": ((8,), "zeros")},
        (13, 12, 8),  # (28 − 3) // 2 + 1, (28 − 5) // 2 + 1
    ),
    (
        "Conv1D",
        {"filters": 8, "kernel_size": 3, "padding": "causal", "data_format": "channels_first", "use_bias": False},
        (6, 29),
        {"kernel": ((3, 6, 8), "glorot_uniform")},
        (8, 29),
    ),
    (
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2},
        (9, 10, 6),
        {"kernel": ((3, 3, 6, 2), "glorot_uniform"), "bias": ((12,), "zeros")},
        (5, 6, 12),  # a window of 2 (3 − 1) + 1 = 5
    ),
    (
        "SeparableConv1D",
        {"filters": 8, "kernel_size": 3, "depth_multiplier": 2, "padding": "same", "strides": 3},
        (10, 6),
        {
            "depthwise_kernel": ((3, 6, 2), "glorot_uniform"),
            "pointwise_kernel": ((1, 12, 8), "glorot_uniform"),
            "bias": ((8,), "zeros"),
        },
        (4, 8),
    ),
    (
        "Conv2DTranspose",
        {"filters": 8, "kernel_size": 3, "strides": 2, "output_padding": 1},
        (5, None, 6),
        {"kernel": ((3, 3, 8, 6), "glorot_uniform"), "bias": ((8,), "zeros")},
        (12, None, 8),  # (5 − 1) 2 + 3 + 1
    ),
    (
        "LSTM",
        {"units": 5, "return_sequences": True},
        (None, 7),
        {
            "lstm_cell/kernel": ((7, 20), "glorot_uniform"),
            "lstm_cell/recurrent_kernel": ((5, 20), "orthogonal"),
            "lstm_cell/bias": ((20,), "mxnet.lstm_bias(forget_bias=1.0)"),
        },
        (None, 5),
    ),
    (
        "GRU",
        {"units": 5, "reset_after": True},
        (3, 7),
        {
            "gru_cell/kernel": ((7, 15), "glorot_uniform"),
            "gru_cell/recurrent_kernel": ((5, 15), "orthogonal"),
            "gru_cell/bias": ((2, 15), "zeros"),
        },
        (5,),
    ),
    (
        "ConvLSTM2D",
        {"filters": 4, "kernel_size": 3, "unit_forget_bias": False},
        (5, 9, 8, 2),
        {
            "conv_lstm_cell/kernel": ((3, 3, 2, 16), "glorot_uniform"),
            "conv_lstm_cell/recurrent_kernel": ((3, 3, 4, 16), "orthogonal"),
            "conv_lstm_cell/bias": ((16,), "zeros"),
        },
        (7, 6, 4),
    ),
    (
        "Bidirectional",
        {"layer": {"class": "SimpleRNN", "units": 5, "use_bias": False, "name": "steps"}},
        (3, 7),
        {
            f"{direction}_steps/simple_rnn_cell/{name}": (shape, law)
            for direction in ("forward", "backward")
            for name, shape, law in (
                ("kernel", (7, 5), "glorot_uniform"),
                ("recurrent_kernel", (5, 5), "orthogonal"),
            )
        },
        (10,),
    ),
    (
        "TimeDistributed",
        {"layer": {**DENSE, "kernel_initializer": "he_normal"}},
        (9, 4),
        {"dense/kernel": ((4, 3), "he_normal"), "dense/bias": ((3,), "zeros")},
        (9, 3),
    ),
    (
        "SpectralNormalization",
        {"layer": DENSE},
        (4,),
        {
            "dense/kernel": ((4, 3), "glorot_uniform"),
            "vector_u": ((1, 3), "truncated_normal(stddev=0.02)"),
            "dense/bias": ((3,), "zeros"),
        },
        (3,),
    ),
    (
        "BatchNormalization",
        {"axis": 1},
        (3, 8, 8),
        {
            "gamma": ((3,), "ones"),
            "beta": ((3,), "zeros"),
            "moving_mean": ((3,), "zeros"),
            "moving_variance": ((3,), "ones"),
        },
        (3, 8, 8),
    ),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, (3, 8), {"gamma": ((3, 8), "ones")}, (3, 8)),
    ("RMSNormalization", {}, (3, 8), {"scale": ((8,), "ones")}, (3, 8)),
    (
        "Normalization",
        {},
        (3, 8),
        {"mean": ((8,), "zeros"), "variance": ((8,), "ones"), "count": ((), "zeros")},
        (3, 8),
    ),
    ("PReLU", {"shared_axes": [1, 2]}, (5, 6, 7), {"alpha": ((1, 1, 7), "Zeros")}, (5, 6, 7)),
    (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "bias_axes": "de"},
        (10, 512),
        {"kernel": ((512, 8, 64), "glorot_uniform"), "bias": ((8, 64), "zeros")},
        (None, 8, 64),
    ),
    (
        "GroupQueryAttention",
        {"head_dim": 4, "num_query_heads": 6, "num_key_value_heads": 2, "use_bias": False},
        (9, 24),
        {
            "query/kernel": ((24, 6, 4), "glorot_uniform"),
            "key/kernel": ((24, 2, 4), "glorot_uniform"),
            "value/kernel": ((24, 2, 4), "glorot_uniform"),
            "attention_output/kernel": ((6, 4, 24), "glorot_uniform"),
        },
        (9, 24),
    ),
    ("Attention", {"use_scale": True}, (9, 24), {"scale": ((), "ones")}, (9, 24)),
    ("AdditiveAttention", {}, (9, 24), {"scale": ((24,), "glorot_uniform")}, (9, 24)),
    ("MaxPooling2D", {"pool_size": 3, "padding": "same"}, (10, None, 4), {}, (4, None, 4)),
    ("AveragePooling1D", {"pool_size": 3, "strides": 2}, (10, 4), {}, (4, 4)),
    ("GlobalMaxPooling2D", {"keepdims": True, "data_format": "channels_first"}, (4, 9, 9), {}, (4, 1, 1)),
    ("Flatten", {}, (3, 4, 5), {}, (60,)),
    ("Reshape", {"target_shape": [-1, 6]}, (3, 4), {}, (2, 6)),
    ("Permute", {"dims": [2, 1]}, (3, None), {}, (None, 3)),
    ("ZeroPadding2D", {"padding": [[1, 2], [3, 4]]}, (5, 5, 1), {}, (8, 12, 1)),
    ("Cropping2D", {"cropping": 2}, (5, 9, 1), {}, (1, 5, 1)),
    ("UpSampling1D", {}, (5, 9), {}, (10, 9)),
    ("Dropout", {"rate": 0.5}, (5, 9), {}, (5, 9)),
]

# class, arguments, the shape of an example, the argument that is at fault
REFUSED: list[tuple[str, dict[str, Any], Shape, str]] = [
    ("Dense", {"units": 0}, (3,), "units"),
    ("Dense", {"units": 3, "activation": "relo"}, (3,), "activation"),
    ("Dense", {"units": 3, "use_bias": "no"}, (3,), "use_bias"),
    ("Dense", {"units": 3, "quantization_config": {}}, (3,), "quantization_config"),
    ("Dense", {"units": 3}, (None,), "input_shape"),
    ("Dense", {"units": 3}, (), "input_shape"),
    ("Dense", {"unit": 3}, (3,), "unit"),
    ("InputLayer", {}, (), "shape"),
    ("Embedding", {"input_dim": 3, "output_dim": 2, "weights": [[1.0]]}, (3,), "weights"),
    ("EinsumDense", {"equation": "ab->ab", "output_shape": 3}, (3,), "equation"),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "b"}, (3,), "bias_axes"),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [6, 3]}, (7, 3), "output_shape"),
    ("Conv2D", {**CONV, "groups": 3}, (9, 9, 3), "filters"),
    ("Conv2D", {**CONV, "groups": 2}, (9, 9, 3), "groups"),
    ("Conv2D", {**CONV, "kernel_size": [3, 3, 3]}, (9, 9, 3), "kernel_size"),
    ("Conv2D", {**CONV, "padding": "causal"}, (9, 9, 3), "padding"),
    ("Conv2D", {**CONV, "strides": 2, "dilation_rate": 2}, (9, 9, 3), "dilation_rate"),
    ("Conv2D", {**CONV, "data_format": "first"}, (9, 9, 3), "data_format"),
    ("Conv2D", CONV, (2, 9, 3), "input_shape"),
    ("Conv2D", CONV, (9, 3), "input_shape"),
    ("Conv2DTranspose", {**CONV, "output_padding": 1}, (9, 9, 3), "output_padding"),
    ("MaxPooling2D", {"pool_size": 5}, (4, 9, 3), "input_shape"),
    ("Reshape", {"target_shape": [5, -1]}, (3, 4), "target_shape"),
    ("Permute", {"dims": [1]}, (3, 4), "dims"),
    ("Permute", {"dims": [1, "2"]}, (3, 4), "dims"),
    ("Cropping1D", {"cropping": 5}, (9, 4), "cropping"),
    ("Dropout", {"rate": 1.5}, (3,), "rate"),
    ("GaussianNoise", {"stddev": 2}, (3,), "stddev"),
    ("PReLU", {"shared_axes": 0}, (3,), "shared_axes"),
    ("LSTM", {"units": 3, "bias_initializer": "ones"}, (9, 4), "bias_initializer"),
    ("ConvLSTM2D", {**CONV, "bias_initializer": {"class_name": "Ones"}}, (9, 9, 9, 4), "bias_initializer"),
    ("RNN", {"cell": DENSE}, (9, 4), "cell"),
    ("RNN", {"cell": []}, (9, 4), "cell"),
    ("Bidirectional", {"layer": DENSE}, (9, 4), "layer"),
    ("Bidirectional", {"layer": "LSTM"}, (9, 4), "layer"),
    ("Bidirectional", {"layer": {**LSTM, "units": 0}}, (9, 4), "layer"),
    ("Bidirectional", {"layer": {**LSTM, "dtype": "float31"}}, (9, 4), "layer"),
    ("Bidirectional", {"layer": {**LSTM, "kernel_initializer": 0.5}}, (9, 4), "layer"),
    ("Bidirectional", {"layer": LSTM, "backward_layer": LSTM}, (9, 4), "backward_layer"),
    ("Bidirectional", {"layer": LSTM, "weights": [1]}, (9, 4), "weights"),
    ("TimeDistributed", {"layer": {"class": "Dence"}}, (9, 4), "layer"),
    ("SpectralNormalization", {"layer": LSTM}, (9, 4), "layer"),
    ("BatchNormalization", {"axis": 2}, (4,), "axis"),
    (
        "BatchNormalization",
        {"renorm": True, "moving_variance_initializer": "random_uniform"},
        (4,),
        "moving_variance_initializer",
    ),
    ("GroupNormalization", {"groups": 3}, (4,), "groups"),
    ("Normalization", {"mean": 1.0}, (4,), "variance"),
    ("Normalization", {"mean": [1.0, 2.0], "variance": [1.0]}, (2,), "variance"),
    ("Normalization", {"mean": [1.0, 2.0], "variance": [1.0, 1.0]}, (3,), "mean"),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 0}, (9, 4), "key_dim"),
    ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2}, (9, 4), "num_query_heads"),
    ("Attention", {"score_mode": "sum"}, (9, 4), "score_mode"),
]


@pytest.mark.parametrize(("name", "arguments", "inputs", "weights", "outputs"), DOCUMENTED)
def test_a_layer_has_the_weights_and_outputs_of_its_documentation(
    name: str, arguments: dict[str, Any], inputs: Shape, weights: dict[str, Any], outputs: Shape | None
) -> None:
    """By name, in order, with shape and initializer; the output without the batch."""
    built = find_layer("keras", name).build(arguments, inputs)

    assert [(each.name, (each.shape, each.init)) for each in built.weights] == list(weights.items())
    assert built.outputs == outputs


@pytest.mark.parametrize(("name", "arguments", "inputs", "parameter"), REFUSED)
def test_a_wrong_argument_is_refused_by_its_name(
    name: str, arguments: dict[str, Any], inputs: Shape, parameter: str
) -> None:
    """What Keras refuses, and what no spec can say, is told of the argument that is at fault."""
    with pytest.raises(ArgumentError) as caught:
        find_layer("keras", name).build(arguments, inputs)

    assert caught.value.parameter == parameter


def test_a_chain_needs_the_first_input_alone() -> None:
    """LeNet-5's 61,706 parameters (LeCun et al. 1998, with plain pooling) follow from an image of 28 × 28."""
    chain: list[tuple[str, dict[str, Any]]] = [
        ("InputLayer", {"shape": [28, 28, 1]}),
        ("Conv2D", {"filters": 6, "kernel_size": 5, "padding": "same"}),
        ("AveragePooling2D", {"pool_size": 2}),
        ("Conv2D", {"filters": 16, "kernel_size": 5}),
        ("AveragePooling2D", {"pool_size": 2}),
        ("Flatten", {}),
        *(("Dense", {"units": units}) for units in (120, 84, 10)),
    ]

    shape: Shape | None = None
    count = 0
    for name, arguments in chain:
        built = find_layer("keras", name).build(arguments, shape)
        shape = built.outputs
        for weight in built.weights:
            size = 1
            for length in weight.shape:
                size *= length
            count += size

    assert shape == (10,)
    assert count == 61_706


def test_the_projections_of_attention_have_the_fans_of_their_inputs_and_outputs() -> None:
    """512 inputs to 8 heads of 64, and back: both have fans of 512 and 512 since Keras 3.15."""
    layer = find_layer("keras", "MultiHeadAttention")

    weights = layer.build({"num_heads": 8, "key_dim": 64, "use_bias": False}, (9, 512)).weights

    for weight in weights:
        fans = axes_fans(weight.shape, weight.axes)
        assert (weight.name, fans.fan_in, fans.fan_out) == (weight.name, 512, 512)


def test_an_initializer_is_passed_on_as_it_came() -> None:
    """Whatever object stands for it."""
    given = object()

    weights = find_layer("keras", "Dense").build({"units": 3, "kernel_initializer": given}, (4,)).weights

    assert weights[0].init is given


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("he_normal", "he_normal"),
        ({"name": "he_normal"}, "he_normal"),
        ({"name": "variance_scaling", "scale": 2.0, "mode": "fan_out"}, "variance_scaling(scale=2.0, mode='fan_out')"),
    ],
)
def test_an_initializer_inside_a_layer_inside_becomes_text(written: Any, text: str) -> None:
    """There a spec reads plain values alone."""
    inner = {**DENSE, "kernel_initializer": written, "dtype": "bfloat16"}

    weights = find_layer("keras", "TimeDistributed").build({"layer": inner}, (5, 4)).weights

    assert [(each.init, each.dtype) for each in weights] == [(text, "bfloat16"), ("zeros", "bfloat16")]


@pytest.mark.parametrize("zeros", ["zeros", "Zeros", "keras.zeros", {"class_name": "Zeros", "config": {}}])
def test_zeros_may_be_said_of_a_bias_whose_forget_gate_is_one(zeros: Any) -> None:
    """They are what the other three gates have anyway."""
    weights = find_layer("keras", "LSTM").build({"units": 3, "bias_initializer": zeros}, (5, 4)).weights

    assert weights[-1].init == "mxnet.lstm_bias(forget_bias=1.0)"


@pytest.mark.parametrize("rest", [{"return_state": True}, {"return_sequences": True, "return_state": True}])
def test_what_gives_several_outputs_ends_a_chain(rest: dict[str, bool]) -> None:
    """Of which the next layer could not tell its input."""
    assert find_layer("keras", "LSTM").build({"units": 3, **rest}, (5, 4)).outputs is None


def test_layers_inside_are_counted_with_those_outside() -> None:
    """Keras numbers a layer when it is made: the one inside before the one around it, but none that has a name."""
    counts = {"LSTM": 1, "TimeDistributed": 0}

    inside = name_inside({"layer": {"class": "TimeDistributed", "layer": LSTM}}, counts)
    again = name_inside({"layer": {**LSTM, "name": "own"}, "backward_layer": LSTM}, counts)
    stacked = name_inside({"cell": [{"class": "GRUCell"}, {"class": "GRUCell"}]}, counts)

    assert inside["layer"]["name"] == "time_distributed"
    assert inside["layer"]["layer"] == {**LSTM, "name": "lstm_1"}
    assert [each["name"] for each in again.values()] == ["own", "lstm_2"]
    assert [each["name"] for each in stacked["cell"]["cells"]] == ["gru_cell", "gru_cell_1"]
    assert counts == {"LSTM": 3, "TimeDistributed": 1, "GRUCell": 2, "StackedRNNCells": 1}


# as keras.layers names them
NAMES = {
    "ConvLSTM2D": "conv_lstm2d",
    "Conv2DTranspose": "conv2d_transpose",
    "PReLU": "p_re_lu",
    "GRU": "gru",
    "SimpleRNN": "simple_rnn",
    "RMSNormalization": "rms_normalization",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_a_layer_without_a_name_is_called_by_its_class(name: str, expected: str) -> None:
    """In small letters, words apart; the third is numbered 2."""
    assert name in known_layers("keras")
    assert STYLES["keras"].name(name, 7, 0) == expected
    assert STYLES["keras"].name(name, 7, 2) == f"{expected}_2"
