"""Two runs of elements, two lists of tensors: what is the same, and what is not."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from initcli.comparison import SAME, Contrast, Pair, Sample, Tolerance, Verdict, contrast_bits, contrast_values, pair_up
from initcli.formats import Entry

nan, inf = math.nan, math.inf
NUMBERS = arrays(np.float32, 6, elements=st.sampled_from([0.0, -0.0, 1.0, 1.5, -2.0, 1e-45, 3e38, inf, -inf, nan]))


def floats(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


def test_nan_is_as_nan_and_minus_zero_as_zero() -> None:
    """Values are compared, not their bits."""
    assert contrast_values(floats(nan, 0.0, inf), floats(-nan, -0.0, inf), 0, Tolerance()) == SAME


def test_what_differs_is_counted_measured_and_placed() -> None:
    """|a − b| and its share of the greater, from the elements that are not the same; the first by its number."""
    found = contrast_values(floats(1, 2, 3, 4), floats(1, 4, 3, 4.5), 100, Tolerance())

    assert found == Contrast(2, 2, Sample(101, 2.0, 4.0), 2.0, 0.5)


@pytest.mark.parametrize(
    ("tolerance", "beyond"), [(Tolerance(0.5), 1), (Tolerance(2), 0), (Tolerance(0, 0.4), 1), (Tolerance(0.4, 0.4), 0)]
)
def test_a_tolerance_is_absolute_and_relative_to_the_greater(tolerance: Tolerance, beyond: int) -> None:
    """2 and 4: 2 apart, 0.5 of the greater; 4 and 4.5: 0.5 apart, a ninth of the greater."""
    found = contrast_values(floats(2, 4), floats(4, 4.5), 0, tolerance)

    assert (found.unequal, found.beyond) == (2, beyond)
    assert (found.first is None) == (beyond == 0)


@pytest.mark.parametrize(("a", "b"), [(inf, 1.0), (inf, -inf), (nan, 1.0), (nan, inf)])
def test_no_tolerance_makes_the_infinite_equal_to_the_finite(a: float, b: float) -> None:
    """Their distance is infinite, and so is its share."""
    found = contrast_values(floats(a), floats(b), 0, Tolerance(1e300, 1.0))

    assert (found.beyond, found.max_abs, found.max_rel) == (1, inf, inf)


@given(NUMBERS, NUMBERS, st.sampled_from([Tolerance(), Tolerance(0.5), Tolerance(0, 0.5), Tolerance(1, 1)]))
def test_the_verdict_is_the_same_from_either_side(a: Any, b: Any, tolerance: Tolerance) -> None:
    """Counts and distances do not depend on which is first."""
    there, back = contrast_values(a, b, 0, tolerance), contrast_values(b, a, 0, tolerance)

    assert (there.unequal, there.beyond, there.max_abs, there.max_rel) == (
        back.unequal,
        back.beyond,
        back.max_abs,
        back.max_rel,
    )


@given(NUMBERS, NUMBERS, st.integers(0, 6))
def test_runs_merge_to_the_contrast_of_the_whole(a: Any, b: Any, cut: int) -> None:
    """The cut into chunks changes nothing."""
    whole = contrast_values(a, b, 0, Tolerance())
    parts = contrast_values(a[:cut], b[:cut], 0, Tolerance()).merge(contrast_values(a[cut:], b[cut:], cut, Tolerance()))

    assert repr(parts) == repr(whole)


def test_whole_numbers_of_64_bits_are_compared_exactly() -> None:
    """Neighbours beyond 2⁵³ differ by one, and the ends of the range by 2⁶⁴ − 1."""
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max

    found = contrast_values(np.array([2**62 + 1, 5]), np.array([2**62, 5]), 0, Tolerance())
    ends = contrast_values(np.array([least]), np.array([most]), 0, Tolerance())

    assert (found.beyond, found.max_abs) == (1, 1.0)
    assert ends.max_abs == float(2**64 - 1)


def test_values_of_other_dtypes_are_compared_as_numbers() -> None:
    """0.1 in bfloat16 is 0.10009765625; a bool is 0 or 1; a complex number's distance is that in the plane."""
    short = contrast_values(floats(0.5, 0.1), floats(0.5, 0.1).astype(ml_dtypes.bfloat16), 0, Tolerance())
    truth = contrast_values(np.array([True, False]), floats(1, 1), 0, Tolerance())
    plane = contrast_values(np.array([3 + 4j], "c8"), np.array([0j], "c8"), 0, Tolerance())

    assert short.beyond == 1
    assert short.max_abs == 0.10009765625 - float(np.float32(0.1))
    assert (truth.beyond, truth.max_abs) == (1, 1.0)
    assert plane.max_abs == 5.0


def test_bits_tell_what_values_do_not() -> None:
    """−0 is not 0 and one nan not another where files must be the same to the bit."""
    a, b = floats(0.0, nan, 1), floats(-0.0, nan, 1)
    b.view(np.uint32)[1] ^= 1

    found = contrast_bits(a, b, 7)

    assert (found.unequal, found.beyond) == (2, 2)
    assert found.first is not None
    assert found.first.number == 7


def test_bits_within_a_tolerance_are_unequal_and_not_beyond() -> None:
    """What another machine's rounding makes is counted, and no difference."""
    a = floats(0.25, 0.5)

    near = contrast_bits(a, np.nextafter(a, np.float32(1)), 0, Tolerance(1e-6))
    far = contrast_bits(a, a + np.float32(1e-3), 0, Tolerance(1e-6))

    assert (near.unequal, near.beyond, near.first) == (2, 0, None)
    assert (far.unequal, far.beyond) == (2, 2)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (("float32", (2, 3)), ("float32", (2, 3)), Verdict.EQUAL),
        (("float32", (2, 3)), ("float16", (2, 3)), Verdict.DTYPE),
        (("float32", (2, 3)), ("float16", (3, 2)), Verdict.SHAPE),
        (("float32", (2, 3)), None, Verdict.ONLY_A),
        (None, ("float32", (2, 3)), Verdict.ONLY_B),
    ],
)
def test_a_pair_is_judged_by_presence_then_shape_then_dtype(a: Any, b: Any, verdict: Verdict) -> None:
    """The gravest first; only then values are asked for."""
    sides = [[Entry("w", *each, 0)] if each else [] for each in (a, b)]

    pairs = pair_up(*sides)

    assert pairs["w"].verdict is verdict


def test_values_beyond_the_tolerance_differ_and_others_are_rounding() -> None:
    """The contrast decides where shape and dtype agree."""
    entry = Entry("w", "float32", (2,), 8)

    assert Pair("w", entry, entry, Contrast(1, 1)).verdict is Verdict.VALUES
    assert Pair("w", entry, entry, Contrast(1, 0)).verdict is Verdict.ROUNDING
