"""Mamba, S4D and HiPPO: values of the facts, the authors' own formulas, laws, shapes, refusals."""

from math import expm1, inf, log, pi, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from initcli.errors import ArgumentError
from initcli.initializers import get
from initcli.laws import Constant, Uniform

UNIT = 2.0**-53

Matrix = NDArray[np.float64]


def draw(name: str, shape: tuple[int, ...], dtype: str = "float64", **parameters: Any) -> NDArray[Any]:
    return get(f"recipe.{name}", **parameters)(shape, dtype)


def transition(measure: str, size: int) -> tuple[Matrix, Matrix]:
    """Return A and B as `transition` of state-spaces/s4@e757cef, src/models/hippo/hippo.py, makes them."""
    n = np.arange(size, dtype=np.float64)
    col, row = np.meshgrid(n, n)
    if measure == "legs":
        stretch = np.diag(np.sqrt(2 * n + 1))
        inner = -(np.where(row >= col, 2 * n + 1, 0) - np.diag(n))
        return stretch @ inner @ np.linalg.inv(stretch), np.diag(stretch)
    if measure == "legt":
        roots = np.sqrt(2 * n + 1)
        signs = np.where(row < col, (-1.0) ** (row - col), 1)
        return -0.5 * roots[:, None] * signs * roots[None, :], 0.5 * roots
    if measure == "lmu":
        odd = 2 * n + 1
        return np.where(row < col, -1, (-1.0) ** (row - col + 1)) * odd[:, None], (-1.0) ** n * odd
    if measure == "lagt":
        return np.eye(size) / 2 - np.tril(np.ones((size, size))), np.ones(size)
    band = np.stack([np.zeros(size // 2), np.arange(size // 2)], axis=-1).reshape(-1)[1:]
    inputs = np.zeros(size)
    inputs[::2] = sqrt(2)
    inputs[0] = 1
    return pi * (np.diag(band, -1) - np.diag(band, 1)) - inputs[:, None] * inputs[None, :], inputs


MEASURES = ["legs", "legt", "lmu", "lagt", "fourier"]


def test_hippo_legs_of_four_states_is_known() -> None:
    """Of the facts, to their eight decimals."""
    found = draw("hippo_legs", (4, 4))

    assert np.diag(found).tolist() == [-1, -2, -3, -4]
    np.testing.assert_allclose(found[1:3, 0], [-1.73205081, -2.23606798], atol=5e-9)
    np.testing.assert_allclose(found[2, 1], -3.87298335, atol=5e-9)
    np.testing.assert_allclose(found[3], [-2.64575131, -4.58257569, -5.91607978, -4], atol=5e-9)
    assert (found[np.triu_indices(4, 1)] == 0).all()
    np.testing.assert_allclose(draw("hippo_legs_b", (4,)), [1, 1.73205081, 2.23606798, 2.64575131], atol=5e-9)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("size", [2, 4, 10, 64])
def test_hippo_is_the_authors_transition(measure: str, size: int) -> None:
    """A and B as their code makes them, for every measure."""
    matrix, vector = transition(measure, size)

    # two roots, their product, and the authors' own stretching and shrinking: eight roundings
    np.testing.assert_allclose(draw(f"hippo_{measure}", (size, size)), matrix, rtol=8 * UNIT)
    np.testing.assert_allclose(draw(f"hippo_{measure}_b", (size,)), vector, rtol=UNIT)
    np.testing.assert_array_equal(draw(f"hippo_{measure}_b", (size, 1))[:, 0], draw(f"hippo_{measure}_b", (size,)))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("size", [2, 6, 64])
def test_the_promise_of_hippo_is_what_is_measured(measure: str, size: int) -> None:
    """Mean, std and bounds of A and of B."""
    for name, shape in ((f"hippo_{measure}", (size, size)), (f"hippo_{measure}_b", (size,))):
        values, law = draw(name, shape), get(f"recipe.{name}").law(shape)

        mean_error, std_error = law.standard_errors(values.size)
        assert abs(law.mean - values.mean()) <= mean_error
        assert abs(law.std - values.std()) <= std_error
        assert law.low <= values.min()
        assert values.max() <= law.high
        assert law.low >= min(values.min(), 0) * (1 + 8 * UNIT)
        assert law.high <= max(values.max(), 0) * (1 + 8 * UNIT)


def test_mambas_rates_are_the_logarithms_of_whole_numbers() -> None:
    """ln(1 … 16) in every row: 0, 0.693147, 1.098612, …, 2.772589; of one axis too."""
    found = draw("mamba_a_log", (3, 16))

    np.testing.assert_allclose(found, [[log(n) for n in range(1, 17)]] * 3, rtol=2 * UNIT)
    np.testing.assert_allclose(found[0, [0, 1, 2, 3, 15]], [0, 0.693147, 1.098612, 1.386294, 2.772589], atol=5e-7)
    np.testing.assert_allclose(draw("mamba_a_log", (24,)), [log(n) for n in range(1, 25)], rtol=2 * UNIT)
    assert get("recipe.mamba_a_log").law((512, 16)).high == pytest.approx(2.77258872224, abs=5e-12)


def test_s4d_reals_rates_are_negative_whole_numbers() -> None:
    """−1 … −4, in integers too."""
    assert draw("s4d_real", (2, 4), "int32").tolist() == [[-1, -2, -3, -4]] * 2
    assert draw("s4d_real", (4,), "float32").tolist() == [-1, -2, -3, -4]


def test_mamba_2_draws_its_rates_from_one_to_sixteen() -> None:
    """The rate is uniform: exp of the values has mean 8.5 and std 15 / √12."""
    rates = np.exp(draw("mamba2_a_log", (200_000,)))

    assert abs(rates.mean() - 8.5) <= 5 * 15 / sqrt(12 * rates.size)
    assert 1 <= rates.min() < rates.max() <= 16 * (1 + 4 * UNIT)
    # E ln A = (16 ln 16 − 15) / 15
    law = get("recipe.mamba2_a_log").law((24,))
    assert law.mean == pytest.approx(16 * log(16) / 15 - 1, rel=100 * UNIT)
    assert (law.low, law.high) == (0.0, pytest.approx(log(16), rel=4 * UNIT))


def test_the_softplus_of_mambas_step_bias_lies_between_its_steps() -> None:
    """From 0.001, which is −6.90725524, to 0.1, −2.25216846, and log-uniform."""
    law = get("recipe.mamba_dt_bias").law((64,))
    steps = np.log1p(np.exp(draw("mamba_dt_bias", (200_000,))))

    assert (law.low, law.high) == (pytest.approx(-6.90725524, abs=5e-9), pytest.approx(-2.25216846, abs=5e-9))
    # an ulp of a value below 8 is 2⁻⁵⁰ of its step; three of ours, and NumPy's
    assert 0.001 * (1 - 64 * UNIT) <= steps.min() < steps.max() <= 0.1 * (1 + 64 * UNIT)
    # ln dt is uniform over ln 100, of mean ln 0.01
    assert abs(np.log(steps).mean() - log(0.01)) <= 5 * log(100) / sqrt(12 * steps.size)


def test_a_floor_raises_mambas_short_steps() -> None:
    """No step is below dt_init_floor, here above dt_min."""
    found = draw("mamba_dt_bias", (10_000,), dt_min=0.001, dt_init_floor=0.02)

    assert found.min() == pytest.approx(log(expm1(0.02)), rel=16 * UNIT)
    assert (found == found.min()).mean() > 0.5


def test_mambas_skip_is_one() -> None:
    """D of every channel."""
    assert draw("mamba_d", (5,), "float32").tolist() == [1.0] * 5


def test_mambas_step_projection_is_scaled_by_its_rank() -> None:
    """±dt_scale / √dt_rank, dt_rank being the fan_in of either order of axes."""
    assert get("recipe.mamba_dt_proj", order="torch").law((1536, 64)) == Uniform(-0.125, 0.125)
    assert get("recipe.mamba_dt_proj", order="keras").law((64, 1536)) == Uniform(-0.125, 0.125)
    assert get("recipe.mamba_dt_proj", dt_scale=2, dt_init="constant").law((16, 9)) == Constant(0.5)


REFUSED: list[tuple[str, dict[str, Any], tuple[int, ...], str]] = [
    ("mamba_a_log", {}, (), "shape"),
    ("mamba2_a_log", {"a_min": 0}, (4,), "a_min"),
    ("mamba2_a_log", {"a_min": 20}, (4,), "a_min"),
    ("mamba2_a_log", {"a_max": inf}, (4,), "a_max"),
    ("mamba_dt_bias", {"dt_min": 0}, (4,), "dt_min"),
    ("mamba_dt_bias", {"dt_min": 1}, (4,), "dt_min"),
    ("mamba_dt_bias", {"dt_max": 701}, (4,), "dt_max"),
    ("mamba_dt_bias", {"dt_init_floor": -1}, (4,), "dt_init_floor"),
    ("mamba_dt_bias", {"dt_init_floor": 701}, (4,), "dt_init_floor"),
    ("mamba_dt_proj", {"dt_init": "zeros"}, (4, 4), "dt_init"),
    ("mamba_dt_proj", {"dt_scale": -1}, (4, 4), "dt_scale"),
    ("mamba_dt_proj", {}, (4,), "shape"),
    ("s4d_real", {}, (), "shape"),
    ("hippo_legs", {}, (4,), "shape"),
    ("hippo_legs", {}, (4, 3), "shape"),
    ("hippo_legs_b", {}, (4, 2), "shape"),
    ("hippo_fourier", {}, (3, 3), "shape"),
    ("hippo_fourier_b", {}, (3,), "shape"),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "at_fault"), REFUSED)
def test_what_makes_no_sense_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], at_fault: str
) -> None:
    """The error names the parameter, or the shape."""
    with pytest.raises(ArgumentError) as caught:
        get(f"recipe.{name}", **parameters).law(shape)

    assert caught.value.parameter == at_fault


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mamba_a_log", (3, 0)), ("s4d_real", (0,)), *((f"hippo_{m}", (0, 0)) for m in MEASURES), ("hippo_legs_b", (0,))],
)
def test_no_states_make_an_empty_tensor(name: str, shape: tuple[int, ...]) -> None:
    """And no division by zero."""
    assert draw(name, shape).shape == shape
