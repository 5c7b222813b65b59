"""The stream and its laws as randomness: computed tolerances, fixed seeds.

A p-value below 1e-4 fails: with some sixty such tests on fixed seeds that is one chance in 160 for a sound generator,
and it has been taken.
"""

import numpy as np
import pytest
from scipy import stats

from initcli.dtypes import DTYPES
from initcli.laws import Law, Normal, TruncatedNormal, Uniform
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

LEAST_P = 1e-4
SIZE = 1_000_000


def normal(name: str, seed: int, size: int = SIZE) -> np.ndarray:
    return sample_range(Normal(), Stream(seed, name), DTYPES["float32"], 0, size, Scratch()).astype(np.float64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("law", "reference"),
    [
        (Uniform(-2.0, 5.0), stats.uniform(-2, 7)),
        (Normal(1.0, 3.0), stats.norm(1, 3)),
        (TruncatedNormal(1.0, 3.0), stats.truncnorm(-2, 2, 1, 3)),
    ],
)
def test_draws_follow_their_law(law: Law, reference: object, dtype: str) -> None:
    """Kolmogorov–Smirnov on a million draws against SciPy's distribution."""
    values = sample_range(law, Stream(1, dtype), DTYPES[dtype], 0, SIZE, Scratch())

    assert stats.kstest(values, reference.cdf).pvalue > LEAST_P  # type: ignore[attr-defined]


@pytest.mark.parametrize("bits", [32, 64])
def test_the_low_and_high_bits_of_draws_are_even(bits: int) -> None:
    """Chi-square of the lowest and of the highest eight bits over 256 cells."""
    draws = Stream(2, "bits").draws(0, SIZE, bits)

    for byte in (draws & 0xFF, (draws >> (bits - 8)) & 0xFF):
        assert stats.chisquare(np.bincount(byte, minlength=256)).pvalue > LEAST_P


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("h.0.w", 7), ("h.1.w", 7)),
        (("w", 7), ("w ", 7)),
        (("a", 7), ("b", 7)),
        (("w", 7), ("w", 8)),
        (("w", 0), ("w", 2**32)),
        (("w", 0), ("w", 2**64)),
        (("kernel", 1), ("bias", 1)),
    ],
)
def test_similar_names_and_neighbouring_seeds_are_not_correlated(
    first: tuple[str, int], second: tuple[str, int]
) -> None:
    """Their correlation over a million elements, at lags 0 and ±1, is within five standard errors 1/√n of zero."""
    a, b = normal(*first), normal(*second)

    for x, y in ((a, b), (a[1:], b[:-1]), (a[:-1], b[1:])):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(len(x))


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 16, 64, 1024, 65_536, 131_072])
def test_elements_are_not_correlated_with_their_neighbours(lag: int) -> None:
    """Neither the values nor their sizes: both halves of a word, words in a row, and elements a chunk apart."""
    values = normal("lags", 3)

    for x in (values, values**2):
        assert abs(np.corrcoef(x[lag:], x[:-lag])[0, 1]) < 5 / np.sqrt(len(x) - lag)


def test_pairs_of_neighbours_fill_the_square_evenly() -> None:
    """Chi-square of (element 2i, element 2i + 1), the two halves of one word, over 64 × 64 cells."""
    draws = Stream(4, "pairs").draws(0, 2 * SIZE, 32)
    cells = ((draws[::2] >> 26) + 32) * 64 + (draws[1::2] >> 26) + 32

    assert stats.chisquare(np.bincount(cells, minlength=64 * 64)).pvalue > LEAST_P


def test_tensors_are_uncorrelated_in_their_first_element_too() -> None:
    """The first elements of ten thousand names in a row are a normal sample."""
    firsts = [normal(f"layer.{i}.weight", 0, 1)[0] for i in range(10_000)]

    assert stats.kstest(firsts, "norm").pvalue > LEAST_P
    assert abs(np.corrcoef(firsts[1:], firsts[:-1])[0, 1]) < 5 / np.sqrt(len(firsts))
