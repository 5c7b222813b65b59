"""Complex tensors: the parts of each law, and who draws complex values at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError, InitcliError
from initcli.initializers import get
from initcli.moments import measure
from initcli.report import agrees
from initcli.resolution import load_plan
from initcli.scratch import Scratch

COMPLEX = DTYPES["complex64"]
SHAPE = (2000, 100)

WITHIN_2 = (1 - 5 * math.exp(-4)) / (1 - math.exp(-4))  # E|z|² of a complex normal kept within a modulus of 2
JAX_CUT = 0.95311164380491208  # what JAX 0.10.2 divides by, √(1 − 5 e⁻⁴), instead of √WITHIN_2

# name, framework, parameters, E|z|² by hand for fan_in 2000 and fan_out 100, and the greatest part
LAWS: list[tuple[str, str, dict[str, Any], float, float]] = [
    ("normal", "jax", {"stddev": 3.0}, 9.0, math.inf),
    ("normal", "torch", {"std": 3.0}, 9.0, math.inf),
    ("uniform", "torch", {"a": -1.5, "b": 1.5}, 2 * 3.0**2 / 12, 1.5),  # each part has the whole variance
    ("kaiming_normal", "torch", {}, 2 / 100, math.inf),
    ("he_uniform", "jax", {}, 2 / 2000, math.sqrt(2 * 2 / 2000)),  # a disk of radius √2 std
    ("variance_scaling", "jax", {"scale": 1.0, "mode": "fan_out", "distribution": "normal"}, 1 / 100, math.inf),
    ("lecun_normal", "jax", {}, WITHIN_2 / 2000 / JAX_CUT**2, 2 / math.sqrt(2000) / JAX_CUT),
]


@pytest.mark.parametrize(("name", "framework", "parameters", "power", "greatest"), LAWS)
def test_mean_square_modulus_and_bounds_are_the_formulas(
    name: str, framework: str, parameters: dict[str, Any], power: float, greatest: float
) -> None:
    """E|z|² is twice the variance that is promised of a part, and what is drawn agrees with the promise."""
    initializer = get(name, framework, seed=3, **parameters)

    law = initializer.complex_law(SHAPE)
    drawn = initializer(SHAPE, "complex64")

    assert math.isclose(2 * law.std**2, power, rel_tol=1e-14)
    assert math.isclose(law.high, greatest, rel_tol=1e-14)
    assert drawn.dtype == np.complex64
    assert drawn.shape == SHAPE
    assert agrees(law, COMPLEX, measure(drawn.reshape(-1).view(np.float32), 0.0, Scratch()))


@pytest.mark.parametrize(("name", "framework", "parameters", "power", "greatest"), LAWS)
def test_the_square_modulus_errs_as_its_standard_error_says(
    name: str, framework: str, parameters: dict[str, Any], power: float, greatest: float
) -> None:
    """Over 400 small tensors the spread of the observed std is the one that the promise is judged by.

    The sample std of 400 standard scores has itself a standard error of 1 / √800.
    """
    law = get(name, framework, **parameters).complex_law((10, 20))
    scores = []
    for seed in range(400):
        parts = get(name, framework, seed=seed, **parameters)((10, 20), "complex64").reshape(-1).view(np.float32)
        observed = math.sqrt(float(np.mean(np.square(parts.astype(np.float64) - law.mean))))
        scores.append((observed - law.std) / law.standard_errors(400)[1])

    assert abs(np.std(scores) - 1) <= 5 / math.sqrt(800)


def test_row_95_of_jax_in_complex64_is_a_little_too_wide() -> None:
    """rms |z| = 0.0225683114163 for lecun_normal of (2000, 1000), JAX 0.10.2, where 1 / √2000 is nominal."""
    law = get("lecun_normal", "jax").complex_law((2000, 1000))

    assert round(math.sqrt(2) * law.std, 13) == 0.0225683114163


def test_the_modulus_of_a_cut_normal_stays_within_two() -> None:
    """|z| ≤ 2 uncut std, and comes within 3 % of it; the parts point in every direction alike."""
    drawn = get("lecun_normal", "jax", seed=1)(SHAPE, "complex64").reshape(-1)
    edge = 2 / math.sqrt(2000) / JAX_CUT
    eighths = np.bincount(np.floor(np.angle(drawn) / (np.pi / 4)).astype(int) + 4, minlength=8)

    assert 0.97 * edge < np.abs(drawn).max() <= edge * (1 + 2e-7)
    assert np.abs(eighths - len(drawn) / 8).max() < 5 * math.sqrt(len(drawn) * 7 / 64)


def test_what_draws_nothing_fills_the_real_parts() -> None:
    """A complex identity is the real one."""
    assert get("identity")((2, 3), "complex64").tolist() == [[1, 0, 0], [0, 1, 0]]
    assert get("constant", value=2.5)((2,), "complex64").tolist() == [2.5, 2.5]
    law = get("constant", value=2.0).complex_law((5,))
    assert (law.mean, law.std, law.low, law.high) == (1.0, 1.0, 0.0, 2.0)


@pytest.mark.parametrize("name", ["keras.he_normal", "torch.trunc_normal", "jax.uniform", "keras.orthogonal"])
def test_a_law_without_complex_values_says_so(name: str) -> None:
    """Keras, PyTorch's cut normal and JAX's one-sided uniform draw real values only."""
    with pytest.raises(ArgumentError, match="draws no complex values"):
        get(name)((3, 4), "complex64")


def test_a_spec_may_ask_for_complex_tensors() -> None:
    """The fault of one that cannot be complex stands at its tensor, the others are planned."""
    text = b"{initcli: 1, framework: jax, dtype: complex64, tensors: {a: {shape: [4, 2], init: he_normal}}}"
    plan = load_plan(text, "s.yaml")

    assert (plan.tensors[0].dtype.name, plan.nbytes) == ("complex64", 64)
    with pytest.raises(InitcliError, match="draws no complex values"):
        load_plan(text.replace(b"he_normal", b"truncated_normal"), "s.yaml")
