"""Element types: what each rounds to, and how far."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.dtypes import DTYPES, DType, parse_dtype
from initcli.errors import ArgumentError
from initcli.laws import Constant, ElementwiseLaw, Normal, Promise, Uniform
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

SHORT = [DTYPES[name] for name in ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")]


def store(dtype: DType, value: float) -> float:
    """Return what a tensor of one constant holds."""
    return float(sample_range(Constant(value), Stream(0, ""), dtype, 0, 1, Scratch())[0])


@pytest.mark.parametrize(
    ("dtype", "value", "stored"),
    [
        ("float8_e4m3fn", 1.0625, 1.0),  # a tie goes to the even mantissa
        ("float8_e4m3fn", 1.1875, 1.25),
        ("float8_e4m3fn", 448.0, 448.0),  # 1.75 × 2⁸, the greatest: S.1111.110
        ("float8_e4m3fn", 2.0**-9, 2.0**-9),  # the least: S.0000.001
        ("float8_e4m3fn", 2.0**-10, 0.0),
        ("float8_e4m3fn", 1.5 * 2.0**-10, 2.0**-9),
        ("float8_e5m2", 1.125, 1.0),
        ("float8_e5m2", 1.375, 1.5),
        ("float8_e5m2", 57344.0, 57344.0),  # 1.75 × 2¹⁵, the greatest: S.11110.11
        ("float8_e5m2", 61440.0, float("inf")),
        ("float8_e5m2", 2.0**-16, 2.0**-16),  # the least: S.00000.01
        ("float8_e5m2", 2.0**-17, 0.0),
    ],
)
def test_floats_of_eight_bits_round_once_to_nearest_even(dtype: str, value: float, stored: float) -> None:
    """The limits and ties of the Open Compute Project's OFP8 specification, revision 1.0, table 1."""
    assert store(DTYPES[dtype], value) == stored


class Given(ElementwiseLaw):
    """A law of given values."""

    def __init__(self, values: Any) -> None:
        self.values = values

    @property
    def promise(self) -> Promise:
        return Promise(0.0, 0.0)

    def fill(self, stream: Stream, start: int, out: Any, scratch: Scratch) -> None:
        out[:] = self.values[start : start + len(out)]


def decode(dtype: DType, word: int) -> float:
    """Return the number that a non-negative float's bits mean, from their fields: no library has a say."""
    bits, least_exponent = {"float16": (10, -14), "bfloat16": (7, -126), "float8_e4m3fn": (3, -6)}.get(
        dtype.name, (2, -14)
    )
    exponent, mantissa = divmod(word, 2**bits)
    return (
        mantissa * 2.0 ** (least_exponent - bits)
        if exponent == 0
        else ((1 + mantissa / 2**bits) * 2.0 ** (exponent - 1 + least_exponent))
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_every_halfway_point_goes_to_the_even_neighbour_and_its_neighbours_to_theirs(dtype: DType, sign: int) -> None:
    """Between all finite numbers, subnormals and the step beyond the greatest too: the float32 is rounded once."""
    words = range({"float16": 0x7C00, "bfloat16": 0x7F80, "float8_e4m3fn": 0x7F, "float8_e5m2": 0x7C}[dtype.name] + 1)
    numbers = np.array([decode(dtype, word) for word in words])
    halves = (sign * (numbers[:-1] + (numbers[1:] - numbers[:-1]) / 2)).astype(np.float32)
    below, above = np.nextafter(halves, np.float32(0)), np.nextafter(halves, np.float32(sign * np.inf))
    values = np.concatenate([halves, below, above])
    lower = np.array(words[:-1])

    stored = sample_range(Given(values), Stream(0, ""), dtype, 0, len(values), Scratch())

    is_exact = sign * (numbers[:-1] + (numbers[1:] - numbers[:-1]) / 2) == halves
    expected = np.concatenate([lower + lower % 2, lower, lower + 1]) + (sign < 0) * 2 ** (8 * dtype.itemsize - 1)
    assert is_exact.all()
    np.testing.assert_array_equal(stored.view(f"u{dtype.itemsize}"), expected)


@given(st.sampled_from(SHORT), st.floats(-400, 400, width=32))
def test_no_value_rounds_farther_than_is_said(dtype: DType, value: float) -> None:
    """Half a unit in the last place, and below the normal numbers half of the least one: exactly, in fractions."""
    moved = abs(Fraction(store(dtype, value)) - Fraction(value))

    assert moved <= Fraction(dtype.rounding(abs(value)))


@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_the_said_rounding_is_reached(dtype: DType) -> None:
    """A bound that is never met would let a wrong value pass."""
    values = np.linspace(1, 2, 4097, dtype=np.float32)

    farthest = max(abs(store(dtype, float(value)) - float(value)) for value in values)

    assert farthest == dtype.rounding(1.0)


@pytest.mark.parametrize(
    ("dtype", "greatest"),
    [
        ("float16", 65504.0),  # (2 − 2⁻¹⁰) × 2¹⁵
        ("bfloat16", 3.3895313892515355e38),  # (2 − 2⁻⁷) × 2¹²⁷
        ("float8_e4m3fn", 448.0),
        ("float8_e5m2", 57344.0),
        ("float32", 3.4028234663852886e38),
    ],
)
def test_a_law_whose_promise_lies_beyond_the_dtype_is_refused(dtype: str, greatest: float) -> None:
    """The greatest number itself is taken; the next float64 would become infinite, or nan, without a word."""
    beyond = float(np.nextafter(greatest, np.inf))

    Constant(greatest).check(DTYPES[dtype])
    Constant(float("-inf")).check(DTYPES[dtype])
    Uniform(0.0, greatest).check(DTYPES[dtype])
    for law in (Constant(beyond), Uniform(-beyond, 0.0), Normal(0.0, beyond)):
        with pytest.raises(ArgumentError):
            law.check(DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_a_dtype_is_found_by_what_numpy_makes_of_it(dtype: DType) -> None:
    """The NumPy dtype has the size that is said, and leads back by itself and by its scalar type."""
    made: Any = dtype.numpy

    assert made.itemsize == dtype.itemsize
    assert parse_dtype(made) == parse_dtype(made.type) == dtype
