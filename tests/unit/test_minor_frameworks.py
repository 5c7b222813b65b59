"""MXNet, Paddle, Lasagne, Chainer, Haiku, Sonnet, Caffe, MLX and Flux: laws, and draws that agree with them."""

import json
from collections.abc import Callable
from math import inf, sqrt
from typing import Any, TypeAlias

import numpy as np
import pytest

from initcli import initializers
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.registry import registered
from initcli.laws import STD_WITHIN_2
from initcli.truncation import keep

Check: TypeAlias = Callable[[Any, tuple[int, ...]], None]
FRAMEWORKS = ("mxnet", "paddle", "lasagne", "chainer", "haiku", "sonnet", "caffe", "mlx", "flux")

# Expected std, bound and mean: (initializer, parameters, shape, std, bound). Lasagne's were measured of its source at
# 0.2.dev1 run with NumPy; the others follow from the frameworks' sources by hand. All rows here and below of Paddle
# 3.3.1, MLX 0.32.4 and Haiku 0.0.17 were run too, and those of Lasagne and Chainer 7.8.1 on their sources with NumPy.
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float]] = [
    ("lasagne.glorot_uniform", {}, (784, 128), 0.0468292905791, 0.0811107105654),
    ("lasagne.glorot_uniform", {"gain": "relu"}, (64, 32, 3, 3), 0.068041381744, 0.117851130198),
    ("lasagne.he_normal", {"gain": "relu"}, (64, 32, 3, 3), 0.0833333333333, inf),
    ("lasagne.normal", {}, (500, 500), 0.01, inf),
    ("lasagne.orthogonal", {"gain": "relu"}, (64, 288), 0.0833333333333, sqrt(2)),
    ("mxnet.xavier", {"rnd_type": "gaussian"}, (128, 784), 0.0811107105654, inf),
    ("mxnet.msra_prelu", {}, (128, 784), 0.0642492566203, inf),
    ("mxnet.orthogonal", {}, (256, 256), 0.088375, 1.414),
    ("chainer.orthogonal", {}, (256, 256), 0.06875, 1.1),
    ("paddle.kaiming_normal", {}, (784, 128), 0.0505076272276, inf),
    ("paddle.normal", {"std": sqrt(2 / (9 * 16))}, (3200, 4, 3, 3), 0.117851130198, inf),
    ("sonnet.truncated_normal", {}, (500, 500), 0.879625661034, 2.0),
    ("haiku.truncated_normal", {}, (500, 500), 0.879625661034, 2.0),
    ("caffe.xavier", {}, (128, 784), 0.0357142857143, 0.0618589574132),
]

MATRIX, KERNEL = (40, 90), (6, 4, 3, 5)
U = 1 / sqrt(3)
R = sqrt(72 / 90)

# (initializer, parameters, mean, std and high at MATRIX, the same at KERNEL); None where a shape is refused.
# MATRIX has Keras's fans 40 → 90, PyTorch's 90 → 40; KERNEL Keras's 72 → 120, PyTorch's 60 → 90.
Moments = tuple[float, float, float] | None
NO = None
FAN_OUT_OF_ALL: tuple[Moments, Moments] = (0, sqrt(1 / 90), sqrt(3 / 90)), (0, sqrt(1 / 360), sqrt(3 / 360))
"""Haiku counts an axis named from the end among the others too."""
CLOSED: list[tuple[str, dict[str, Any], Moments, Moments]] = [
    ("mxnet.zero", {}, (0, 0, 0), (0, 0, 0)),
    ("mxnet.one", {}, (1, 0, 1), (1, 0, 1)),
    ("mxnet.constant", {"value": 2.5}, (2.5, 0, 2.5), (2.5, 0, 2.5)),
    ("mxnet.uniform", {}, (0, 0.07 * U, 0.07), (0, 0.07 * U, 0.07)),
    ("mxnet.normal", {}, (0, 0.01, inf), (0, 0.01, inf)),
    ("mxnet.orthogonal", {}, (0, 1.414 / sqrt(90), 1.414), (0, 1.414 / sqrt(60), 1.414)),
    ("mxnet.xavier", {}, (0, sqrt(3 / 65) * U, sqrt(3 / 65)), (0, sqrt(3 / 75) * U, sqrt(3 / 75))),
    (
        "mxnet.xavier",
        {"rnd_type": "gaussian", "factor_type": "out", "magnitude": 2},
        (0, sqrt(2 / 40), inf),
        (0, sqrt(2 / 90), inf),
    ),
    ("mxnet.constant", {"value": [-1, 0, 1, 2, 4] * 18}, (1.2, sqrt(74 / 25), 4), NO),
    ("mxnet.msra_prelu", {"factor_type": "in", "slope": 1}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("paddle.constant", {}, (0, 0, 0), (0, 0, 0)),
    ("paddle.assign", {"value": np.eye(40, 90).tolist()}, (1 / 90, sqrt(89) / 90, 1), NO),
    ("paddle.normal", {}, (0, 1, inf), (0, 1, inf)),
    ("paddle.normal", {"std": -2, "mean": 1}, (1, 2, inf), (1, 2, inf)),
    ("paddle.uniform", {}, (0, U, 1), (0, U, 1)),
    ("paddle.truncated_normal", {}, (0, STD_WITHIN_2, 2), (0, STD_WITHIN_2, 2)),
    ("paddle.truncated_normal", {"std": 0.02}, (0, 0.02, 2), (0, 0.02, 2)),
    ("paddle.truncated_normal", {"std": 0, "mean": 1}, (1, 0, 2), (1, 0, 2)),
    ("paddle.xavier_uniform", {"gain": 2}, (0, 2 * sqrt(2 / 130), 2 * sqrt(6 / 130)), (0, 0.4 * U, 0.4)),
    ("paddle.xavier_normal", {}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 150), inf)),
    ("paddle.xavier_normal", {"fan_in": 10, "fan_out": 40}, (0, 0.2, inf), (0, 0.2, inf)),
    ("paddle.xavier_normal", {"fan_in": -10, "fan_out": 60, "gain": -1}, (0, 0.2, inf), (0, 0.2, inf)),
    ("paddle.kaiming_uniform", {}, (0, sqrt(2 / 40), sqrt(6 / 40)), (0, sqrt(2 / 60), sqrt(6 / 60))),
    ("paddle.kaiming_uniform", {"mode": "fan_out"}, (0, sqrt(2 / 90), sqrt(6 / 90)), (0, sqrt(2 / 90), sqrt(6 / 90))),
    ("paddle.kaiming_normal", {"nonlinearity": "conv2d_transpose"}, (0, sqrt(1 / 40), inf), (0, sqrt(1 / 60), inf)),
    (
        "paddle.kaiming_normal",
        {"fan_in": 8, "nonlinearity": "leaky_relu", "negative_slope": 1},
        (0, sqrt(1 / 8), inf),
        (0, sqrt(1 / 8), inf),
    ),
    ("paddle.orthogonal", {}, (0, 1 / sqrt(90), 1), (0, 1 / sqrt(60), 1)),
    ("paddle.dirac", {}, NO, (4 / 360, sqrt(4 / 360 * (1 - 4 / 360)), 1)),
    ("lasagne.constant", {}, (0, 0, 0), (0, 0, 0)),
    ("lasagne.normal", {"mean": 1}, (1, 0.01, inf), (1, 0.01, inf)),
    ("lasagne.uniform", {}, (0, 0.01 * U, 0.01), (0, 0.01 * U, 0.01)),
    ("lasagne.uniform", {"range": [0, 6]}, (3, 3 * U, 6), (3, 3 * U, 6)),
    ("lasagne.uniform", {"range": -6}, (0, 6 * U, 6), (0, 6 * U, 6)),
    ("lasagne.uniform", {"std": 2, "mean": 1}, (1, 2, 1 + 2 * sqrt(3)), (1, 2, 1 + 2 * sqrt(3))),
    ("lasagne.uniform", {"std": -2, "mean": 1}, (1, 2, 1 + 2 * sqrt(3)), (1, 2, 1 + 2 * sqrt(3))),
    ("lasagne.glorot_normal", {}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 150), inf)),
    ("lasagne.glorot_uniform", {}, (0, sqrt(2 / 130), sqrt(6 / 130)), (0, sqrt(2 / 150), sqrt(6 / 150))),
    ("lasagne.he_normal", {}, (0, sqrt(1 / 40), inf), (0, sqrt(1 / 60), inf)),
    ("lasagne.he_normal", {"c01b": True}, NO, (0, sqrt(1 / 72), inf)),
    ("lasagne.he_uniform", {"gain": "relu"}, (0, sqrt(2 / 40), sqrt(6 / 40)), (0, sqrt(2 / 60), sqrt(6 / 60))),
    ("lasagne.sparse", {}, (0, 0.01 * sqrt(0.1), inf), NO),
    ("lasagne.orthogonal", {}, (0, 1 / sqrt(90), 1), (0, 1 / sqrt(60), 1)),
    ("chainer.zero", {}, (0, 0, 0), (0, 0, 0)),
    ("chainer.one", {}, (1, 0, 1), (1, 0, 1)),
    ("chainer.constant", {"fill_value": -1}, (-1, 0, -1), (-1, 0, -1)),
    ("chainer.constant", {"fill_value": [[2], [4]] * 20}, (3, 1, 4), NO),
    ("chainer.normal", {}, (0, 0.05, inf), (0, 0.05, inf)),
    ("chainer.uniform", {}, (0, 0.05 * U, 0.05), (0, 0.05 * U, 0.05)),
    ("chainer.lecun_normal", {}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("chainer.lecun_uniform", {}, (0, sqrt(1 / 90), sqrt(3 / 90)), (0, sqrt(1 / 60), sqrt(3 / 60))),
    ("chainer.glorot_normal", {"scale": 3}, (0, 3 * sqrt(2 / 130), inf), (0, 3 * sqrt(2 / 150), inf)),
    ("chainer.glorot_uniform", {"scale": -1}, (0, sqrt(2 / 130), sqrt(6 / 130)), (0, sqrt(2 / 150), sqrt(6 / 150))),
    ("chainer.he_normal", {"fan_option": "fan_out"}, (0, sqrt(2 / 40), inf), (0, sqrt(2 / 90), inf)),
    ("chainer.he_uniform", {}, (0, sqrt(2 / 90), sqrt(6 / 90)), (0, sqrt(2 / 60), sqrt(6 / 60))),
    ("chainer.orthogonal", {"mode": "projection"}, (0, 1.1 / sqrt(90), 1.1), (0, 1.1 / sqrt(60), 1.1)),
    ("haiku.constant", {"constant": 3}, (3, 0, 3), (3, 0, 3)),
    ("haiku.constant", {"constant": [1, 2, 3, 4, 5]}, NO, (3, sqrt(2), 5)),
    ("haiku.random_normal", {"mean": 2, "stddev": -1}, (2, 1, inf), (2, 1, inf)),
    ("haiku.random_uniform", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("haiku.truncated_normal", {"stddev": 3, "mean": 1}, (1, 3 * STD_WITHIN_2, 7), (1, 3 * STD_WITHIN_2, 7)),
    (
        "haiku.variance_scaling",
        {},
        (0, sqrt(1 / 40), 2 / STD_WITHIN_2 / sqrt(40)),
        (0, sqrt(1 / 72), 2 / STD_WITHIN_2 / sqrt(72)),
    ),
    (
        "haiku.variance_scaling",
        {"scale": 2, "distribution": "normal", "fan_in_axes": [0, 2]},
        (0, sqrt(2 / 40), inf),
        (0, sqrt(2 / 18), inf),
    ),
    ("haiku.variance_scaling", {"mode": "fan_out", "fan_in_axes": [-1], "distribution": "uniform"}, *FAN_OUT_OF_ALL),
    (
        "haiku.variance_scaling",
        {"fan_in_axes": [0, 0], "distribution": "normal"},
        (0, sqrt(1 / 40), inf),
        (0, 1 / 6, inf),
    ),
    ("haiku.uniform_scaling", {"scale": 2}, (0, 2 * sqrt(1 / 40), 2 * sqrt(3 / 40)), (0, 2 / sqrt(72), 2 / sqrt(24))),
    ("haiku.orthogonal", {}, (0, 1 / sqrt(90), 1), (0, 1 / sqrt(72), 1)),
    ("haiku.orthogonal", {"axis": 0}, (0, 1 / sqrt(90), 1), (0, 1 / sqrt(60), 1)),
    ("haiku.identity", {}, (1 / 90, sqrt(89) / 90, 1), (1 / 5, 2 / 5, 1)),
    ("sonnet.zeros", {}, (0, 0, 0), (0, 0, 0)),
    ("sonnet.ones", {}, (1, 0, 1), (1, 0, 1)),
    ("sonnet.constant", {"value": 3}, (3, 0, 3), (3, 0, 3)),
    ("sonnet.random_uniform", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("sonnet.random_normal", {}, (0, 1, inf), (0, 1, inf)),
    ("sonnet.truncated_normal", {"mean": 1}, (1, STD_WITHIN_2, 3), (1, STD_WITHIN_2, 3)),
    ("sonnet.identity", {"gain": 2}, (2 / 90, 2 * sqrt(89) / 90, 2), (2 / 5, 4 / 5, 2)),
    ("sonnet.orthogonal", {}, (0, 1 / sqrt(90), 1), (0, 1 / sqrt(72), 1)),
    (
        "sonnet.variance_scaling",
        {"distribution": "uniform", "mode": "fan_avg"},
        (0, sqrt(1 / 65), sqrt(3 / 65)),
        (0, sqrt(1 / 96), sqrt(3 / 96)),
    ),
    ("caffe.constant", {}, (0, 0, 0), (0, 0, 0)),
    ("caffe.uniform", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("caffe.gaussian", {}, (0, 1, inf), (0, 1, inf)),
    ("caffe.gaussian", {"sparse": 6, "mean": 1}, (0.15, sqrt(0.3 - 0.15**2), inf), (1, 1, inf)),
    ("caffe.xavier", {"variance_norm": "AVERAGE"}, (0, sqrt(1 / 65), sqrt(3 / 65)), (0, sqrt(1 / 75), 0.2)),
    ("caffe.msra", {}, (0, sqrt(2 / 90), inf), (0, sqrt(2 / 60), inf)),
    ("mlx.constant", {"value": 3}, (3, 0, 3), (3, 0, 3)),
    ("mlx.constant", {"value": [[1], [3]] * 20}, (2, 1, 3), NO),
    ("mlx.normal", {"std": -1}, (0, 1, inf), (0, 1, inf)),
    ("mlx.uniform", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("mlx.uniform", {"low": 2, "high": 0}, (1, U, 2), (1, U, 2)),
    ("mlx.glorot_normal", {"gain": -1}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 132), inf)),
    ("mlx.glorot_uniform", {"gain": 2}, (0, 2 * sqrt(2 / 130), 2 * sqrt(6 / 130)), (0, sqrt(8 / 132), sqrt(24 / 132))),
    ("mlx.he_normal", {}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("mlx.he_uniform", {"mode": "fan_out"}, (0, sqrt(1 / 40), sqrt(3 / 40)), (0, sqrt(1 / 72), sqrt(3 / 72))),
    ("mlx.sparse", {"sparsity": 0.7}, (0, sqrt(0.3), inf), NO),
    ("mlx.sparse", {"sparsity": 0.5, "mean": 2, "std": -1}, (1, sqrt(0.5 * 5 - 1), inf), NO),
    ("mlx.orthogonal", {}, (0, 1 / sqrt(90), 1), NO),
    ("flux.zeros32", {}, (0, 0, 0), (0, 0, 0)),
    ("flux.ones32", {}, (1, 0, 1), (1, 0, 1)),
    ("flux.rand32", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("flux.randn32", {}, (0, 1, inf), (0, 1, inf)),
    ("flux.glorot_uniform", {}, (0, sqrt(2 / 130), sqrt(6 / 130)), (0, sqrt(2 / 192), sqrt(6 / 192))),
    ("flux.glorot_normal", {"gain": 3}, (0, 3 * sqrt(2 / 130), inf), (0, 3 * sqrt(2 / 192), inf)),
    ("flux.lecun_normal", {}, (0, sqrt(1 / 90), 2), (0, sqrt(1 / 72), 2)),
    ("flux.lecun_normal", {"gain": sqrt(90)}, (0, STD_WITHIN_2, 2), (0, keep(-2 * R, 2 * R).std / R, 2)),
    ("flux.kaiming_uniform", {}, (0, sqrt(2 / 90), sqrt(6 / 90)), (0, sqrt(2 / 72), sqrt(6 / 72))),
    ("flux.kaiming_normal", {"gain": 1}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 72), inf)),
    ("flux.truncated_normal", {}, (0, STD_WITHIN_2, 2), (0, STD_WITHIN_2, 2)),
    ("flux.orthogonal", {"gain": 3}, (0, 3 / sqrt(90), 3), (0, 3 / sqrt(72), 3)),
    ("flux.sparse_init", {"sparsity": 0.75}, (0, 0.005, inf), NO),
    ("flux.identity_init", {}, (1 / 90, sqrt(89) / 90, 1), (3 / 360, sqrt(3 / 360 * (1 - 3 / 360)), 1)),
]
ELSEWHERE = {
    *(
        "chainer.nan",
        "caffe.positive_unitball",
        "mxnet.bilinear",
        "mxnet.lstm_bias",
        "paddle.bilinear",
        "caffe.bilinear",
        "chainer.identity",
        "mlx.identity",
    ),
    *("chainer.upsampling_deconv_filter", "chainer.downsampling_conv_filter"),
}
"""Those that take neither MATRIX nor KERNEL, or promise no moments: `test_minor_values` checks them one by one."""


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "bound"), MEASURED)
def test_laws_are_those_measured(
    check_draws: Check,
    name: str,
    parameters: dict[str, Any],
    shape: tuple[int, ...],
    std: float,
    bound: float,
) -> None:
    """Promises equal the expected values to eleven digits, and draws agree with them."""
    initializer = initializers.get(name, **parameters)

    law = initializer.law(shape)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.high == pytest.approx(bound, rel=1e-11)
    check_draws(initializer, shape)


@pytest.mark.parametrize(("name", "parameters", "matrix", "kernel"), CLOSED)
def test_laws_follow_the_closed_form(
    check_draws: Check,
    name: str,
    parameters: dict[str, Any],
    matrix: Moments,
    kernel: Moments,
) -> None:
    """Mean, std and upper bound by hand, for a matrix and a kernel; draws agree; a refused shape is an error."""
    initializer = initializers.get(name, **parameters)

    for shape, expected in ((MATRIX, matrix), (KERNEL, kernel)):
        if expected:
            law = initializer.law(shape)
            assert (law.mean, law.std, law.high) == pytest.approx(expected, rel=1e-9)
            check_draws(initializer, shape)
        else:
            with pytest.raises(ArgumentError):
                initializer.law(shape)


def test_every_initializer_is_checked() -> None:
    """The table and the cases below name all that is registered for these frameworks."""
    names = {name for name, cls in registered().items() if cls.framework in FRAMEWORKS}

    assert names == {case[0] for case in CLOSED} | ELSEWHERE


@pytest.mark.parametrize("case", CLOSED)
def test_a_config_goes_through_json(case: Any) -> None:
    """What `config` returns can be written as JSON and makes the same initializer again."""
    initializer = initializers.get(case[0], **case[1])

    assert initializers.get(case[0], **json.loads(json.dumps(initializer.config()))) == initializer


def test_given_fans_replace_the_shapes() -> None:
    """As the spec's fans do, for every rule."""
    fans = Fans(8, 24)

    assert initializers.get("flux.kaiming_normal", gain=1).law((3, 3), fans).std == pytest.approx(sqrt(1 / 8))
    assert initializers.get("mxnet.xavier").law((3, 3), fans).high == pytest.approx(sqrt(3 / 16))
    assert initializers.get("caffe.msra", variance_norm="FAN_OUT").law((3, 3), fans).std == pytest.approx(sqrt(2 / 24))
    assert initializers.get("paddle.xavier_normal").law((3, 3), fans).std == pytest.approx(sqrt(2 / 32))
