"""Uniform draws to normal values, against SciPy and 50-digit references."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import erfinv as exact_erfinv
from mpmath import mp, mpf
from numpy.typing import NDArray
from scipy.special import erf, erfinv

from initcli.quantiles import KEPT_WITHIN_2, fill_normal, fill_truncated_normal, fill_uniform
from initcli.scratch import Scratch

Fill = Callable[[NDArray[Any], NDArray[Any], Scratch], None]
FILLS = [fill_uniform, fill_normal, fill_truncated_normal]


def evaluate(fill: Fill, draws: NDArray[Any]) -> NDArray[Any]:
    values = np.empty(len(draws), np.float32 if draws.itemsize == 4 else np.float64)
    fill(draws, values, Scratch())
    return values


def edge_draws(bits: int) -> NDArray[Any]:
    """Return draws near zero, near both ends, near every power of two and near the seams of the approximation."""
    top = 2 ** (bits - 1)
    near = [0, top - 1, *(2**e for e in range(bits - 1)), *(top - 1 - 2**e for e in range(bits - 2))]
    near += [int(seam * 2**bits) for seam in (0.425, 0.47725, 0.47731, 0.5 - 2.0**-32)]
    ks = {k + d for k in near for d in range(-20, 21) if 0 <= k + d < top}
    return np.array(sorted({*ks, *(~k for k in ks)}), np.int32 if bits == 32 else np.int64)


@pytest.fixture(params=[32, 64])
def draws(request: pytest.FixtureRequest) -> NDArray[Any]:
    """Edges and a hundred thousand draws from everywhere, ascending."""
    bits = request.param
    anywhere = np.random.default_rng(1).integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 100_000, dtype=np.int64)
    edges = edge_draws(bits)
    return np.unique(np.concatenate([anywhere.astype(edges.dtype), edges]))


def test_the_kept_share_is_that_of_two_standard_deviations() -> None:
    """2Φ(2) − 1 = erf(√2)."""
    assert erf(np.sqrt(2)) == KEPT_WITHIN_2


def test_the_uniform_is_the_middle_of_its_draws_cell() -> None:
    """u = (k + ½) / 2^bits, exactly so where k is small enough for the type."""
    k32, k64 = np.arange(-1000, 1000, dtype=np.int32), np.arange(-1000, 1000, dtype=np.int64)

    assert evaluate(fill_uniform, k32).tolist() == [(k + 0.5) / 2**32 for k in k32.tolist()]
    assert evaluate(fill_uniform, k64).tolist() == [(k + 0.5) / 2**64 for k in k64.tolist()]


@pytest.mark.parametrize("fill", FILLS)
def test_each_law_is_exactly_odd(fill: Fill, draws: NDArray[Any]) -> None:
    """The draw ~k, which stands for −u, gives the negative value to the bit."""
    assert (evaluate(fill, ~draws) == -evaluate(fill, draws)).all()


@pytest.mark.parametrize("fill", FILLS)
def test_values_never_fall_where_draws_rise(fill: Fill, draws: NDArray[Any]) -> None:
    """In float32 by construction; in float64 within the last digit of PPND16, some 4 ulp."""
    values = evaluate(fill, draws)

    fall = np.maximum(0, values[:-1] - values[1:])
    ulps = 0 if draws.itemsize == 4 else 4
    assert (fall <= ulps * np.spacing(np.abs(values[1:]))).all()


@pytest.mark.parametrize(("fill", "kept"), [(fill_normal, 1.0), (fill_truncated_normal, KEPT_WITHIN_2)])
def test_float32_values_are_within_a_millionth_of_the_quantile(fill: Fill, kept: float) -> None:
    """The goal of the scheme; `make exhaustive` shows it for every draw."""
    draws = edge_draws(32)

    error = evaluate(fill, draws) / (np.sqrt(2) * erfinv((2.0 * draws + 1) / 2.0**32 * kept)) - 1

    assert np.abs(error).max() <= 1e-6


@pytest.mark.parametrize(("fill", "is_cut"), [(fill_normal, False), (fill_truncated_normal, True)])
def test_float64_values_have_fifteen_digits(fill: Fill, is_cut: bool) -> None:
    """PPND16 is good to about 1 part in 10^16, its evaluation in float64 to a few rounding errors more."""
    draws = edge_draws(64)[::7]
    mp.dps = 50
    kept = mp.erf(mp.sqrt(2)) if is_cut else mpf(1)

    values = evaluate(fill, draws).tolist()

    for k, value in zip(draws.tolist(), values, strict=True):
        exact = mp.sqrt(2) * exact_erfinv(kept * (2 * mpf(k) + 1) / mpf(2) ** 64)
        assert abs(mpf(value) / exact - 1) < 2e-15


def test_the_farthest_values_are_those_of_the_last_draws() -> None:
    """z(2³¹ − 1) is Φ⁻¹(1 − 2⁻³³), and at 64 bits Φ⁻¹(1 − 2⁻⁶⁵)."""
    mp.dps = 50

    far = float(evaluate(fill_normal, np.array([2**31 - 1], np.int32))[0])
    farther = float(evaluate(fill_normal, np.array([2**63 - 1], np.int64))[0])

    assert far == pytest.approx(float(mp.sqrt(2) * exact_erfinv(1 - mpf(2) ** -32)), rel=1e-6)
    assert farther == pytest.approx(float(mp.sqrt(2) * exact_erfinv(1 - mpf(2) ** -64)), rel=2e-15)


def test_the_cut_normal_stays_within_two() -> None:
    """Its farthest draws come within a float32 step of ±2 and never past it."""
    values = evaluate(fill_truncated_normal, np.array([-(2**31), 2**31 - 1], np.int32))

    assert np.abs(values).max() <= 2.0
    assert values[1] > 2.0 - 1e-6
