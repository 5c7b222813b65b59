"""Element types: what each rounds to, and how far."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.dtypes import DTYPES, DType, parse_dtype
from initcli.errors import ArgumentError
from initcli.laws import Constant, Normal, Uniform
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


def test_a_value_that_float8_would_make_nan_is_refused() -> None:
    """float8_e4m3fn has no infinity: 449 would become nan without a word."""
    dtype = DTYPES["float8_e4m3fn"]

    Constant(448.0).check(dtype)
    Uniform(-448.0, 448.0).check(dtype)
    for law in (Constant(449.0), Uniform(-449.0, 0.0), Normal(0.0, 500.0)):
        with pytest.raises(ArgumentError):
            law.check(dtype)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_a_dtype_is_found_by_what_numpy_makes_of_it(dtype: DType) -> None:
    """The NumPy dtype has the size that is said, and leads back by itself and by its scalar type."""
    made: Any = dtype.numpy

    assert made.itemsize == dtype.itemsize
    assert parse_dtype(made) == parse_dtype(made.type) == dtype
