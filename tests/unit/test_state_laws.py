"""Laws of state-space models: what Mamba draws against quadrature by SciPy, HiPPO's matrices by their definition."""

from math import exp, expm1, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from numpy.typing import NDArray
from scipy import stats
from scipy.integrate import quad

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.laws import Law
from initcli.laws.state import FromUniform, InverseSoftplus, LogOfUniform, Semiseparable
from initcli.moments import measure
from initcli.report import agrees
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

STEPS = [
    InverseSoftplus(0.001, 0.1, 1e-4),
    InverseSoftplus(0.001, 0.1, 0.005),
    InverseSoftplus(1e-6, 50.0, 0.0),
    InverseSoftplus(0.5, 0.6, 0.0),
]
LOGS = [LogOfUniform(1.0, 16.0), LogOfUniform(1e-8, 1.0), LogOfUniform(3.0, 3.5)]
FIXED = [InverseSoftplus(0.01, 0.01, 0.0), InverseSoftplus(0.001, 0.1, 0.3), LogOfUniform(2.0, 2.0)]

MATRIX = Semiseparable(
    (-1.0, 2.0, 0.5, -3.0),
    ((9.0, -1.0, 2.0, 1.5), (1.0, -2.0, 4.0, 9.0)),
    ((3.0, 0.0, -1.0, 9.0), (9.0, 2.0, -5.0, 1.0)),
)
BANDED = Semiseparable(*(getattr(MATRIX, part) for part in ("diagonal", "below", "above")), (10.0, 0.0, -20.0))


def sample(law: Law, start: int, stop: int, dtype: str = "float64") -> NDArray[np.float64]:
    return sample_range(law, Stream(5, "w"), DTYPES[dtype], start, stop, Scratch()).copy()


def value_at(law: FromUniform, p: float) -> float:
    """Return the law's value at the share p of its draws, by the C library."""
    if isinstance(law, LogOfUniform):
        return log(law.minval + p * (law.maxval - law.minval))
    dt = max(exp(log(law.dt_min) + p * (log(law.dt_max) - log(law.dt_min))), law.floor)
    return dt + log(-expm1(-dt))


def share_below(law: FromUniform, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P(value ≤ x): ln u and the inverse softplus rise, and softplus(x) = ln(1 + eˣ) is dt."""
    if isinstance(law, LogOfUniform):
        return np.clip((np.exp(x) - law.minval) / (law.maxval - law.minval), 0, 1)
    dt = np.log1p(np.exp(x))
    return np.clip((np.log(dt) - log(law.dt_min)) / (log(law.dt_max) - log(law.dt_min)), 0, 1)


@pytest.mark.parametrize("law", [*STEPS, *LOGS])
def test_the_promised_moments_are_those_of_the_integral(law: FromUniform) -> None:
    """Mean, std and kurtosis against SciPy's adaptive quadrature over the draws."""
    kink = []
    if isinstance(law, InverseSoftplus) and law.floor > law.dt_min:
        kink = [(log(law.floor) - log(law.dt_min)) / (log(law.dt_max) - log(law.dt_min))]
    near_zero = [10.0**-k for k in range(1, 12)]  # where the logarithm is steep

    def mean_of(power: int, about: float) -> tuple[float, float]:
        found: tuple[float, float] = quad(
            lambda p: (value_at(law, p) - about) ** power,
            0,
            1,
            points=[*kink, *near_zero],
            limit=200,
            epsabs=0,
            epsrel=1e-12,
        )[:2]
        return found

    mean, mean_error = mean_of(1, 0.0)
    variance, variance_error = mean_of(2, mean)
    fourth, fourth_error = mean_of(4, mean)

    # what SciPy says of its own error, and a hundred roundings of ours
    rounding = 100 * 2.0**-53
    assert law.mean == pytest.approx(mean, abs=mean_error, rel=rounding)
    assert law.std**2 == pytest.approx(variance, abs=2 * variance_error, rel=rounding)
    assert law.kurtosis * law.std**4 == pytest.approx(fourth, abs=4 * fourth_error, rel=rounding)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("law", [STEPS[0], STEPS[2], STEPS[3], *LOGS])
def test_draws_follow_the_law(law: FromUniform, dtype: str) -> None:
    """Kolmogorov–Smirnov on 200,000 draws against the distribution function, and the report's verdict."""
    values = sample(law, 0, 200_000, dtype)

    assert stats.kstest(values.astype(np.float64), lambda x: share_below(law, x)).pvalue > 1e-4
    assert agrees(law, DTYPES[dtype], measure(values, law.mean, Scratch()))


def test_steps_below_the_floor_are_raised_to_it() -> None:
    """With dt from 0.001 to 0.1 and a floor of 0.01 half of the values are the least one."""
    law = InverseSoftplus(0.001, 0.1, 0.01)

    values = sample(law, 0, 100_000)

    share = (values == values.min()).mean()
    assert abs(share - 0.5) <= 5 * 0.5 / np.sqrt(len(values))
    assert values.min() == law.low == pytest.approx(log(expm1(0.01)), abs=8 * 2.0**-53 * 5)


@pytest.mark.parametrize(
    ("law", "value"), [(FIXED[0], log(expm1(0.01))), (FIXED[1], log(expm1(0.3))), (FIXED[2], log(2.0))]
)
def test_an_interval_of_one_point_is_that_point(law: FromUniform, value: float) -> None:
    """No variance, and a kurtosis that is a number."""
    assert set(sample(law, 0, 100)) == {law.low} == {law.high}
    assert law.low == pytest.approx(value, rel=8 * 2.0**-53)
    assert law.mean == pytest.approx(value, rel=8 * 2.0**-53)
    assert law.std == 0
    assert np.isfinite(law.kurtosis)


@given(st.floats(1e-300, 700.0))
def test_the_softplus_of_a_value_is_its_step(step: float) -> None:
    """Against mpmath: the value is x = ln(e^dt − 1)."""
    low = InverseSoftplus(step, step, 0.0).low

    with mp.workprec(2000):
        exact = mp.log(mp.expm1(mpf(step)))
        # ln, exp, expm1 and the logarithm, each some ulp: an ulp of dt moves x by dt coth(dt / 2) / 2 + … ≤ 1 + dt ulp
        allowed = (16 + 4 * abs(mp.log(mpf(step)))) * (1 + mpf(step)) * mpf(2) ** -53
        assert abs(mpf(low) - exact) <= allowed


@pytest.mark.parametrize("law", [STEPS[0], LOGS[0], MATRIX, BANDED])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_range_is_that_part_of_the_whole(law: Law, dtype: str) -> None:
    """Cut anywhere, to the bit."""
    whole = sample(law, 0, 16, dtype)

    for start in range(17):
        for stop in range(start, 17):
            np.testing.assert_array_equal(sample(law, start, stop, dtype), whole[start:stop])


def test_a_semiseparable_matrix_is_that_of_its_definition() -> None:
    """Every element by its rule, and the band beside the diagonal with both signs."""
    (below, earlier), (above, later) = MATRIX.below, MATRIX.above
    expected = [
        [below[n] * earlier[k] if n > k else above[n] * later[k] if n < k else MATRIX.diagonal[n] for k in range(4)]
        for n in range(4)
    ]
    band = np.diag(BANDED.beside, -1) - np.diag(BANDED.beside, 1)

    assert sample(MATRIX, 0, 16).reshape(4, 4).tolist() == expected
    assert sample(BANDED, 0, 16).reshape(4, 4).tolist() == (np.array(expected) + band).tolist()


@pytest.mark.parametrize("law", [MATRIX, BANDED])
def test_the_promise_of_a_semiseparable_matrix_is_what_is_measured(law: Semiseparable) -> None:
    """Mean and std, which sums of small whole numbers and halves give exactly but for the quotients; the bounds."""
    values = sample(law, 0, 16)

    assert law.mean == pytest.approx(values.mean(), rel=4 * 2.0**-53)
    assert law.std == pytest.approx(values.std(), rel=8 * 2.0**-53)
    assert law.low == values.min()
    assert law.high == values.max()
    assert agrees(law, DTYPES["float64"], measure(values, law.mean, Scratch()))


def test_a_semiseparable_matrix_is_refused_in_integers_and_where_it_is_too_great() -> None:
    """Its fractions would be cut, and its extremes become infinite."""
    with pytest.raises(ArgumentError, match="is no int8 value"):
        MATRIX.check(DTYPES["int8"])
    huge = Semiseparable((1e39,), ((0.0,), (0.0,)), ((0.0,), (0.0,)))
    with pytest.raises(ArgumentError, match="does not fit float32"):
        huge.check(DTYPES["float32"])
    huge.check(DTYPES["float64"])
