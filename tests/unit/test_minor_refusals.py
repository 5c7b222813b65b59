"""MXNet, Paddle, Lasagne, Chainer, Haiku, Sonnet, Caffe, MLX and Flux: what each refuses, and what is empty."""

from typing import Any

import pytest

from initcli import initializers
from initcli.errors import ArgumentError


def test_a_zero_fan_is_zero_in_paddles_xavier_one_in_haiku_and_an_error_elsewhere() -> None:
    """Paddle sets the limit to 0; Haiku and Sonnet divide by max(1, n); the others divide by zero."""
    assert initializers.get("paddle.xavier_uniform", fan_in=0).law((3, 3)).std == 0
    for name in ("haiku.variance_scaling", "sonnet.variance_scaling", "haiku.uniform_scaling"):
        assert initializers.get(name)((0, 5)).shape == (0, 5)
    for name in ("flux.glorot_uniform", "flux.kaiming_normal", "flux.lecun_normal"):  # Julia's 1 / 0 is infinite
        assert initializers.get(name)((0, 0)).shape == (0, 0)
    for name in ("mxnet.xavier", "paddle.kaiming_normal", "lasagne.he_normal", "chainer.lecun_normal", "mlx.he_normal"):
        with pytest.raises(ArgumentError, match="needs a fan that is not zero"):
            initializers.get(name).law((0, 0))


@pytest.mark.parametrize("name", ["constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra"])
def test_caffe_fills_no_empty_blob_but_a_bilinear_one(name: str) -> None:
    """CHECK(blob->count()) stands in every filler of Caffe@9b89154 but `BilinearFiller`."""
    assert initializers.get("caffe.bilinear")((0, 1, 3, 3)).shape == (0, 1, 3, 3)
    with pytest.raises(ArgumentError, match="not empty"):
        initializers.get(f"caffe.{name}")((0, 3))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("mxnet.xavier", {"rnd_type": "normal"}, "`rnd_type` cannot be `normal`"),
        ("mxnet.xavier", {"factor_type": "fan_in"}, "`factor_type` cannot be"),
        ("mxnet.xavier", {"magnitude": -1}, "`magnitude` must be at least 0"),
        ("mxnet.orthogonal", {"rand_type": "gaussian"}, "`rand_type` cannot be"),
        ("mxnet.constant", {}, "needs `value`"),
        ("mxnet.normal", {"sigma": -1}, "`sigma` must be at least 0"),
        ("mxnet.uniform", {"scale": -1}, "`scale` must be at least 0"),
        ("paddle.uniform", {"low": 2}, "`low` must not exceed `high`"),
        ("paddle.truncated_normal", {"std": 0, "mean": 2}, "`std` must not be 0"),
        ("paddle.truncated_normal", {"a": 3}, "`a` must not exceed `b`"),
        ("paddle.kaiming_normal", {"mode": "fan_avg"}, "`mode` cannot be `fan_avg`"),
        ("paddle.kaiming_normal", {"mode": "fan_out", "fan_in": 3}, "`fan_in` cannot be given"),
        ("paddle.kaiming_normal", {"fan_in": -1}, "`fan_in` must be at least 0"),
        ("paddle.kaiming_normal", {"negative_slope": "a"}, "`negative_slope` must be a number"),
        ("paddle.assign", {"value": 3}, "`value` must be an array or a list"),
        ("paddle.assign", {"value": [[1], [2, 3]]}, "not of one shape"),
        ("paddle.dirac", {"groups": 2.0}, "`groups` must be a whole number"),
        ("mxnet.constant", {"value": "a"}, "`value` must be a number"),
        ("paddle.kaiming_normal", {"nonlinearity": "gelu"}, "unsupported nonlinearity"),
        ("lasagne.he_normal", {"gain": "tanh"}, "`gain` must be a number"),
        ("lasagne.he_normal", {"gain": -1}, "`gain` must be at least 0"),
        ("lasagne.he_normal", {"c01b": 1}, "`c01b` must be true or false"),
        ("lasagne.sparse", {"std": -1}, "`std` must be at least 0"),
        ("chainer.lecun_normal", {"scale": -1}, "`scale` must be at least 0"),
        ("lasagne.uniform", {"range": [1, 2, 3]}, "`range` must be one number or two"),
        ("lasagne.uniform", {"range": "a"}, "`range` must be a number"),
        ("chainer.orthogonal", {"mode": "full"}, "`mode` cannot be"),
        ("chainer.he_normal", {"fan_option": "fan_avg"}, "`fan_option` cannot be"),
        ("chainer.upsampling_deconv_filter", {"interpolation": "cubic"}, "`interpolation` cannot be"),
        ("haiku.variance_scaling", {"scale": -1}, "`scale` must be at least 0"),
        ("haiku.variance_scaling", {"distribution": "untruncated_normal"}, "`distribution` cannot be"),
        ("haiku.variance_scaling", {"fan_in_axes": [0.5]}, "`fan_in_axes` must be a whole number"),
        ("haiku.variance_scaling", {"fan_in_axes": 0}, "`fan_in_axes` must be a list"),
        ("haiku.random_uniform", {"minval": 2}, "`minval` must not exceed `maxval`"),
        ("sonnet.variance_scaling", {"mode": "fan_geo_avg"}, "`mode` cannot be"),
        ("sonnet.variance_scaling", {"scale": 0}, "`scale` must be positive"),
        ("caffe.gaussian", {"std": 0}, "`std` must be positive"),
        ("caffe.gaussian", {"sparse": -2}, "`sparse` must be at least -1"),
        ("caffe.gaussian", {"sparse": 0.5}, "`sparse` must be a whole number"),
        ("caffe.uniform", {"min": 2}, "`min` must not exceed `max`"),
        ("mlx.sparse", {}, "needs `sparsity`"),
        ("caffe.xavier", {"variance_norm": "fan_in"}, "`variance_norm` cannot be"),
        ("mlx.he_normal", {"mode": "fan_avg"}, "`mode` cannot be"),
        ("flux.sparse_init", {}, "needs `sparsity`"),
        ("flux.identity_init", {"shift": 0.5}, "`shift` must be a whole number"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    """The error is a ValueError and names the parameter."""
    with pytest.raises(ValueError, match=message):
        initializers.get(name, **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "message"),
    [
        ("mxnet.xavier", {}, (5,), "fewer than 2 dimensions"),
        ("mxnet.bilinear", {}, (3, 3), "rank 4"),
        ("mxnet.lstm_bias", {}, (), "rank 1 or more"),
        ("paddle.bilinear", {}, (1, 1, 3, 4), "needs a square"),
        ("paddle.bilinear", {}, (1025, 1024, 1, 1), "at most 1,048,576 elements"),
        ("paddle.dirac", {"groups": 4}, (6, 2, 3), "divisible by `groups`"),
        ("paddle.xavier_normal", {"fan_in": -90}, (40, 90), "the fans must add up to more than 0"),
        ("lasagne.sparse", {"sparsity": 1.5}, (10, 3), "must leave 0 to 10 of 10 rows"),
        ("lasagne.sparse", {"sparsity": -0.5}, (10, 3), "must leave 0 to 10 of 10 rows"),
        ("caffe.gaussian", {"sparse": 4}, (3, 9), "`sparse` must not exceed the first axis"),
        ("caffe.xavier", {}, (), "fewer than 2 dimensions"),
        ("mlx.sparse", {"sparsity": 0.5}, (3, 0), "not empty"),
        ("mlx.sparse", {"sparsity": 0.5}, (3, 3, 3), "rank 2"),
        ("lasagne.glorot_normal", {"c01b": True}, (3, 3), "rank 4"),
        ("lasagne.orthogonal", {}, (3,), "rank 2"),
        ("lasagne.sparse", {}, (3, 3, 3), "rank 2"),
        ("chainer.identity", {}, (2, 3), "needs a square"),
        ("chainer.orthogonal", {"mode": "projection"}, (3, 2), "no projection"),
        ("chainer.orthogonal", {"mode": "embedding"}, (2, 3), "no embedding"),
        ("chainer.orthogonal", {"mode": "basis"}, (2, 3), "no basis"),
        ("chainer.upsampling_deconv_filter", {}, (2, 3, 3), "equal channels"),
        ("chainer.upsampling_deconv_filter", {}, (2, 2, 3, 4), "taps alike"),
        ("haiku.identity", {}, (3,), "rank 2"),
        ("haiku.orthogonal", {"axis": 2}, (3, 3), "`axis` names axis 2"),
        ("haiku.variance_scaling", {"fan_in_axes": [5]}, (3, 3, 3), "`fan_in_axes` names axis 5"),
        ("caffe.bilinear", {}, (1, 1, 3, 4), "needs a square"),
        ("mlx.identity", {}, (2, 3), "needs a square"),
        ("mlx.orthogonal", {}, (2, 3, 4), "rank 2"),
        ("flux.identity_init", {"shift": [1, 1, 1]}, (3, 3), "`shift` has 3 axes"),
        ("flux.sparse_init", {"sparsity": 0.5}, (3,), "rank 2"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], message: str
) -> None:
    """The error says what the initializer needs."""
    with pytest.raises(ArgumentError, match=message):
        initializers.get(name, **parameters).law(shape)
