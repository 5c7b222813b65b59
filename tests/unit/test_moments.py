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
