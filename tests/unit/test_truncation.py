"""The normal kept within any interval: masses, moments and values, against 60-digit arithmetic and SciPy."""

from math import inf, isfinite

import numpy as np
import pytest
from mpmath import erfc as exact_erfc
from mpmath import mp, mpf
from scipy import stats

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.laws import Normal, TruncatedNormal
from initcli.quantiles import KEPT_WITHIN_2, fill_truncated_normal, kept_normal
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream
from initcli.truncation import keep

INTERVALS = [
    (-2.0, 2.0), (-3.0, 1.0), (-1.0, 1.0), (0.0, inf), (-inf, 0.5), (6.0, 8.0), (6.0, inf), (-9.0, -6.0), (0.5, 0.5001),
    (-100.0, 100.0), (-inf, inf), (10.0, 10.1), (30.0, 31.0), (-0.25, 0.0), (4.0, 4.5), (-4.5, 3.9),
]  # fmt: skip


def upper_tail(x: float) -> mpf:
    mp.dps = 400
    return exact_erfc(mpf(x) / mp.sqrt(2)) / 2 if isfinite(x) else mpf(x < 0)


@pytest.mark.parametrize(("low", "high"), INTERVALS)
def test_masses_are_rounded_from_the_exact_ones(low: float, high: float) -> None:
    """Below, inside and above, each within one rounding of 400-digit arithmetic, however small."""
    kept = keep(low, high)

    for mass, exact in (
        (kept.below, upper_tail(-low)),
        (kept.inside, upper_tail(low) - upper_tail(high)),
        (kept.above, upper_tail(high)),
    ):
        assert abs(mpf(mass) - exact) <= exact * mpf(2) ** -53 + mpf(2) ** -1075  # half the least float64


@pytest.mark.parametrize(("low", "high"), INTERVALS)
def test_moments_are_those_of_the_density(low: float, high: float) -> None:
    """Mean, std and kurtosis against integrals of the density by quadrature in 50 digits."""
    kept = keep(low, high)
    mp.dps = 50
    edge_low, edge_high = max(low, -40.0), min(high, 40.0)
    # pieces short enough for quadrature to follow the density at its steepest
    points = sorted(
        {edge_low, edge_high, *(x for x in np.arange(-40.0, 40.5, 0.5).tolist() if edge_low < x < edge_high)}
    )

    near = mpf(min(max(0.0, edge_low), edge_high))  # quadrature stops at an absolute error: keep the density near 1

    def integral(power: int, centre: mpf) -> mpf:
        return mp.quad(lambda x: (x - centre) ** power * mp.exp((near * near - x * x) / 2), points)

    mass = integral(0, mpf(0))
    mean = integral(1, mpf(0)) / mass
    variance, fourth = integral(2, mean) / mass, integral(4, mean) / mass
    assert kept.mean == pytest.approx(float(mean), rel=1e-14, abs=1e-14)
    assert kept.std == pytest.approx(float(mp.sqrt(variance)), rel=1e-14)
    assert kept.kurtosis == pytest.approx(float(fourth / variance**2), rel=1e-13)


@pytest.mark.parametrize(("low", "high"), INTERVALS)
@pytest.mark.parametrize("bits", [32, 64])
def test_values_are_the_exact_quantiles(low: float, high: float, bits: int) -> None:
    """At the ends, in the middle and between, to 15 digits of the value or of the distance from the mean."""
    top = 2 ** (bits - 1)
    draws = [0, -1, 1, top - 1, -top, top // 2, -top // 3, top - 1000, 1000 - top]
    kept = keep(low, high)

    values = kept_normal(np.array(draws, np.int32 if bits == 32 else np.int64), kept.below, kept.inside, kept.above)

    below, inside, above = upper_tail(-low), upper_tail(low) - upper_tail(high), upper_tail(high)
    mp.dps = 60
    for k, value in zip(draws, values.tolist(), strict=True):
        share = (mpf(k) + mpf(1) / 2) / mpf(2) ** bits + mpf(1) / 2
        p_low, p_high = below + inside * share, above + inside * (1 - share)
        # compare probabilities: the value's own tail against the wanted one, with the slope of the tail as the scale
        wanted, tail = (p_low, -value) if p_low < p_high else (p_high, value)
        found = exact_erfc(mpf(tail) / mp.sqrt(2)) / 2
        slope = mp.exp(-(mpf(value) ** 2) / 2) / mp.sqrt(2 * mp.pi)
        assert abs(found - wanted) / slope < 3e-15 * max(1.0, abs(value))


def test_the_cut_at_two_agrees_with_its_own_quick_way() -> None:
    """The float32 path of ±2 and the general one, rounded to float32, differ by the former's proven error alone."""
    draws = np.random.default_rng(0).integers(-(2**31), 2**31, 100_000).astype(np.int32)
    quick = np.empty(len(draws), np.float32)
    kept = keep(-2.0, 2.0)

    fill_truncated_normal(draws, quick, Scratch())
    general = kept_normal(draws, kept.below, kept.inside, kept.above)

    assert kept.inside == KEPT_WITHIN_2
    assert np.abs(quick / general - 1).max() < 1e-6


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [(0.0, 0.02, -2.0, 2.0), (1.0, 1.0, -2.0, 2.0), (0.0, 1.0, 6.0, 6.5), (0.5, 2.0, 0.0, 1e-3), (0.0, 1.0, 0.0, inf)],
)
def test_a_law_keeps_its_absolute_interval_and_its_promise(
    mean: float, std: float, low: float, high: float, dtype: str
) -> None:
    """Bounds are never passed but by the rounding of the dtype; mean and std are the exact truncated moments."""
    law = TruncatedNormal(mean, std, low, high)

    values = sample_range(law, Stream(1, "w"), DTYPES[dtype], 0, 200_000, Scratch()).astype(np.float64)

    step = {"float64": 0.0, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-9}[dtype]
    assert values.min() >= low - step * abs(low)
    assert values.max() <= (high + step * abs(high) if isfinite(high) else inf)
    mean_error, std_error = law.standard_errors(values.size)
    rounding = step * (abs(law.mean) + law.std)
    assert abs(values.mean() - law.mean) <= 5 * mean_error + rounding
    assert abs(values.std() - law.std) <= 5 * std_error + rounding
    if dtype in ("float64", "float32") and high - low > 0.1:
        reference = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
        assert stats.kstest(values, reference.cdf).pvalue > 1e-4


def test_any_range_is_the_slice_of_the_whole() -> None:
    """The general path is as addressable as the quick one."""
    law, scratch = TruncatedNormal(0.0, 1.0, 1.0, 3.0), Scratch()
    whole = sample_range(law, Stream(1, "w"), DTYPES["float32"], 0, 1001, scratch).tolist()

    assert sample_range(law, Stream(1, "w"), DTYPES["float32"], 333, 700, scratch).tolist() == whole[333:700]


def test_bounds_at_two_std_are_the_law_without_bounds() -> None:
    """JAX's lower=-2, upper=2 and Keras's cut give the same bytes."""
    stated, default = TruncatedNormal(0.0, 0.1, -0.2, 0.2), TruncatedNormal(0.0, 0.1)

    first = sample_range(stated, Stream(1, "w"), DTYPES["float32"], 0, 1000, Scratch())

    assert first.tolist() == sample_range(default, Stream(1, "w"), DTYPES["float32"], 0, 1000, Scratch()).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cut_beyond_every_draw_is_the_plain_normal(dtype: str) -> None:
    """PyTorch's usual call, std 0.02 within ±2, cuts at 100 std: the bytes are the normal's."""
    cut, plain = TruncatedNormal(0.0, 0.02, -2.0, 2.0), Normal(0.0, 0.02)

    first = sample_range(cut, Stream(1, "w"), DTYPES[dtype], 0, 1000, Scratch())

    assert first.tolist() == sample_range(plain, Stream(1, "w"), DTYPES[dtype], 0, 1000, Scratch()).tolist()


def test_an_interval_beyond_all_mass_is_refused() -> None:
    """40 std out there is nothing that float64 could hold."""
    with pytest.raises(ArgumentError, match="more than 37 std from the mean"):
        TruncatedNormal(0.0, 1.0, 40.0, 41.0).check(DTYPES["float64"])


def test_no_spread_is_the_mean_brought_into_the_interval() -> None:
    """std = 0 draws one value."""
    law = TruncatedNormal(0.0, 0.0, 1.0, 2.0)

    assert sample_range(law, Stream(1, "w"), DTYPES["float32"], 0, 3, Scratch()).tolist() == [1.0] * 3
    assert (law.mean, law.std) == (1.0, 0.0)
