"""Parts of tensors as NumPy writes them: NumPy takes the same, and everything else is refused with a way out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.errors import ArgumentError
from initcli.selection import Index, keep_rows, parse_selection, split_selection

ARRAY = np.arange(4 * 5 * 6).reshape(4, 5, 6)

bounds = st.none() | st.integers(-9, 9)
slices = st.builds(slice, bounds, bounds, st.none() | st.integers(-3, 3).filter(bool))


def write(item: object) -> str:
    if isinstance(item, slice):
        start, stop, step = ("" if each is None else str(each) for each in (item.start, item.stop, item.step))
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
    return "..." if item is ... else str(item)


@given(
    st.lists(slices | st.integers(-4, 3), max_size=3), st.booleans(), st.integers(0, 3), st.sampled_from([",", ", "])
)
def test_a_selection_is_what_numpy_takes_it_for(items: list[object], is_open: bool, at: int, comma: str) -> None:
    """Indices, slices with steps, and one ellipsis anywhere."""
    if is_open:
        items = [*items[:at], ..., *items[at:]]

    indices = parse_selection(comma.join(map(write, items)), ARRAY.shape)

    assert np.array_equal(ARRAY[indices], ARRAY[tuple(items)])  # type: ignore[index]


@given(slices | st.integers(0, 3))
def test_the_rows_that_an_index_spans_are_enough(index: Index) -> None:
    """What is taken of these rows alone is what is taken of all, and the outermost of them are needed."""
    rows, shifted = keep_rows(index, 4)

    taken = np.arange(4)[index]
    assert np.array_equal(np.arange(4)[rows.start : rows.stop][shifted], taken)
    assert not taken.size or (rows.start, rows.stop - 1) == (taken.min(), taken.max())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0:x", "`0:x` in `[0:x]` is no index and no slice"),
        ("__import__('os')", "is no index and no slice"),
        ("1:2:3:4", "is no index and no slice"),
        ("1,,2", "is no index and no slice"),
        ("None", "is no index and no slice"),
        ("1e3", "is no index and no slice"),
        ("٣", "is no index and no slice"),
        ("9" * 5000, "is no index and no slice"),
        ("::0", "has the step 0"),
        ("0,0,0,0", "is for 4 or more axes, and the tensor has 3"),
        ("...,0,...", "has `...` twice"),
        ("4", "there is no index 4 on axis 0: it has 0 to 3"),
        ("0,-6", "there is no index -6 on axis 1: it has 0 to 4"),
    ],
)
def test_what_is_no_selection_is_refused(text: str, words: str) -> None:
    """As data: nothing is evaluated."""
    with pytest.raises(ArgumentError) as raised:
        parse_selection(text, ARRAY.shape)

    assert words in str(raised.value)
    assert raised.value.faults[0].hint


def test_an_axis_without_elements_has_no_index() -> None:
    """A slice of it is empty."""
    assert parse_selection(":3", (0,)) == (slice(None, 3, None),)
    with pytest.raises(ArgumentError, match="it is empty"):
        parse_selection("0", (0,))


def test_the_last_brackets_are_the_selection() -> None:
    """A name may have brackets before them."""
    assert split_selection("a[0].w[1:2]") == ("a[0].w", "1:2")
    assert split_selection("a[0].w") == ("a[0].w", "...")
    assert split_selection("a]") == ("a]", "...")
