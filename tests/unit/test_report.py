"""Promised beside observed, and the verdict."""

import json
from math import inf, nan

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.laws import Constant, Law, Normal, Uniform
from initcli.laws.whole import Drawn, Orthogonal
from initcli.moments import Moments, measure
from initcli.report import Report, agrees
from initcli.resolution import load_plan
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

F32, BF16 = DTYPES["float32"], DTYPES["bfloat16"]


def moments(n: int, mean: float, std: float, low: float, high: float) -> Moments:
    return Moments(n, mean, std * std * n, low, high, 0)


@pytest.mark.parametrize(
    ("law", "observed", "verdict"),
    [
        (Normal(0, 1), moments(10_000, 0.049, 1.0, -4, 4), True),  # se(mean) = 0.01
        (Normal(0, 1), moments(10_000, 0.051, 1.0, -4, 4), False),
        (Normal(0, 1), moments(10_000, 0, 1.0353, -4, 4), True),  # se(std) = √(2 / 40000) = 0.00707
        (Normal(0, 1), moments(10_000, 0, 1.0355, -4, 4), False),
        (Normal(0, 1), moments(10_000, 0, 0.9645, -4, 4), False),
        (Uniform(-1, 1), moments(10_000, 0, 3**-0.5, -1, 1), True),
        (Uniform(-1, 1), moments(10_000, 0, 3**-0.5, -1.001, 1), False),
        (Uniform(-1, 1), moments(10_000, 0, 3**-0.5, -1, 1.001), False),
        (Constant(0.1), moments(5, 0.1, 0, 0.1, 0.1), True),
        (Constant(0.1), moments(5, 0.2, 0, 0.2, 0.2), False),
        (Normal(0, 1), Moments(), None),
        (Drawn(lambda shape, dtype: None, (2,)), moments(2, 0, 1, -1, 1), None),
    ],
)
def test_the_verdict_is_within_five_standard_errors_and_the_bounds(
    law: Law, observed: Moments, verdict: bool | None
) -> None:
    """Just inside agrees, just outside does not; where nothing is promised or drawn there is no verdict."""
    assert agrees(law, F32, observed) is verdict


@pytest.mark.parametrize("seed", [2459, 2877])
def test_an_orthogonal_matrix_whose_mean_lies_far_out_is_not_told_to_be_off(seed: int) -> None:
    """Its std lacks what its mean took: these two of 3000 have a mean 3.4 and 3.8 standard errors from zero."""
    law = Orthogonal(64, 64)

    observed = measure(law.sample(Stream(seed, "w"), F32).astype(np.float32), 0.0, Scratch())

    mean_error, std_error = law.standard_errors(observed.count)
    assert abs(observed.mean) > 3.3 * mean_error
    assert law.std - observed.std > 5 * std_error / 2.5  # more than std / size would allow
    assert agrees(law, F32, observed)


def test_rounding_to_a_small_dtype_is_allowed_for() -> None:
    """bfloat16 holds 0.1 as 0.10009765625, and a constant has no standard error to hide that."""
    stored = moments(5, 0.10009765625, 0, 0.10009765625, 0.10009765625)

    assert agrees(Constant(0.1), BF16, stored)
    assert not agrees(Constant(0.1), F32, stored)


@pytest.mark.parametrize(
    ("law", "observed", "verdict"),
    [
        (Normal(0, 1), Moments(9_999, 0.0, 9_999.0, -4, 4, infs=1), False),
        (Normal(0, 1), Moments(9_999, 0.0, 9_999.0, -4, 4, nans=1), False),
        (Normal(0, 1), Moments(infs=3), False),
        (Constant(inf), Moments(infs=3), None),
        (Constant(nan), Moments(nans=3), None),
        (Drawn(lambda shape, dtype: None, (3,)), Moments(2, 0.0, 2.0, -1, 1, nans=1), None),
        (Normal(0, 1e200), Moments(3, nan, nan, -1e200, 1e200), None),
    ],
)
def test_a_value_that_overflowed_disagrees(law: Law, observed: Moments, verdict: bool | None) -> None:
    """A law of finite moments has no infinite value; what promises none, or has no figure, has no verdict."""
    assert agrees(law, F32, observed) is verdict


def test_the_roundings_of_subnormal_values_are_allowed_for() -> None:
    """Draws of 1e-40 are whole multiples of 2⁻¹⁴⁹; an std a hundred such steps off is not."""
    values = sample_range(Normal(0, 1e-40), Stream(1, "w"), F32, 0, 100_000, Scratch())
    observed = measure(values, 0.0, Scratch())

    assert agrees(Normal(0, 1e-40), F32, observed)
    assert not agrees(Normal(0, 1.1e-40), F32, observed)


def test_the_total_promises_the_mixture_of_all_tensors() -> None:
    """Half zeros and half ones have mean ½ and std ½."""
    plan = load_plan(b"{initcli: 1, tensors: {a: {shape: [4], init: zeros}, b: {shape: [4], init: ones}}}", "s.yaml")

    report = Report.of(plan, [moments(4, 0, 0, 0, 0), moments(4, 1, 0, 1, 1)])

    assert (report.total.promised.mean, report.total.promised.std) == (0.5, 0.5)
    assert (report.total.observed.mean, report.total.observed.std) == (0.5, 0.5)
    assert report.total.agrees


def test_values_that_overflowed_keep_their_share_of_the_total() -> None:
    """Half of the tensors is infinite: the promise is still that of both."""
    plan = load_plan(b"{initcli: 1, tensors: {a: {shape: [4], init: zeros}, b: {shape: [4], init: ones}}}", "s.yaml")

    report = Report.of(plan, [moments(4, 0, 0, 0, 0), Moments(infs=4)])

    assert (report.total.promised.mean, report.total.promised.std) == (0.5, 0.5)
    assert (report.total.observed.mean, report.total.observed.infs, report.total.agrees) == (0.0, 4, False)


def test_the_data_is_strict_json() -> None:
    """What is not finite (bounds of a normal, statistics of nothing) is null."""
    plan = load_plan(b"{initcli: 1, tensors: {a: {shape: [0], init: random_normal}}}", "s.yaml")

    data = Report.of(plan, [Moments()]).to_data()

    row = json.loads(json.dumps(data, allow_nan=False))["tensors"][0]
    assert (row["mean"], row["min"], row["promised"]["low"], row["agrees"]) == (None, None, None, None)
