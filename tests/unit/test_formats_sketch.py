"""A sketch behaves as a file, and keeps only what is written."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from initcli.formats.sketch import PAGE_NBYTES, Sketch

WRITES = st.lists(st.tuples(st.integers(0, 3 * PAGE_NBYTES), st.binary(max_size=2 * PAGE_NBYTES)), max_size=6)


@given(writes=WRITES, size=st.integers(0, 6 * PAGE_NBYTES))
def test_a_sketch_reads_as_a_file_with_the_same_writes(writes, size):
    """Overlaps, holes, page borders and a length set at the end: the bytes are those of `BytesIO`."""
    sketch, file = Sketch(), io.BytesIO()

    for offset, data in writes:
        for each in (sketch, file):
            each.seek(offset)
            each.write(data)
    sketch.truncate(size)
    wanted = file.getvalue()[:size].ljust(size, b"\0")

    rebuilt = bytearray(size)
    for offset, piece in sketch.pieces():
        rebuilt[offset : offset + len(piece)] = piece
    sketch.seek(0)
    assert rebuilt == wanted
    assert sketch.read(size) == wanted
    assert sketch.tell() == size


def test_a_hole_takes_no_room():
    """Two bytes a terabyte apart are two pages."""
    sketch = Sketch()

    for offset in (0, 1 << 40):
        sketch.seek(offset)
        sketch.write(b"x")

    assert sketch.size == (1 << 40) + 1
    assert [(offset, len(piece)) for offset, piece in sketch.pieces()] == [(0, PAGE_NBYTES), (1 << 40, 1)]
