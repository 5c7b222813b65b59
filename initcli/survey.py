"""The statistics of weights that lie in a file: each tensor read once, chunk by chunk, and measured by several threads.

A complex number is measured as its two parts. What is not finite is counted and kept out of the other figures. The cut
into chunks does not depend on the number of threads, so neither do the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DTYPES
from initcli.formats.chunks import Chunk
from initcli.formats.weights import WeightFile
from initcli.histogram import Histogram, tally
from initcli.moments import Moments, measure
from initcli.scratch import Scratch
from initcli.workers import map_ordered

GREATEST_SQUARED = 1e150
"""Beyond it squares and their sums leave float64: of such values only the extremes are told."""
_scratch = Scratch()

NOTHING, EMPTY = Moments(), Histogram()


@dataclass(frozen=True)
class Survey:
    """What was seen of values: `moments` and `histogram` of the finite ones, and how many are nan or ±inf."""

    moments: Moments = NOTHING
    histogram: Histogram = EMPTY
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
    weights: WeightFile, jobs: int = 1, progress: Callable[[int], None] | None = None
) -> dict[str, Survey | None]:
    """Return the survey of each tensor of a file by its name; None for one whose elements are no numbers."""
    entries = weights.header.entries
    surveys = {entry.name: Survey() if entry.dtype in DTYPES else None for entry in entries}
    names = [name for name, survey in surveys.items() if survey]
    for chunk, survey in map_ordered(_survey_chunk, weights.read_chunks(names), jobs):
        surveys[chunk.name] = survey.merge(surveys[chunk.name] or Survey())
        if progress:
            progress(chunk.values.nbytes)
    return surveys


def _survey_chunk(chunk: Chunk) -> tuple[Chunk, Survey]:
    """Return a chunk and what there is to see of it."""
    values = chunk.values
    parts = values.view(values.real.dtype) if values.dtype.kind == "c" else values
    return chunk, survey_values(parts.astype(np.float64))


def survey_values(values: NDArray[np.float64]) -> Survey:
    """Return what there is to see of some values.

    >>> seen = survey_values(np.array([1.0, 3.0, np.nan, -np.inf]))
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
