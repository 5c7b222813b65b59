"""Elements that a file holds in another order than they are drawn in: any cut gives the same values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.arrangement import AsDrawn, HalvesInterleaved, Source, Transposed


class Drawn:
    """A tensor of distinct values whose draws are gone at the next one, as the engine's are."""

    def __init__(self, size, step):
        self.values = np.arange(size, dtype=np.float32)
        self.buffer = np.empty(size, np.float32)
        self.longest = 0
        self.source = Source(self.draw, step, self.values.dtype)

    def draw(self, start, stop):
        """The elements, in memory that every draw uses again."""
        assert 0 <= start <= stop <= len(self.values)
        self.longest = max(self.longest, stop - start)
        self.buffer[: stop - start] = self.values[start:stop]
        self.buffer[stop - start :] = np.nan
        return self.buffer[: stop - start]


@st.composite
def heads(draw):
    """An order of whole heads, its drawn tensor and where that is cut."""
    rows, width, count = 2 * draw(st.integers(1, 5)), draw(st.integers(1, 7)), draw(st.integers(1, 4))
    size = rows * width * count
    cuts = sorted(draw(st.sets(st.integers(1, max(1, size - 1)), max_size=6)))
    return HalvesInterleaved(rows, width), count, [0, *(cut for cut in cuts if cut < size), size]


@given(heads())
def test_interleaved_halves_are_those_of_llama_cpps_converter_however_they_are_cut(case):
    """`w.reshape(heads, 2, rows / 2, …).swapaxes(1, 2)`, as `LlamaModel.permute` of convert_hf_to_gguf.py has it."""
    order, count, cuts = case
    drawn = Drawn(count * order.rows * order.width, 1)
    weights = drawn.values.reshape(count * order.rows, order.width)
    expected = weights.reshape(count, 2, order.rows // 2, order.width).swapaxes(1, 2).reshape(-1)

    parts = [order.take(drawn.source, a, b).copy() for a, b in pairwise(cuts)]

    assert np.array_equal(np.concatenate(parts), expected)


@given(heads())
def test_no_draw_is_longer_than_what_was_asked_for_and_two_pairs_of_rows(case):
    """Memory grows neither with the tensor nor with the head."""
    order, count, cuts = case
    for start, stop in pairwise(cuts):
        drawn = Drawn(count * order.rows * order.width, 1)

        order.take(drawn.source, start, stop)

        assert drawn.longest <= stop - start + 2 * order.width


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 100), st.data())
def test_a_transposed_matrix_is_numpys_whatever_is_drawn_at_once(rows, cols, step, data):
    """In steps of any length, from part of a row to all."""
    start = data.draw(st.integers(0, rows * cols))
    stop = data.draw(st.integers(start, rows * cols))
    drawn = Drawn(rows * cols, step)

    taken = Transposed(rows, cols).take(drawn.source, start, stop)

    assert np.array_equal(taken, drawn.values.reshape(rows, cols).T.reshape(-1)[start:stop])
    assert drawn.longest <= max(step, cols)


@pytest.mark.parametrize(("start", "stop"), [(0, 6), (2, 3), (4, 4)])
def test_what_stays_in_order_is_what_was_drawn(start, stop):
    """Nothing is moved."""
    drawn = Drawn(6, 1)

    assert AsDrawn().take(drawn.source, start, stop).tolist() == drawn.values[start:stop].tolist()
