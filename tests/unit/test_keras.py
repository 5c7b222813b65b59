"""Keras's initializers: closed forms, drawn values, and what each takes and refuses."""

from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.laws import Eye

# Expected std and bound of what Keras 3.15.1 (or the named version's source) drew, from sampling the real framework:
# (initializer, parameters, shape, std, mean, bound round the mean)
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float, float]] = [
    ("glorot_uniform", {}, (784, 128), 0.0468292905791, 0, 0.0811107105654),
    ("glorot_uniform", {}, (3, 3, 64, 128), 0.034020690872, 0, 0.0589255650989),
    ("glorot_uniform", {}, (5, 64, 96), 0.05, 0, 0.0866025403784),
    ("glorot_uniform", {}, (3, 3, 3, 16, 32), 0.0392837100659, 0, 0.068041381744),
    ("glorot_normal", {}, (784, 128), 0.0468292905791, 0, 0.106475498962),
    ("he_uniform", {}, (784, 128), 0.0505076272276, 0, 0.087481776528),
    ("he_normal", {}, (3, 3, 64, 128), 0.0589255650989, 0, 0.133978731429),
    ("lecun_normal", {}, (512, 256), 0.0441941738242, 0, 0.100484048572),
    ("random_normal", {}, (500, 500), 0.05, 0, inf),
    ("truncated_normal", {}, (500, 500), 0.0439812830517, 0, 0.1),
    ("truncated_normal", {"mean": 1, "stddev": 0.5}, (500, 500), 0.439812830517, 1, 1),
    (
        "variance_scaling",
        {"scale": 2, "mode": "fan_out", "distribution": "untruncated_normal"},
        (3, 3, 64, 128),
        0.0416666666667,
        0,
        inf,
    ),
    (
        "variance_scaling",
        {"scale": 0.1, "mode": "fan_avg", "distribution": "uniform"},
        (784, 128),
        0.014808721944,
        0,
        0.0256494588021,
    ),
    ("orthogonal", {}, (256, 256), 0.0625, 0, 1),
    ("orthogonal", {"gain": 2}, (3, 3, 64, 128), 0.0833333333333, 0, 2),
    ("he_normal", {}, (3, 3, 32, 64), 0.0833333333333, 0, 0.189474539056),
    ("glorot_uniform", {}, (3, 3, 512, 1), 0.0208130180351, 0, 0.0360492046957),
    ("random_uniform", {}, (2000, 64), 0.0288675134595, 0, 0.05),
    ("glorot_uniform", {}, (320, 256), 0.0589255650989, 0, 0.102062072616),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "mean", "bound"), MEASURED)
def test_promises_and_draws_are_those_measured_of_keras(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, mean: float, bound: float
) -> None:
    """Promises equal the measured law to eleven digits; draws agree within five standard errors and fill the bounds."""
    initializer = initializers.get(name, **parameters)

    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float32").astype(np.float64)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.mean == mean
    assert law.high - mean == pytest.approx(bound, rel=1e-11)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - mean) <= 5 * mean_error
    assert abs(drawn.std() - std) <= 5 * std_error + 1e-7 * std
    assert np.abs(drawn - mean).max() <= bound * (1 + 2e-7)
    if bound < inf and name != "orthogonal":
        assert np.abs(drawn - mean).max() > 0.97 * bound  # a clipped or uncorrected cut would stop short or pile up


def test_a_cut_normal_piles_nothing_up_at_its_bounds() -> None:
    """Values past the cut are not clipped: the share within 1 % of a bound is what the density says, not 4.6 %."""
    values = np.abs(initializers.get("truncated_normal", stddev=1.0)((1000, 1000), dtype="float64"))

    # 2 (Φ(2) − Φ(1.98)) / (2Φ(2) − 1)
    share = 2 * (0.9772498680518208 - 0.9761482356584915) / 0.9544997361036416
    assert abs((values > 1.98).mean() - share) < 5 * sqrt(share / values.size)


def test_rank_one_and_scalars_have_fans_of_their_size_and_one() -> None:
    """As Keras ≥ 2.4: fans n, n and 1, 1."""
    assert initializers.get("he_normal").law((50,)).std == pytest.approx(sqrt(2 / 50))
    assert initializers.get("he_normal").law(()).std == pytest.approx(sqrt(2))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (3, 0, 2)])
@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "orthogonal", "zeros"])
def test_a_zero_dimension_gives_an_empty_array(name: str, shape: tuple[int, ...]) -> None:
    """The fan's guard max(1, n) keeps the formula from dividing by zero."""
    assert initializers.get(name)(shape).shape == shape


def test_identity_of_a_wide_matrix_is_the_main_diagonal() -> None:
    """Keras Identity(gain=2) of (2, 3)."""
    assert initializers.get("identity", gain=2)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    assert initializers.get("identity").law((2, 3)) == Eye(2, 3, 1.0)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("random_normal", {"stddev": -1}, "`stddev` must be at least 0, got -1"),
        ("random_normal", {"stddev": float("nan")}, "`stddev` must be finite"),
        ("random_normal", {"mean": "zero"}, "`mean` must be a number"),
        ("random_normal", {"mean": True}, "`mean` must be a number"),
        ("truncated_normal", {"stddev": -0.1}, "`stddev` must be at least 0"),
        ("random_uniform", {"minval": 1, "maxval": -1}, "`minval` must not exceed `maxval`"),
        ("random_uniform", {"maxval": float("inf")}, "`maxval` must be finite"),
        ("constant", {"value": float("nan")}, "`value` must be finite"),
        ("constant", {"value": "1"}, "`value` must be a number"),
        ("constant", {"value": 10**400}, "`value` must be finite, got a whole number beyond float64"),
        ("variance_scaling", {"scale": 0}, "`scale` must be positive"),
        ("variance_scaling", {"scale": -1.0}, "`scale` must be positive"),
        ("variance_scaling", {"mode": "FAN_IN"}, "`mode` cannot be `FAN_IN`"),
        ("variance_scaling", {"distribution": "gauss"}, "`distribution` cannot be `gauss`"),
        ("orthogonal", {"gain": "big"}, "`gain` must be a number"),
        ("he_normal", {"stddev": 1}, "`he_normal` has no parameter `stddev`"),
        ("he_normal", {"input_axes": 0}, "`input_axes` must be a list of whole numbers, got `0`"),
        ("variance_scaling", {"output_axes": [0.0]}, "`output_axes` must be a list of whole numbers"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    """The error is a ValueError, as in Keras, and names the parameter."""
    with pytest.raises(ValueError, match=message):
        initializers.get(name, **parameters)


@pytest.mark.parametrize(("name", "shape"), [("orthogonal", (5,)), ("identity", (2, 2, 2)), ("identity", (3,))])
def test_a_shape_of_the_wrong_rank_is_refused(name: str, shape: tuple[int, ...]) -> None:
    """Orthogonal needs two axes, identity exactly two."""
    with pytest.raises(ArgumentError, match="rank 2"):
        initializers.get(name)(shape)


def test_distribution_is_lower_cased_and_normal_means_truncated() -> None:
    """As Keras 3 does."""
    shape = (64, 64)

    assert initializers.get("variance_scaling", distribution="NORMAL").law(shape) == initializers.get(
        "variance_scaling"
    ).law(shape)


# What compute_fans of Keras 3.15.1 returned: (input_axes, output_axes, shape, fan_in, fan_out).
BY_AXES: list[tuple[Any, Any, tuple[int, ...], int, int]] = [
    ([0], [1, 2], (512, 8, 64), 512, 512),
    ((0, 1), (2,), (8, 64, 512), 512, 512),
    ([-2], [-1], (3, 3, 64, 128), 64, 128),  # no receptive field
    ([0, 0], [1], (40, 30), 1600, 30),
    ([0], [0], (40, 30), 40, 40),
    ([], [], (40, 30), 1, 1),
    ([0], None, (3, 3, 64, 128), 576, 1152),
    (None, [0], (3, 3, 64, 128), 576, 1152),
]


@pytest.mark.parametrize(("input_axes", "output_axes", "shape", "fan_in", "fan_out"), BY_AXES)
def test_fans_can_be_read_from_named_axes(
    input_axes: Any, output_axes: Any, shape: tuple[int, ...], fan_in: int, fan_out: int
) -> None:
    """If both are named; the law follows them."""
    uniform = initializers.get("glorot_uniform", input_axes=input_axes, output_axes=output_axes)

    assert uniform.fans(shape) == Fans(fan_in, fan_out)
    assert uniform.law(shape).high == pytest.approx(sqrt(6 / (fan_in + fan_out)))
    assert uniform.get_config() == {
        "seed": None,
        "input_axes": input_axes if input_axes is None else list(input_axes),
        "output_axes": output_axes if output_axes is None else list(output_axes),
    }


def test_an_axis_that_a_shape_lacks_is_refused_when_the_shape_is_known() -> None:
    """Keras raises an IndexError then."""
    normal = initializers.get("he_normal", input_axes=[0], output_axes=[2])

    assert normal.law((4, 3, 2)).std == pytest.approx(sqrt(2 / 4))
    with pytest.raises(ArgumentError, match="`output_axes` names axis 2") as caught:
        normal.law((4, 3))
    assert caught.value.parameter == "output_axes"


@pytest.mark.parametrize("name", ["tensorflow.he_normal", "keras2_1.variance_scaling", "keras2_2.lecun_normal"])
def test_only_keras_3_has_axes(name: str) -> None:
    """The other frameworks share the bodies, not these parameters."""
    with pytest.raises(ArgumentError, match="no parameter `input_axes`"):
        initializers.get(name, input_axes=[0], output_axes=[1])


def test_axes_that_are_not_named_are_not_written() -> None:
    """A plan's spec says what was said; Keras's config says all."""
    assert initializers.get("he_normal").config() == {}
    assert initializers.get("he_normal", input_axes=[0], output_axes=[-1]).config() == {
        "input_axes": [0],
        "output_axes": [-1],
    }


def test_normal_is_written_as_the_cut_normal_that_it_means() -> None:
    """As Keras 3.15.1's own config."""
    assert (
        initializers.get("variance_scaling", distribution="Normal").get_config()["distribution"] == "truncated_normal"
    )
