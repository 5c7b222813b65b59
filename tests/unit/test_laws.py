"""Laws: promises, filling and what each refuses."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import stats

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.laws import STD_WITHIN_2, Constant, Eye, Law, Normal, TruncatedNormal, Uniform
from initcli.laws.whole import Drawn, Orthogonal
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

FLOATS = ["float64", "float32", "float16", "bfloat16"]


def sample(law: Law, size: int, dtype: str = "float32", seed: int = 1) -> np.ndarray:
    return sample_range(law, Stream(seed, "w"), DTYPES[dtype], 0, size, Scratch())


def test_the_std_of_a_cut_normal_is_the_exact_one() -> None:
    """0.87962566103423975, facts and SciPy alike."""
    assert stats.truncnorm(-2, 2).std() == pytest.approx(STD_WITHIN_2, rel=1e-14)


@pytest.mark.parametrize(
    ("law", "reference"),
    [
        (Uniform(-0.3, 0.7), stats.uniform(-0.3, 1.0)),
        (Normal(1.0, 0.5), stats.norm(1.0, 0.5)),
        (TruncatedNormal(-1.0, 0.25), stats.truncnorm(-2, 2, -1.0, 0.25)),
    ],
)
def test_promises_are_the_moments_of_the_distribution(law: Law, reference: Any) -> None:
    """Mean, std, bounds and kurtosis against SciPy's distribution of the same name."""
    low, high = reference.support()

    assert law.mean == pytest.approx(reference.mean(), abs=1e-12)
    assert law.std == pytest.approx(reference.std(), rel=1e-12)
    assert (law.low, law.high) == (pytest.approx(low), pytest.approx(high))
    assert law.kurtosis == pytest.approx(float(reference.stats("k")) + 3, abs=1e-8)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_uniform_fills_its_interval_and_never_reaches_its_end(dtype: str) -> None:
    """[0, 1) in float32 and float64 excludes 1; in 16 bits rounding may give it, never more."""
    values = sample(Uniform(0.0, 1.0), 300_000, dtype).astype(np.float64)

    assert 0.0 <= values.min() < 1e-4
    assert 1 - 1e-4 < values.max() <= 1.0
    assert dtype in ("float16", "bfloat16") or values.max() < 1.0


def test_a_uniform_of_one_point_is_that_point() -> None:
    """Minval = maxval is allowed."""
    assert sample(Uniform(0.25, 0.25), 5).tolist() == [0.25] * 5


@pytest.mark.parametrize("maxval", [1.0 + 2.0**-20, 1.0 + 2.0**-23])
def test_a_narrow_uniform_excludes_its_end_even_where_rounding_would_reach_it(maxval: float) -> None:
    """The last float32 below maxval is the greatest value."""
    values = sample(Uniform(1.0, maxval), 10_000)

    assert values.min() >= 1.0
    assert values.max() < np.float32(maxval)


@pytest.mark.parametrize("law", [Uniform(-1.0, 1.0), Normal(), TruncatedNormal()])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_small_floats_are_the_float32_value_rounded_once_to_nearest_even(law: Law, dtype: str) -> None:
    """Against an independent rounding: the nearest of the two neighbours, ties to the even one."""
    wide = sample(law, 20_000).astype(np.float64)
    narrow = sample(law, 20_000, dtype)

    bits = {"float16": 10, "bfloat16": 7}[dtype]
    least = {"float16": -14, "bfloat16": -126}[dtype]
    exponent = np.maximum(np.frexp(wide)[1] - 1, least)
    step = np.ldexp(1.0, exponent - bits)
    assert (narrow.astype(np.float64) == np.rint(wide / step) * step).all()


def test_float64_takes_a_whole_word_for_each_element() -> None:
    """Its values are not the float32 ones widened."""
    wide = sample(Normal(), 1000, "float64")

    assert (wide != wide.astype(np.float32)).mean() > 0.99


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (4, 4), (3, 7), (7, 3), (1, 5), (0, 3), (3, 0)])
def test_an_eye_is_numpys_eye_whole_and_in_every_part(rows: int, cols: int) -> None:
    """Every range of elements equals the slice; promises equal the exact moments."""
    law, whole = Eye(rows, cols, 2.0), 2.0 * np.eye(rows, cols).reshape(-1)

    for start in range(rows * cols + 1):
        for stop in range(start, rows * cols + 1):
            part = sample_range(law, Stream(0, "w"), DTYPES["float32"], start, stop, Scratch())
            assert part.tolist() == whole[start:stop].tolist()
    if whole.size:
        assert (law.mean, law.std) == (pytest.approx(whole.mean()), pytest.approx(whole.std()))


@pytest.mark.parametrize(("rows", "cols"), [(5, 5), (8, 3), (3, 8), (1, 6), (6, 1), (0, 4)])
@pytest.mark.parametrize("gain", [1.0, 2.5, -1.0])
def test_an_orthogonal_matrix_has_orthonormal_rows_or_columns(rows: int, cols: int, gain: float) -> None:
    """W Wᵀ or Wᵀ W is gain² I to rounding, and the mean square is what std promises."""
    law = Orthogonal(rows, cols, gain)

    w = sample(law, rows * cols, "float64").reshape(rows, cols)

    gram = w @ w.T if rows <= cols else w.T @ w
    assert np.abs(gram - gain**2 * np.eye(min(rows, cols))).max(initial=0.0) < 1e-13 * gain**2
    if w.size:
        assert np.sqrt((w**2).mean()) == pytest.approx(law.std, rel=1e-12)


@pytest.mark.parametrize(("rows", "cols"), [(1200, 1000), (500, 3000)])
def test_the_peak_that_an_orthogonal_law_tells_is_enough(rows: int, cols: int) -> None:
    """What NumPy allocates while drawing stays below it, and the figure is no wild guess."""
    law = Orthogonal(rows, cols)
    tracemalloc.start()

    sample(law, rows * cols)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert 0.5 * law.peak_nbytes(DTYPES["float32"]) < peak <= law.peak_nbytes(DTYPES["float32"]) + 10 * 2**20


def test_orthogonal_entries_are_those_of_a_haar_matrix() -> None:
    """Without the sign fix the diagonal would lean to one side; an entry of Haar O(n) is symmetric about 0."""
    diagonal = [float(sample(Orthogonal(4, 4), 16, "float64", seed)[0]) for seed in range(2000)]

    # the first entry of a uniform unit vector in 4 dimensions: (1 + x) / 2 is Beta(3/2, 3/2)
    assert stats.kstest((np.array(diagonal) + 1) / 2, stats.beta(1.5, 1.5).cdf).pvalue > 1e-4


@pytest.mark.parametrize("law", [Uniform(-1, 1), Normal(), TruncatedNormal(), Orthogonal(2, 2)])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_random_laws_refuse_integers(law: Law, dtype: str) -> None:
    """An integer tensor takes constants alone."""
    with pytest.raises(ArgumentError, match=f"cannot fill {dtype}"):
        law.check(DTYPES[dtype])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.5, "int32"), (128, "int8"), (-1, "uint8"), (2, "bool"), (1e39, "float32"), (2**64, "uint64")],
)
def test_a_constant_that_the_dtype_cannot_hold_is_refused(value: float, dtype: str) -> None:
    """Nothing is rounded or wrapped silently."""
    with pytest.raises(ArgumentError):
        Constant(value).check(DTYPES[dtype])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(3.0, "int32"), (-128, "int8"), (2**63, "uint64"), (True, "bool"), (1, "bool"), (0.1, "float16")],
)
def test_a_constant_that_the_dtype_holds_is_stored(value: float, dtype: str) -> None:
    """Whole numbers in integers, 0 and 1 in bools, anything in floats."""
    law = Constant(value)

    law.check(DTYPES[dtype])

    assert sample(law, 2, dtype).tolist() == np.array([value] * 2).astype(DTYPES[dtype].numpy).tolist()


@pytest.mark.parametrize("law", [Normal(0, 1e39), Normal(1e39, 1), Uniform(-3e38, 3e38), TruncatedNormal(0, 2e38)])
def test_parameters_beyond_float32_are_refused_there_and_taken_in_float64(law: Law) -> None:
    """No infinity comes out of a law whose own numbers overflow."""
    law.check(DTYPES["float64"])
    with pytest.raises(ArgumentError, match="do not fit float32"):
        law.check(DTYPES["float32"])


def test_a_value_too_great_for_float16_becomes_infinite_without_a_warning() -> None:
    """That is the format's rule; the report shows it."""
    assert np.isinf(sample(Normal(0, 1e6), 100, "float16")).any()


def test_what_a_function_returns_is_checked() -> None:
    """A wrong shape or dtype is an error that says both."""
    law = Drawn(lambda shape, dtype: np.zeros((3,), dtype), (2,))

    with pytest.raises(ArgumentError, match=r"float32 of shape \(3,\), not float32 of shape \(2,\)"):
        sample(law, 2)
