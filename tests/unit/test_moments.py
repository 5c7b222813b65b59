"""Observed statistics and their merging."""

from math import isnan

import numpy as np
import pytest

from initcli.moments import Moments, measure
from initcli.scratch import Scratch


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("near", [0.0, 3.0, 1000.0])
def test_moments_are_those_that_numpy_computes_in_float64(real: type, near: float) -> None:
    """Sums are taken round the expected mean, so a large mean costs no digits."""
    values = (np.random.default_rng(0).standard_normal(10_000) + near).astype(real)
    values[:7] = 0

    moments = measure(values, near, Scratch())

    exact = values.astype(np.float64)
    tolerance = 20 * float(np.finfo(real).eps) * (1 + near)
    assert moments.count == 10_000
    assert moments.mean == pytest.approx(exact.mean(), abs=tolerance)
    assert moments.std == pytest.approx(exact.std(), rel=tolerance)
    assert (moments.min, moments.max, moments.zeros) == (exact.min(), exact.max(), 7)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_what_is_not_finite_is_counted_and_kept_out(real: type) -> None:
    """The figures are those of the other values, nan and both infinities are told by their number."""
    values = np.array([np.inf, 1, np.nan, 3, -np.inf, np.inf], real)

    moments = measure(values, 2.0, Scratch())
    none = measure(values[:1], 0.0, Scratch())

    assert moments == Moments(2, 2.0, 2.0, 1.0, 3.0, 0, nans=1, infs=3)
    assert (none.size, none.count, none.infs) == (1, 0, 1)
    assert none.merge(moments) == Moments(2, 2.0, 2.0, 1.0, 3.0, 0, nans=1, infs=4)


@pytest.mark.parametrize("scale", [2.0**-140, 2.0**-60, 2.0**60, 2.0**120])
def test_squares_that_leave_float32_are_taken_in_float64(scale: float) -> None:
    """Values of any size that float32 has are measured as well as those near one."""
    values = (np.arange(-100, 101) * scale).astype(np.float32)

    moments = measure(values, 0.0, Scratch())

    assert moments.std == pytest.approx(scale * ((201**2 - 1) / 12) ** 0.5, rel=1e-12)  # of a discrete uniform law


@pytest.mark.parametrize("scale", [1e-200, 1e300])
def test_where_squares_leave_float64_no_figure_is_told(scale: float) -> None:
    """Better none than a wrong one; extremes and zeros are known all the same, and nothing warns."""
    moments = measure(np.array([scale, -scale, 0.0]), 0.0, Scratch())

    assert isnan(moments.mean)
    assert isnan(moments.std)
    assert (moments.count, moments.min, moments.max, moments.zeros) == (3, -scale, scale, 1)


def test_nothing_measured_has_no_std() -> None:
    """An empty tensor has no mean or spread, and merging it changes nothing."""
    nothing = measure(np.empty(0, np.float32), 0.0, Scratch())
    some = measure(np.ones(3, np.float32), 0.0, Scratch())

    assert isnan(nothing.std)
    assert nothing.merge(some) == some == some.merge(nothing)


def test_negative_zeros_are_zeros() -> None:
    """They compare equal to zero."""
    assert measure(np.array([0.0, -0.0, 1.0], np.float32), 0.0, Scratch()).zeros == 2
    assert Moments().zeros == 0
