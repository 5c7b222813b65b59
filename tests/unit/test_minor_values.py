"""MXNet, Paddle, Lasagne, Chainer, Haiku, Sonnet, Caffe, MLX and Flux: the values drawn, one by one."""

from collections.abc import Callable
from math import log, sqrt
from typing import Any, TypeAlias

import numpy as np
import pytest

from initcli import initializers
from initcli.errors import ArgumentError
from initcli.scratch import Scratch
from initcli.stream import Stream

Check: TypeAlias = Callable[[Any, tuple[int, ...]], None]


@pytest.mark.parametrize(
    ("name", "taps", "row"),
    [
        ("mxnet.bilinear", 4, [0.25, 0.75, 0.75, 0.25]),
        ("mxnet.bilinear", 3, [0.25, 0.75, 0.75]),
        ("mxnet.bilinear", 2, [1, 0]),
        ("caffe.bilinear", 4, [0.25, 0.75, 0.75, 0.25]),
        ("caffe.bilinear", 3, [0.5, 1, 0.5]),
        ("caffe.bilinear", 2, [0.5, 0.5]),
    ],
)
def test_bilinear_is_an_outer_product(check_draws: Check, name: str, taps: int, row: list[float]) -> None:
    """The same kernel for every pair of channels, symmetric in Caffe alone.

    c = (2 f − 1 − f % 2) / 2 f: MXNet 2.0.0, `python/mxnet/initializer.py`, `Bilinear`; c = (K − 1) / 2 f:
    Caffe@9b89154, `include/caffe/filler.hpp`, `BilinearFiller`.
    """
    shape = (2, 3, taps, taps)

    values = initializers.get(name)(shape, dtype="float64")

    assert values == pytest.approx(np.broadcast_to(np.outer(row, row), shape))
    check_draws(initializers.get(name), shape)


def test_paddles_bilinear_slants(check_draws: Check) -> None:
    """By true division, as (i / K) % K of every flat index i."""
    shape = (2, 2, 4, 4)
    flat = np.arange(64)
    column, row = flat % 4, (flat / 4) % 4

    values = initializers.get("paddle.bilinear")(shape, dtype="float64")

    assert values[0, 0, 0] == pytest.approx([0.0625, 0.28125, 0.375, 0.15625])
    assert values[1, 1, 3, 3] == pytest.approx(-0.03125)  # as Paddle 3.3.1 printed it
    assert values.reshape(-1) == pytest.approx((1 - abs(column / 2 - 0.75)) * (1 - abs(row / 2 - 0.75)))
    check_draws(initializers.get("paddle.bilinear"), shape)


def test_chainers_filters_stand_on_the_diagonal(check_draws: Check) -> None:
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


def test_an_lstm_bias_opens_the_forget_gate(check_draws: Check) -> None:
    """arr[h : 2 h] with h = int(n / 4) of the first axis, whatever is left over (MXNet 2.0.0, `LSTMBias`)."""
    initializer = initializers.get("mxnet.lstmbias", forget_bias=2)

    assert np.flatnonzero(initializer((256,))).tolist() == list(range(64, 128))
    assert initializer((9, 2)).tolist() == [[0, 0]] * 2 + [[2, 2]] * 2 + [[0, 0]] * 5
    assert not initializer((3,)).any()
    for shape in ((256,), (9, 2), (3,)):
        check_draws(initializer, shape)


def test_chainers_nan_is_no_number_in_any_float() -> None:
    """Chainer 7.8.1, `constant.py`: fill_value = numpy.nan; an integer has none."""
    for dtype in ("float64", "float32", "float16"):
        assert np.isnan(initializers.get("chainer.nan")((2, 3), dtype=dtype)).all()
    with pytest.raises(ArgumentError):
        initializers.get("chainer.nan")((2, 3), dtype="int32")


def test_an_array_broadcasts_to_the_shape_of_a_constant() -> None:
    """As by `arr[:] = value` in MXNet and Chainer, `broadcast_to` in Haiku, `mx.full` in MLX."""
    for name in ("mxnet.constant", "chainer.constant", "haiku.constant", "mlx.constant", "lasagne.constant"):
        (parameter,) = initializers.find(name).parameters()
        rows = initializers.get(name, **{parameter.name: np.array([[1], [2]])})
        assert rows((2, 3), dtype="int32").tolist() == [[1, 1, 1], [2, 2, 2]]
        assert (rows((4, 2, 3)) == np.broadcast_to([[1], [2]], (4, 2, 3))).all()
        assert rows((2, 0)).shape == (2, 0)
        for shape in ((3, 3), (2,), ()):
            with pytest.raises(ArgumentError, match="does not broadcast"):
                rows(shape)


def test_assign_takes_an_array_of_the_tensors_shape() -> None:
    """Paddle 3.3.1's `Assign`: a list, a tuple or an array; a number and a ragged list it refuses."""
    get = initializers.get

    assert get("paddle.assign", value=[[1, 2], [3, 4.5]])((2, 2)).tolist() == [[1, 2], [3, 4.5]]
    assert get("paddle.assign", value=(True, False))((2,), dtype="bool").tolist() == [True, False]
    assert get("paddle.assign", value=[])((0,)).shape == (0,)
    with pytest.raises(ArgumentError, match=r"has the shape \[4\], not \[2, 2\]"):
        get("paddle.assign", value=[1, 2, 3, 4])((2, 2))


def test_caffes_unit_ball_has_rows_that_sum_to_one(check_draws: Check) -> None:
    """U / ΣU (Caffe@9b89154, `PositiveUnitballFiller`): of two, E[x²] = 1 − log 2; of many, std = 2 / (n √12)."""
    ball = initializers.get("caffe.positive_unitball")

    values = ball((300, 2, 5), dtype="float64")

    assert values.sum(axis=(1, 2)) == pytest.approx(1)
    assert ball.law((7, 2)).std == pytest.approx(sqrt(1 - log(2) - 1 / 4))
    assert ball.law((7, 1000)).std == pytest.approx(2 / 1000 / sqrt(12), rel=2e-3)
    assert ball((3, 1)).tolist() == [[1]] * 3
    for shape in ((300, 2, 5), (1000, 2), (20, 500)):
        check_draws(ball, shape)


def test_caffes_sparse_keeps_an_element_with_a_chance() -> None:
    """p = sparse / shape[0] by a Bernoulli mask (Caffe@9b89154, `GaussianFiller`); what stays is the dense tensor's."""
    dense = initializers.get("caffe.gaussian")((40, 500))
    for dtype in ("float32", "float64"):
        sparse = initializers.get("caffe.gaussian", sparse=10)((40, 500), dtype=dtype)
        kept = sparse != 0
        assert abs(kept.mean() - 0.25) < 5 * sqrt(0.25 * 0.75 / kept.size)
        assert kept.sum(axis=1).std() > 0
    assert (np.where(initializers.get("caffe.gaussian", sparse=10)((40, 500)) != 0, dense, 0) != 0).any()
    assert (initializers.get("caffe.gaussian", sparse=40)((40, 500)) == dense).all()
    assert not initializers.get("caffe.gaussian", sparse=0)((40, 500)).any()


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


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.25, 3), (0, 0), (1, 10), (2, 10), (-0.25, 8), (-0.5, 5)])
def test_mlxs_sparse_thins_every_row(sparsity: float, zeros: int) -> None:
    """order[:, :⌈sparsity · cols⌉] is zero, so that a negative count leaves out; counted of MLX 0.32.4's (40, 10)."""
    values = initializers.get("mlx.sparse", sparsity=sparsity, mean=1)((40, 10))

    assert ((values == 0).sum(axis=1) == zeros).all()
    assert zeros in (0, 10) or (values == 0).sum(axis=0).std() > 0


def test_sparse_counts_non_zeros_in_lasagne_and_zeros_in_flux() -> None:
    """In every column: ⌊0.25 · 10⌋ non-zeros there, ⌈0.25 · 10⌉ zeros here."""
    lasagne = initializers.get("lasagne.sparse", sparsity=0.25)((10, 40))
    flux = initializers.get("flux.sparse_init", sparsity=0.25)((10, 40))
    many = initializers.get("lasagne.sparse")((1000, 500), dtype="float64")

    assert ((lasagne != 0).sum(axis=0) == 2).all()
    assert ((flux == 0).sum(axis=0) == 3).all()
    assert initializers.get("lasagne.sparse", sparsity=1.05)((10, 4)).all()  # int(10.5) of 10
    assert initializers.get("flux.sparse_init", sparsity=-1)((10, 4)).all()  # sparse_array[1:-10] is nothing
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
        ("caffe.bilinear", {}, (3, 2, 3, 3)),
        ("caffe.gaussian", {"sparse": 3}, (7, 9)),
        ("chainer.constant", {"fill_value": [[[1]], [[2]]]}, (3, 2, 5, 4)),
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


def test_a_negative_stddev_mirrors_haikus_cut() -> None:
    """mean + stddev Z with Z in [0, 1]: of haiku 0.0.17, TruncatedNormal(-1, 0, 0, 1) fell on [−1, 0], mean −0.459."""
    law = initializers.get("haiku.truncated_normal", stddev=-1, lower=0, upper=1).law((300, 400))

    assert (law.low, law.high) == (-1, 0)
    assert law.mean == pytest.approx(-0.45888, abs=5 * law.std / sqrt(300 * 400))


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
