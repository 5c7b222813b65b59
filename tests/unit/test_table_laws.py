"""Repeated rows, parts of Hadamard matrices, sinusoids: values in every range, and promises that are their moments."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from numpy.typing import NDArray
from scipy.linalg import hadamard

from initcli.dtypes import DTYPES
from initcli.elementary import QUARTER, TURN
from initcli.errors import ArgumentError
from initcli.frequencies import geometric, to_turns
from initcli.laws import Law
from initcli.laws.fixed import Broadcast
from initcli.laws.table import PartialHadamard, Sinusoids, Wave
from initcli.moments import measure
from initcli.report import agrees
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

UNIT = 2.0**-53

# Waves of every kind: still, slow, fast, near half a turn, sines and cosines, of both axes of a grid.
TURNS = [0, 1, TURN // 10**6, TURN // 7, TURN // 2 - 1, TURN // 2, TURN - 12345]
WAVES = tuple(Wave(turns, phase, is_down) for turns in TURNS for phase in (0, QUARTER) for is_down in (False, True))


def sample(law: Law, start: int, stop: int, dtype: str = "float64") -> NDArray[np.float64]:
    return sample_range(law, Stream(1, "w"), DTYPES[dtype], start, stop, Scratch()).copy()


def exact(law: Sinusoids) -> NDArray[np.float64]:
    """Return the table by mpmath, from the definition."""
    rows = []
    for row in range(law.rows):
        at = row - law.start
        places = divmod(at, law.side) if law.side else (at, at)
        angles = [place * w.turns + w.phase for w in law.waves for place in (places[0 if w.is_down else 1],)]
        with mp.workprec(300):
            rows.append([float(mp.sin(2 * mp.pi * mpf(angle % TURN) / TURN)) for angle in angles])
        if row == law.blank:
            rows[-1] = [0.0] * len(law.waves)
    return np.array(rows)


TABLES = [
    (Sinusoids(37, WAVES), 37 * len(WAVES)),
    (Sinusoids(37, WAVES, blank=5), 37 * len(WAVES)),
    (Sinusoids(1, WAVES), len(WAVES)),
    (Sinusoids(36, WAVES, side=6), 36 * len(WAVES)),
    (Sinusoids(26, WAVES, blank=0, start=1, side=5), 26 * len(WAVES)),
    (Broadcast((0.5, -3.0, 0.25), (3,), (10, 3)), 30),
    (PartialHadamard(13, 9, 4), 13 * 9),
    (PartialHadamard(16, 16, 4), 256),
    (PartialHadamard(5, 2, 3), 10),
]


@pytest.mark.parametrize("law", [law for law, _ in TABLES if isinstance(law, Sinusoids)])
def test_sinusoids_are_those_of_the_definition(law: Sinusoids) -> None:
    """To three units in the last place of one, against mpmath."""
    expected = exact(law)

    found = sample(law, 0, expected.size).reshape(expected.shape)

    np.testing.assert_allclose(found, expected, rtol=0, atol=3 * UNIT)


@pytest.mark.parametrize(("law", "size"), TABLES)
@given(data=st.data())
def test_any_range_is_that_part_of_the_whole(law: Law, size: int, data: st.DataObject) -> None:
    """Whatever row it begins and ends in, to the bit."""
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))

    np.testing.assert_array_equal(sample(law, start, stop), sample(law, 0, size)[start:stop])


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize(("law", "size"), TABLES)
def test_the_promise_is_what_is_measured(law: Law, size: int, dtype: str) -> None:
    """Mean, std and bounds in closed form against those of the values; one value too many and they would not agree."""
    values = sample(law, 0, size)

    # sums of at most some thousand values no greater than three, each good to 3 ulp
    rounding = 3 * max(abs(law.low), abs(law.high)) * 8 * UNIT
    assert law.mean == pytest.approx(values.mean(), abs=rounding)
    assert law.std == pytest.approx(values.std(), abs=rounding / (law.std or 1))
    assert law.low <= values.min()
    assert values.max() <= law.high
    stored = sample(law, 0, size, dtype).astype(np.float64)
    assert agrees(law, DTYPES[dtype], measure(stored, law.mean, Scratch()))


def test_the_promise_of_a_great_table_is_its_moments() -> None:
    """A position table of a million values, by NumPy's sine and cosine."""
    frequencies = geometric(10000.0, 128, 256)
    law = Sinusoids(4096, tuple(Wave(to_turns(f), phase) for phase in (0, QUARTER) for f in frequencies))

    angles = np.arange(4096)[:, None] * np.array([float(f) for f in frequencies])
    values = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    # angles below 4096 in float64 are off by half an ulp of the frequency, and half of the product
    assert law.mean == pytest.approx(values.mean(), abs=4096 * 2 * UNIT)
    assert law.std == pytest.approx(values.std(), abs=4096 * 2 * UNIT)


def test_a_table_far_out_keeps_its_digits() -> None:
    """At the last of four thousand million positions, against mpmath."""
    (turns,) = (to_turns(f) for f in geometric(10000.0, 2, 5)[1:])
    rows = 2**32
    with mp.workprec(300):
        angle = (rows - 1) * mpf(10000) ** (mpf(-2) / 5)
        expected = float(mp.sin(angle))

    (found,) = sample(Sinusoids(rows, (Wave(turns),)), rows - 1, rows)

    # the turns are off by half of 2⁻⁹⁶, times 2³², times 2π; and three ulp of the sine
    assert found == pytest.approx(expected, abs=pi * 2.0**-64 + 3 * UNIT)


@pytest.mark.parametrize("power", range(7))
def test_a_whole_hadamard_matrix_is_scipys_and_orthogonal(power: int) -> None:
    """Sylvester's, divided by the root of its rows."""
    rows = 2**power

    found = sample(PartialHadamard(rows, rows, power), 0, rows * rows).reshape(rows, rows)

    np.testing.assert_array_equal(found, hadamard(rows) * sqrt(0.5**power))
    # a sum of 2^power equal products, each rounded, and the scale's own rounding
    np.testing.assert_allclose(found @ found.T, np.eye(rows), atol=rows * 4 * UNIT)


@given(st.integers(1, 70), st.integers(1, 70))
def test_the_mean_of_a_part_of_a_hadamard_matrix_is_exact(rows: int, cols: int) -> None:
    """The sum of signs of a corner of any size, against SciPy's matrix."""
    law = PartialHadamard(rows, cols, 0)

    assert law.mean == hadamard(128)[:rows, :cols].sum() / (rows * cols)


@pytest.mark.parametrize("law", [Sinusoids(2, WAVES), PartialHadamard(4, 2, 2), Broadcast((0.5,), (1,), (2, 1))])
def test_fractions_are_refused_in_integers(law: Law) -> None:
    """They would be cut to zeros and ones."""
    with pytest.raises(ArgumentError, match="is no int32 value"):
        law.check(DTYPES["int32"])


def test_whole_numbers_are_taken_in_integers() -> None:
    """A row of whole numbers may fill an integer tensor."""
    law = Broadcast((-1.0, -2.0), (2,), (3, 2))
    law.check(DTYPES["int32"])

    assert sample(law, 1, 5, "int32").tolist() == [-2, -1, -2, -1]


def test_an_empty_table_promises_nothing_but_zeros() -> None:
    """No rows or no columns, and no division by zero."""
    for law in (Sinusoids(0, WAVES), Sinusoids(3, ()), PartialHadamard(3, 0, 2)):
        assert law.mean == 0
        assert sample(law, 0, 0).size == 0
