"""The statistics of weights that lie in a file: each tensor read once, chunk by chunk, and measured by several threads.

A complex number is measured as its two parts. The cut into chunks does not depend on the number of threads, so neither
do the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DTYPES
from initcli.formats.chunks import Chunk
from initcli.formats.weights import WeightFile
from initcli.histogram import Histogram, tally
from initcli.moments import Moments, keep_finite, measure
from initcli.scratch import Scratch
from initcli.workers import map_ordered

_scratch = Scratch()

NOTHING, EMPTY = Moments(), Histogram()


@dataclass(frozen=True)
class Survey:
    """What was seen of values: their `moments`, and the `histogram` of the finite ones."""

    moments: Moments = NOTHING
    histogram: Histogram = EMPTY

    def merge(self, other: Survey) -> Survey:
        """Return the survey of both."""
        return Survey(self.moments.merge(other.moments), self.histogram.merge(other.histogram))


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

    >>> survey_values(np.array([1.0, 3.0, np.nan, -np.inf])).moments
    Moments(count=2, mean=2.0, m2=2.0, min=1.0, max=3.0, zeros=0, nans=1, infs=1)
    """
    finite, nans, infs = keep_finite(values)
    if not len(finite):
        return Survey(Moments(nans=nans, infs=infs))
    with np.errstate(over="ignore", invalid="ignore"):
        moments = measure(finite, float(finite.mean()), _scratch)
    return Survey(replace(moments, nans=nans, infs=infs), tally(finite, moments.min, moments.max))
