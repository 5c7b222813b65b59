"""Statistics of what lies in a file: NumPy's own figures of the whole tensor, however it is cut and by how many."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from initcli.formats.chunks import CHUNK_ELEMS
from initcli.formats.weights import open_weights
from initcli.survey import survey_file, survey_values

RNG = np.random.default_rng(5)
TENSORS = {
    "normal": RNG.normal(3.0, 0.02, 2 * CHUNK_ELEMS + 7).astype(np.float32),
    "short": RNG.normal(0, 1, 1000).astype(ml_dtypes.bfloat16),
    "whole": RNG.integers(-5, 5, (40, 50)),
    "truth": RNG.integers(0, 2, 99).astype(bool),
    "complex": (RNG.normal(size=64) + 1j * RNG.normal(size=64)).astype(np.complex64),
    "empty": np.empty((3, 0), np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that the format's own library wrote."""
    save_file(TENSORS, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


@pytest.mark.parametrize("name", TENSORS)
def test_the_figures_are_numpys(path: Path, name: str) -> None:
    """Mean and std to the rounding of n float64 sums, and the rest to the bit; a complex number is two."""
    survey = survey_file(open_weights(path))[name]

    array = TENSORS[name]
    values = np.ravel(array.view(np.float32) if name == "complex" else array).astype(np.float64)
    assert survey is not None
    assert survey.moments.count == values.size == sum(survey.histogram.counts)
    assert survey.moments.zeros == np.count_nonzero(values == 0)
    if values.size:
        rounding = values.size * np.finfo(np.float64).eps * np.abs(values).max()
        assert abs(survey.moments.mean - values.mean()) <= rounding
        assert abs(survey.moments.std - values.std()) <= rounding
        assert (survey.moments.min, survey.moments.max) == (values.min(), values.max())


def test_the_number_of_threads_changes_no_digit(path: Path) -> None:
    """The chunks are the same, and merged in their order."""
    assert survey_file(open_weights(path), jobs=1) == survey_file(open_weights(path), jobs=3)


def test_every_byte_is_told_as_progress(path: Path) -> None:
    """The bar ends at the end."""
    told: list[int] = []

    survey_file(open_weights(path), jobs=2, progress=told.append)

    assert sum(told) == sum(array.nbytes for array in TENSORS.values())


def test_what_is_not_finite_is_counted_and_kept_out() -> None:
    """Mean and std are those of the other values; without any there is no figure."""
    seen = survey_values(np.array([np.nan, 1.0, np.inf, -np.inf, 3.0, np.nan]))
    none = survey_values(np.array([np.nan, np.inf]))

    assert (seen.moments.nans, seen.moments.infs, seen.moments.count) == (2, 2, 2)
    assert (seen.moments.mean, seen.moments.std, seen.moments.max) == (2.0, 1.0, 3.0)
    assert (none.moments.nans, none.moments.infs, none.moments.count, none.histogram.counts) == (1, 1, 0, ())


def test_of_numbers_whose_squares_overflow_only_the_extremes_are_told() -> None:
    """No figure is better than a wrong one, and nothing warns."""
    seen = survey_values(np.array([1e300, -1e300, 0.0])).moments

    assert isnan(seen.mean)
    assert isnan(seen.std)
    assert (seen.min, seen.max, seen.zeros) == (-1e300, 1e300, 1)


def test_elements_that_are_no_numbers_have_no_survey(tmp_path: Path) -> None:
    """Texts in an HDF5 file; what stands beside them is measured."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["words"] = ["a", "b"]
        file["numbers"] = np.ones(3, np.float32)

    surveys = survey_file(open_weights(tmp_path / "w.h5"))

    assert surveys["words"] is None
    assert surveys["numbers"] is not None
    assert surveys["numbers"].moments.mean == 1.0
