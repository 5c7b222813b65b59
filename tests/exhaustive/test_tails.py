"""Tail counts of 10⁸ draws: the share beyond 3, 4 and 5 sigma is that of the normal."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from initcli.dtypes import DTYPES
from initcli.laws import Normal
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

DRAWS, CHUNK = 10**8, 1 << 17


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_hold_as_many_values_as_the_normal_says(dtype: str) -> None:
    """Each side apart: n p ± 5 √(n p (1 − p)); at 5 sigma some 29 values are expected."""
    stream, scratch, sigmas = Stream(11, "tails"), Scratch(), (3.0, 4.0, 5.0)
    counts = dict.fromkeys([*sigmas, *(-s for s in sigmas)], 0)

    for start in range(0, DRAWS, CHUNK):
        values = sample_range(Normal(), stream, DTYPES[dtype], start, min(start + CHUNK, DRAWS), scratch)
        for s in sigmas:
            counts[s] += int(np.count_nonzero(values > s))
            counts[-s] += int(np.count_nonzero(values < -s))

    for s, count in counts.items():
        expected = DRAWS * stats.norm.sf(abs(s))
        print(f"{dtype}: {count:,} beyond {s:+g} sigma, {expected:,.0f} expected")
        assert abs(count - expected) < 5 * sqrt(expected)
