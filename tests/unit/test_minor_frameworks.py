"""MXNet, Paddle, Lasagne, Chainer, Haiku, Sonnet, Caffe, MLX and Flux: laws, drawn values, fans and refusals."""

import json
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.errors import ArgumentError
from initcli.fans import Fans, flux_fans, haiku_fans, lasagne_fans, mlx_fans, paddle_fans
from initcli.initializers.registry import registered
from initcli.laws import STD_WITHIN_2
from initcli.scratch import Scratch
from initcli.stream import Stream

FRAMEWORKS = ("mxnet", "paddle", "lasagne", "chainer", "haiku", "sonnet", "caffe", "mlx", "flux")

# Expected std, bound and mean: (initializer, parameters, shape, std, bound). Lasagne's were measured of its source at
# 0.2.dev1 run with NumPy; the others follow from the frameworks' sources by hand.
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

# (initializer, parameters, mean, std and high at MATRIX, the same at KERNEL); None where a shape is refused.
# MATRIX has Keras's fans 40 → 90, PyTorch's 90 → 40; KERNEL Keras's 72 → 120, PyTorch's 60 → 90.
Moments = tuple[float, float, float] | None
NO = None
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
    ("mxnet.msra_prelu", {"factor_type": "in", "slope": 1}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("paddle.constant", {}, (0, 0, 0), (0, 0, 0)),
    ("paddle.normal", {}, (0, 1, inf), (0, 1, inf)),
    ("paddle.uniform", {}, (0, U, 1), (0, U, 1)),
    ("paddle.truncated_normal", {}, (0, STD_WITHIN_2, 2), (0, STD_WITHIN_2, 2)),
    ("paddle.truncated_normal", {"std": 0.02}, (0, 0.02, 2), (0, 0.02, 2)),
    ("paddle.xavier_uniform", {"gain": 2}, (0, 2 * sqrt(2 / 130), 2 * sqrt(6 / 130)), (0, 0.4 * U, 0.4)),
    ("paddle.xavier_normal", {}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 150), inf)),
    ("paddle.xavier_normal", {"fan_in": 10, "fan_out": 40}, (0, 0.2, inf), (0, 0.2, inf)),
    ("paddle.kaiming_uniform", {}, (0, sqrt(2 / 40), sqrt(6 / 40)), (0, sqrt(2 / 60), sqrt(6 / 60))),
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
    ("lasagne.uniform", {"std": 2, "mean": 1}, (1, 2, 1 + 2 * sqrt(3)), (1, 2, 1 + 2 * sqrt(3))),
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
    ("chainer.normal", {}, (0, 0.05, inf), (0, 0.05, inf)),
    ("chainer.uniform", {}, (0, 0.05 * U, 0.05), (0, 0.05 * U, 0.05)),
    ("chainer.lecun_normal", {}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("chainer.lecun_uniform", {}, (0, sqrt(1 / 90), sqrt(3 / 90)), (0, sqrt(1 / 60), sqrt(3 / 60))),
    ("chainer.glorot_normal", {"scale": 3}, (0, 3 * sqrt(2 / 130), inf), (0, 3 * sqrt(2 / 150), inf)),
    ("chainer.glorot_uniform", {}, (0, sqrt(2 / 130), sqrt(6 / 130)), (0, sqrt(2 / 150), sqrt(6 / 150))),
    ("chainer.he_normal", {"fan_option": "fan_out"}, (0, sqrt(2 / 40), inf), (0, sqrt(2 / 90), inf)),
    ("chainer.he_uniform", {}, (0, sqrt(2 / 90), sqrt(6 / 90)), (0, sqrt(2 / 60), sqrt(6 / 60))),
    ("chainer.orthogonal", {"mode": "projection"}, (0, 1.1 / sqrt(90), 1.1), (0, 1.1 / sqrt(60), 1.1)),
    ("haiku.constant", {"constant": 3}, (3, 0, 3), (3, 0, 3)),
    ("haiku.random_normal", {"mean": 2}, (2, 1, inf), (2, 1, inf)),
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
    ("caffe.xavier", {"variance_norm": "AVERAGE"}, (0, sqrt(1 / 65), sqrt(3 / 65)), (0, sqrt(1 / 75), 0.2)),
    ("caffe.msra", {}, (0, sqrt(2 / 90), inf), (0, sqrt(2 / 60), inf)),
    ("mlx.constant", {"value": 3}, (3, 0, 3), (3, 0, 3)),
    ("mlx.normal", {}, (0, 1, inf), (0, 1, inf)),
    ("mlx.uniform", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("mlx.glorot_normal", {}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 132), inf)),
    ("mlx.glorot_uniform", {"gain": 2}, (0, 2 * sqrt(2 / 130), 2 * sqrt(6 / 130)), (0, sqrt(8 / 132), sqrt(24 / 132))),
    ("mlx.he_normal", {}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 60), inf)),
    ("mlx.he_uniform", {"mode": "fan_out"}, (0, sqrt(1 / 40), sqrt(3 / 40)), (0, sqrt(1 / 72), sqrt(3 / 72))),
    ("mlx.orthogonal", {}, (0, 1 / sqrt(90), 1), NO),
    ("flux.zeros32", {}, (0, 0, 0), (0, 0, 0)),
    ("flux.ones32", {}, (1, 0, 1), (1, 0, 1)),
    ("flux.rand32", {}, (0.5, 0.5 * U, 1), (0.5, 0.5 * U, 1)),
    ("flux.randn32", {}, (0, 1, inf), (0, 1, inf)),
    ("flux.glorot_uniform", {}, (0, sqrt(2 / 130), sqrt(6 / 130)), (0, sqrt(2 / 192), sqrt(6 / 192))),
    ("flux.glorot_normal", {}, (0, sqrt(2 / 130), inf), (0, sqrt(2 / 192), inf)),
    ("flux.kaiming_uniform", {}, (0, sqrt(2 / 90), sqrt(6 / 90)), (0, sqrt(2 / 72), sqrt(6 / 72))),
    ("flux.kaiming_normal", {"gain": 1}, (0, sqrt(1 / 90), inf), (0, sqrt(1 / 72), inf)),
    ("flux.truncated_normal", {}, (0, STD_WITHIN_2, 2), (0, STD_WITHIN_2, 2)),
    ("flux.orthogonal", {"gain": 3}, (0, 3 / sqrt(90), 3), (0, 3 / sqrt(72), 3)),
    ("flux.sparse_init", {"sparsity": 0.75}, (0, 0.005, inf), NO),
    ("flux.identity_init", {}, (1 / 90, sqrt(89) / 90, 1), (3 / 360, sqrt(3 / 360 * (1 - 3 / 360)), 1)),
]
ELSEWHERE = {
    *("mxnet.bilinear", "mxnet.lstm_bias", "paddle.bilinear", "caffe.bilinear", "chainer.identity", "mlx.identity"),
    *("chainer.upsampling_deconv_filter", "chainer.downsampling_conv_filter"),
}
"""Those that take neither MATRIX nor KERNEL: their values are checked one by one below."""


def check_draws(initializer: Any, shape: tuple[int, ...]) -> None:
    """Assert that drawn values agree with the promise within five standard errors and float64's rounding."""
    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float64")
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - law.mean) <= 5 * mean_error + 1e-12
    assert abs(drawn.std() - law.std) <= 5 * std_error + 1e-12
    assert law.low - 1e-12 <= drawn.min()
    assert drawn.max() <= law.high + 1e-12


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "bound"), MEASURED)
def test_laws_are_those_measured(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, bound: float
) -> None:
    """Promises equal the expected values to eleven digits, and draws agree with them."""
    initializer = initializers.get(name, **parameters)

    law = initializer.law(shape)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.high == pytest.approx(bound, rel=1e-11)
    check_draws(initializer, shape)


@pytest.mark.parametrize(("name", "parameters", "matrix", "kernel"), CLOSED)
def test_laws_follow_the_closed_form(name: str, parameters: dict[str, Any], matrix: Moments, kernel: Moments) -> None:
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


@pytest.mark.parametrize("name", ["mxnet.bilinear", "caffe.bilinear"])
@pytest.mark.parametrize(("taps", "row"), [(4, [0.25, 0.75, 0.75, 0.25]), (3, [0.25, 0.75, 0.75])])
def test_bilinear_is_an_outer_product(name: str, taps: int, row: list[float]) -> None:
    """The same kernel for every pair of channels, as computed by MXNet's formula."""
    shape = (2, 3, taps, taps)

    values = initializers.get(name)(shape, dtype="float64")

    assert values == pytest.approx(np.broadcast_to(np.outer(row, row), shape))
    check_draws(initializers.get(name), shape)


def test_paddles_bilinear_slants() -> None:
    """By true division, as (i / K) % K of every flat index i."""
    shape = (2, 2, 4, 4)
    flat = np.arange(64)
    column, row = flat % 4, (flat / 4) % 4

    values = initializers.get("paddle.bilinear")(shape, dtype="float64")

    assert values[0, 0, 0] == pytest.approx([0.0625, 0.28125, 0.375, 0.15625])
    assert values[1, 1, 3, 3] == pytest.approx(-0.03125)
    assert values.reshape(-1) == pytest.approx((1 - abs(column / 2 - 0.75)) * (1 - abs(row / 2 - 0.75)))
    check_draws(initializers.get("paddle.bilinear"), shape)


def test_chainers_filters_stand_on_the_diagonal() -> None:
    """K = 3 gives ½, 1, ½ along each axis, K = 4 a quarter more at each tap inwards; the average sums to one."""
    up, down = (
        initializers.get("chainer.upsampling_deconv_filter"),
        initializers.get("chainer.downsampling_conv_filter"),
    )
    odd, even = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]), [0.25, 0.75, 0.75, 0.25]

    values = up((2, 2, 3, 3), dtype="float64")

    assert values[0, 0] == pytest.approx(odd)
    assert values[1, 1] == pytest.approx(odd)
    assert not values[0, 1].any()
    assert up((3, 1, 4), dtype="float64") == pytest.approx(np.broadcast_to(even, (3, 1, 4)))
    assert down((2, 2, 3, 3), dtype="float64")[0, 0] == pytest.approx(odd / 4)
    for shape in ((2, 2, 3, 3), (3, 1, 4, 4), (5, 5, 2, 2, 2)):
        check_draws(up, shape)
        check_draws(down, shape)


def test_an_lstm_bias_opens_the_forget_gate() -> None:
    """The second quarter."""
    values = initializers.get("mxnet.lstm_bias")((256,))

    assert np.flatnonzero(values).tolist() == list(range(64, 128))
    check_draws(initializers.get("mxnet.lstm_bias", forget_bias=2), (256,))


def test_identities_by_framework() -> None:
    """Chainer and MLX take squares, Haiku and Sonnet batches, Flux the centre (k − 1) // 2 and a shift."""
    assert initializers.get("chainer.identity", scale=2)((2, 2)).tolist() == [[2, 0], [0, 2]]
    assert initializers.get("mlx.identity")((2, 2)).tolist() == [[1, 0], [0, 1]]
    assert initializers.get("haiku.identity")((2, 2, 3)).tolist() == [[[1, 0, 0], [0, 1, 0]]] * 2
    flux = initializers.get("flux.identity_init")
    assert np.argwhere(flux((4, 2, 3))).tolist() == [[1, 0, 0], [1, 1, 1]]
    assert flux((3,)).tolist() == [0, 0, 0]
    for shift in (1, -1, (1, 2)):
        axes = tuple(range(len(shift))) if isinstance(shift, tuple) else 0
        rolled = initializers.get("flux.identity_init", shift=shift)((3, 4))
        assert (rolled == np.roll(np.eye(3, 4), shift, axes)).all()


def test_sparse_counts_non_zeros_in_lasagne_and_zeros_in_flux() -> None:
    """In every column: ⌊0.25 · 10⌋ non-zeros there, ⌈0.25 · 10⌉ zeros here."""
    lasagne = initializers.get("lasagne.sparse", sparsity=0.25)((10, 40))
    flux = initializers.get("flux.sparse_init", sparsity=0.25)((10, 40))
    many = initializers.get("lasagne.sparse")((1000, 500), dtype="float64")

    assert ((lasagne != 0).sum(axis=0) == 2).all()
    assert ((flux == 0).sum(axis=0) == 3).all()
    kept = many[many != 0]
    assert abs(kept.std() - 0.01) < 5 * 0.01 / sqrt(2 * kept.size)  # measured of Lasagne: 0.01


@pytest.mark.parametrize(
    ("name", "parameters", "shape"),
    [
        ("mxnet.bilinear", {}, (3, 2, 4, 5)),
        ("paddle.bilinear", {}, (3, 2, 5, 5)),
        ("chainer.upsampling_deconv_filter", {}, (4, 4, 3, 3)),
        ("haiku.identity", {"gain": 3}, (5, 3, 4)),
        ("flux.identity_init", {"shift": [1, 0, 2]}, (5, 3, 4)),
        ("mxnet.lstm_bias", {}, (40,)),
    ],
)
def test_any_range_is_a_part_of_the_whole(name: str, parameters: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Element-wise laws fill a range without the rest."""
    initializer = initializers.get(name, **parameters)
    whole = initializer(shape, dtype="float64").reshape(-1)

    for start, stop in ((0, 1), (7, 23), (11, whole.size), (5, 5)):
        part = np.empty(stop - start)
        initializer.law(shape).fill(Stream(0, ""), start, part, Scratch())
        assert (part == whole[start:stop]).all()


def test_identities_fill_integers_and_interpolations_do_not() -> None:
    """What is whole fits an integer dtype."""
    assert initializers.get("haiku.identity")((2, 2), dtype="int32").tolist() == [[1, 0], [0, 1]]
    assert initializers.get("mxnet.lstm_bias")((4,), dtype="int32").tolist() == [0, 1, 0, 0]
    with pytest.raises(ArgumentError):
        initializers.get("mxnet.bilinear")((1, 1, 3, 3), dtype="int32")


@pytest.mark.parametrize(
    ("fans", "shape", "expected"),
    [
        (paddle_fans, (), (1, 1)),
        (paddle_fans, (7,), (7, 7)),
        (paddle_fans, (7, 5), (7, 5)),
        (paddle_fans, (7, 5, 3), (15, 21)),
        (paddle_fans, (7, 5, 3, 2), (30, 42)),
        (lasagne_fans, (7, 5), (7, 5)),
        (lasagne_fans, (7, 5, 3), (15, 21)),
        (lasagne_fans, (7, 5, 3, 2), (30, 42)),
        (haiku_fans, (), (1, 1)),
        (haiku_fans, (7,), (7, 7)),
        (haiku_fans, (7, 5), (7, 5)),
        (haiku_fans, (7, 5, 3), (35, 21)),
        (mlx_fans, (7, 5), (5, 7)),
        (mlx_fans, (7, 5, 3), (15, 35)),
        (mlx_fans, (7, 5, 3, 2), (30, 105)),
        (flux_fans, (), (1, 1)),
        (flux_fans, (7,), (1, 7)),
        (flux_fans, (7, 5), (5, 7)),
        (flux_fans, (7, 5, 3), (35, 21)),
    ],
)
def test_fans_by_framework_and_rank(fans: Any, shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    """The rules of the frameworks' sources."""
    assert fans(shape) == Fans(*expected)


@pytest.mark.parametrize("fans", [mlx_fans, lasagne_fans])
@pytest.mark.parametrize("shape", [(), (7,)])
def test_some_rules_need_a_matrix(fans: Any, shape: tuple[int, ...]) -> None:
    """Below rank 2 there is no fan."""
    with pytest.raises(ArgumentError, match="fewer than 2 dimensions"):
        fans(shape)


def test_given_fans_replace_the_shapes() -> None:
    """As the spec's fans do, for every rule."""
    fans = Fans(8, 24)

    assert initializers.get("flux.kaiming_normal", gain=1).law((3, 3), fans).std == pytest.approx(sqrt(1 / 8))
    assert initializers.get("mxnet.xavier").law((3, 3), fans).high == pytest.approx(sqrt(3 / 16))
    assert initializers.get("caffe.msra", variance_norm="FAN_OUT").law((3, 3), fans).std == pytest.approx(sqrt(2 / 24))
    assert initializers.get("paddle.xavier_normal").law((3, 3), fans).std == pytest.approx(sqrt(2 / 32))


def test_a_zero_fan_is_zero_in_paddles_xavier_one_in_haiku_and_an_error_elsewhere() -> None:
    """Paddle sets the limit to 0; Haiku and Sonnet divide by max(1, n); the others divide by zero."""
    assert initializers.get("paddle.xavier_uniform", fan_in=0).law((3, 3)).std == 0
    assert initializers.get("haiku.variance_scaling")((0, 5)).shape == (0, 5)
    for name in ("mxnet.xavier", "paddle.kaiming_normal", "lasagne.he_normal", "chainer.lecun_normal", "mlx.he_normal"):
        with pytest.raises(ArgumentError, match="needs a fan that is not zero"):
            initializers.get(name).law((0, 0))


def test_chainers_orthogonal_takes_scalars_and_vectors() -> None:
    """A scalar is +1.1 or −1.1, a vector of length 1.1; an empty shape is refused."""
    chainer = initializers.get("chainer.orthogonal")

    assert abs(chainer((), dtype="float64")) == pytest.approx(1.1)
    assert np.linalg.norm(chainer((9,), dtype="float64")) == pytest.approx(1.1)
    with pytest.raises(ArgumentError, match="not empty"):
        chainer((0, 3))


def test_haikus_orthogonal_has_its_columns_along_the_axis() -> None:
    """The columns of a tall matrix are orthonormal, whichever axis they run along."""
    values = initializers.get("haiku.orthogonal", axis=0)((4, 3, 5), dtype="float64").reshape(4, 15)

    assert values @ values.T == pytest.approx(np.eye(4), abs=1e-12)


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
        ("paddle.truncated_normal", {"std": 0}, "`std` must be positive"),
        ("paddle.kaiming_normal", {"nonlinearity": "gelu"}, "unsupported nonlinearity"),
        ("paddle.xavier_normal", {"fan_in": -2}, "`fan_in` must be at least 0"),
        ("lasagne.he_normal", {"gain": "tanh"}, "`gain` must be a number"),
        ("lasagne.he_normal", {"gain": -1}, "`gain` must be at least 0"),
        ("lasagne.he_normal", {"c01b": 1}, "`c01b` must be true or false"),
        ("lasagne.sparse", {"sparsity": 1.5}, "`sparsity` must be at most 1"),
        ("lasagne.uniform", {"range": [1, 2, 3]}, "`range` must be one number or two"),
        ("lasagne.uniform", {"range": -1}, "`range` must be at least 0"),
        ("chainer.orthogonal", {"mode": "full"}, "`mode` cannot be"),
        ("chainer.he_normal", {"fan_option": "fan_avg"}, "`fan_option` cannot be"),
        ("chainer.upsampling_deconv_filter", {"interpolation": "cubic"}, "`interpolation` cannot be"),
        ("haiku.variance_scaling", {"scale": -1}, "`scale` must be at least 0"),
        ("haiku.variance_scaling", {"distribution": "untruncated_normal"}, "`distribution` cannot be"),
        ("haiku.variance_scaling", {"fan_in_axes": [0.5]}, "`fan_in_axes` must be a whole number"),
        ("sonnet.variance_scaling", {"mode": "fan_geo_avg"}, "`mode` cannot be"),
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
        ("mxnet.lstm_bias", {}, (3, 3), "rank 1"),
        ("paddle.bilinear", {}, (1, 1, 3, 4), "needs a square"),
        ("paddle.dirac", {"groups": 4}, (6, 2, 3), "divisible by `groups`"),
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
