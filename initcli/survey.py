"""The statistics of weights that lie in a file: each tensor read once, piece by piece, and measured by several threads.

A complex number is measured as its two parts. What is not finite is counted and kept out of the other figures. The cut
into pieces does not depend on the number of threads, so neither do the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DTYPES
from initcli.engine import Progress, _ordered
from initcli.formats import Entry, Format
from initcli.histogram import Histogram, tally
from initcli.moments import Moments, measure
from initcli.scratch import Scratch

CHUNK_ELEMS = 1 << 17
"""As float64 a piece of so many elements and its scratch stay in the second-level cache."""
GREATEST_SQUARED = 1e150
"""Beyond it squares and their sums leave float64: of such values only the extremes are told."""
MEASURED = {*DTYPES, "complex128"}
"""The element types whose values are numbers that NumPy reads."""

_scratch = Scratch()


@dataclass(frozen=True)
class Survey:
    """What was seen of values: the `moments` and the `histogram` of the finite ones; how many are nan, how many ±inf."""

    moments: Moments = Moments()
    histogram: Histogram = Histogram()
    nans: int = 0
    infs: int = 0

    def merge(self, other: Survey) -> Survey:
        """Return the survey of both."""
        return Survey(
            self.moments.merge(other.moments),
            self.histogram.merge(other.histogram),
            self.nans + other.nans,
            self.infs + other.infs,
        )


def survey_file(
    chosen: Format, path: Path, entries: Sequence[Entry], jobs: int = 1, progress: Progress | None = None
) -> list[Survey | None]:
    """Return the survey of each tensor, in the entries' order; None for one whose elements are no numbers."""
    surveys = [Survey() if entry.dtype in MEASURED else None for entry in entries]
    for index, nbytes, survey in _ordered(_survey_piece, _read_pieces(chosen, path, entries), jobs):
        surveys[index] = survey.merge(surveys[index] or Survey())
        if progress:
            progress(nbytes)
    return surveys


def _read_pieces(chosen: Format, path: Path, entries: Sequence[Entry]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the tensors' indices and elements, some at a time, in any order that their place in the file gives."""
    measured = [index for index, entry in enumerate(entries) if entry.dtype in MEASURED]
    arrays = chosen.read_tensors(path, (entries[index].name for index in measured))
    for index, array in zip(measured, arrays, strict=True):
        flat = array.ravel(order="K")
        for start in range(0, flat.size, CHUNK_ELEMS):
            yield index, flat[start : start + CHUNK_ELEMS]


def _survey_piece(piece: tuple[int, NDArray[Any]]) -> tuple[int, int, Survey]:
    """Return the tensor's index, the bytes and the survey of some of its elements."""
    index, elements = piece
    parts = elements.view(elements.real.dtype) if elements.dtype.kind == "c" else elements
    return index, elements.nbytes, survey(parts.astype(np.float64))


def survey(values: NDArray[np.float64]) -> Survey:
    """Return what there is to see of some values.

    >>> seen = survey(np.array([1.0, 3.0, np.nan, -np.inf]))
    >>> seen.moments.mean, seen.moments.std, seen.nans, seen.infs
    (2.0, 1.0, 1, 1)
    """
    is_finite = np.isfinite(values)
    nans = infs = 0
    if not is_finite.all():
        nans = int(np.count_nonzero(np.isnan(values)))
        infs = len(values) - int(np.count_nonzero(is_finite)) - nans
        values = values[is_finite]
    if not len(values):
        return Survey(nans=nans, infs=infs)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = measure(values, float(values.mean()), _scratch)
    if max(-moments.min, moments.max) > GREATEST_SQUARED:
        moments = replace(moments, mean=nan, m2=nan)
    return Survey(moments, tally(values, moments.min, moments.max), nans, infs)
