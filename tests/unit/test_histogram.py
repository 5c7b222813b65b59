"""Histograms that are made in one pass: NumPy counts the same, and merging loses nothing."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from initcli.histogram import MAX_BINS, Histogram, render_histogram, tally

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1, 1, width=32),
    st.integers(-300, 300).map(float),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308]),
)


def count(values: NDArray[np.float64]) -> Histogram:
    return tally(values, float(values.min()), float(values.max()))


@given(st.lists(st.lists(numbers, min_size=1, max_size=20), min_size=1, max_size=5))
def test_merged_histograms_are_that_of_all_values(parts: list[list[float]]) -> None:
    """To the last count, although no part knew the bounds of the others."""
    merged = reduce(Histogram.merge, (count(np.array(part)) for part in parts), Histogram())

    assert merged == count(np.concatenate([np.array(part) for part in parts]))


@given(st.lists(numbers, min_size=1))
def test_every_value_is_counted_in_its_bin(listed: list[float]) -> None:
    """At most so many bins, all of one width, none empty at either end."""
    values = np.array(listed)

    histogram = count(values)

    assert sum(histogram.counts) == len(values)
    assert len(histogram.counts) <= MAX_BINS
    assert histogram.counts[0]
    assert histogram.counts[-1]
    assert histogram.edges[0] <= values.min()
    assert values.max() <= histogram.edges[-1]


@pytest.mark.parametrize("scale", [1e-30, 0.02, 1.0, 1e30])
def test_numpy_counts_the_same_between_the_same_edges(scale: float) -> None:
    """More than half of the bins that there may be are used."""
    values = np.random.default_rng(1).normal(0, scale, 10_000)

    histogram = count(values)

    expected, _ = np.histogram(values, histogram.edges)
    assert list(histogram.counts) == expected.tolist()
    assert MAX_BINS / 2 < len(histogram.counts) <= MAX_BINS


def test_the_highest_block_is_the_fullest_bin_and_a_blank_an_empty_one() -> None:
    """One value among a million still shows."""
    assert render_histogram([1, 0, 1_000_000, 500_000]) == "▁ █▄"
    assert render_histogram([]) == ""
