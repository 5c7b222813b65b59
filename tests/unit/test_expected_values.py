"""Every initializer against numbers from outside: `expected_values.yaml` says where each comes from."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import hypot, inf, isfinite, prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.initializers.base import Initializer, build, decide_law
from initcli.initializers.registry import find
from initcli.laws import Law

DATA: dict[str, Any] = yaml.load(  # by the loader that makes nothing but text, so that every digit stays
    Path(__file__).with_name("expected_values.yaml").read_text(encoding="utf-8"),
    Loader=yaml.BaseLoader,
)
WRITTEN_DIGITS = 12
STANDARD_ERRORS = 5
LEAST_SIZE_TO_REACH_THE_BOUNDS = 5000
DOUBLE, SINGLE = sys.float_info.epsilon, float(np.finfo(np.float32).eps)

PROMISED: dict[str, Callable[[Law, int], float]] = {
    "std": lambda law, _: law.std,
    "mean": lambda law, _: law.mean,
    "low": lambda law, _: law.low,
    "high": lambda law, _: law.high,
    "kurtosis": lambda law, _: law.kurtosis,
    "rms": lambda law, _: hypot(law.mean, law.std),
    "rms_modulus": lambda law, _: sqrt(2) * law.std,
    "squares": lambda law, size: size * (law.mean**2 + law.std**2),
    "nonzero_std": lambda law, _: law.nonzero_std,  # type: ignore[attr-defined]
}
"""What a law promises of a tensor of that size, by the data's words."""

SEEN: dict[str, Callable[[Any], float]] = {
    "std": np.std,
    "mean": np.mean,
    "rms": lambda values: sqrt(np.mean(values**2)),
    "rms_modulus": lambda values: sqrt(np.mean(values.real**2 + values.imag**2)),
    "squares": lambda values: float(np.sum(values**2)),
    "nonzero_std": lambda values: float(np.std(values[values != 0])),
}
"""What a sample shows, by the same words."""


@dataclass(frozen=True)
class Row:
    """One line of the data; its `init` is written as in a spec."""

    origin: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.fields.get('row', self.origin)} {self.fields['init']}"

    @property
    def initializer(self) -> Initializer:
        name, positional, named = parse_call(self.fields["init"])
        return build(find(name), named, positional)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.fields.get("shape", ()))

    @property
    def dtype(self) -> str:
        """The one that the sheet names; float64 otherwise, so that little is rounded."""
        return str(self.fields.get("dtype", "float64"))

    @property
    def law(self) -> Law:
        return decide_law(self.initializer, self.shape, parse_dtype(self.dtype))

    @property
    def numbers(self) -> dict[str, str]:
        """The expected numbers as they are written, without a bound's short form."""
        given = {name: self.fields[name] for name in PROMISED if name in self.fields}
        if "bound" in self.fields:
            given |= {"low": f"-{self.fields['bound']}", "high": self.fields["bound"]}
        return given

    def draw(self) -> Any:
        return self.initializer(self.shape, self.dtype, name=str(self))

    def last_digit(self, written: str) -> float:
        """Return half a unit of the last digit that was written, and what float64 rounds away beside it."""
        digits = int(self.fields.get("digits", WRITTEN_DIGITS))
        number = Decimal(written)
        if not number or not number.is_finite():
            return 0.0
        digits = max(digits, len(number.as_tuple().digits))
        return 0.5 * 10.0 ** (number.adjusted() - digits + 1) + 8 * DOUBLE * abs(float(written))


def rows(part: str, *having: str) -> list[Row]:
    """Return the rows of a part of the data that have one of these fields, or all of them."""
    found = [Row(group["origin"], fields) for group in DATA[part] for fields in group["rows"]]
    return [row for row in found if not having or any(name in row.fields for name in having)]


LAWS = [row for row in rows("expected") if row.numbers]


@pytest.mark.parametrize("row", [Row("constants", fields) for fields in DATA["constants"]], ids=str)
def test_the_cut_normals_have_the_moments_of_the_textbook(row: Row) -> None:
    """√(1 − 2 k φ(k) / (2 Φ(k) − 1)), and the fourth moment over the square of the second."""
    for name, written in row.numbers.items():
        assert abs(PROMISED[name](row.law, 1) - float(written)) <= row.last_digit(written), name


@pytest.mark.parametrize("row", LAWS, ids=str)
def test_a_law_promises_what_the_framework_gives(row: Row) -> None:
    """To the last digit that was written."""
    for name, written in row.numbers.items():
        promised, expected = PROMISED[name](row.law, prod(row.shape)), float(written)
        assert promised == expected or abs(promised - expected) <= row.last_digit(written), name


def allowed(row: Row, name: str, size: int, rounding: float) -> float:
    """Return how far a statistic of a sample may lie from the expected one: five standard errors, or `rounding`."""
    mean_error, std_error = row.law.standard_errors(size)
    expected = float(row.numbers.get(name, 0))
    errors = {
        "std": std_error,
        "mean": mean_error,
        "nonzero_std": expected / sqrt(2 * size * getattr(row.law, "share", 1)),
        "rms_modulus": std_error,  # √2 times that of the std of 2 size parts
    }
    if name not in errors:
        return rounding * expected  # the same for every draw
    return STANDARD_ERRORS * errors[name] + rounding * expected


@pytest.mark.parametrize("row", LAWS, ids=str)
def test_a_sample_of_ours_has_the_frameworks_moments_and_bounds(row: Row) -> None:
    """Within five standard errors; and where both bounds are near enough to be met, the sample comes near them."""
    values = row.draw()
    low, high = float(row.numbers.get("low", -inf)), float(row.numbers.get("high", inf))
    margin = row.last_digit(row.numbers.get("high", "0"))

    for name in row.numbers.keys() & SEEN.keys():
        within = allowed(row, name, values.size, values.size * DOUBLE) + row.last_digit(row.numbers[name])
        assert abs(SEEN[name](values) - float(row.numbers[name])) <= within, name
    if "high" in row.numbers:
        assert low - margin <= values.min() <= values.max() <= high + margin
    if isfinite(low) and isfinite(high) and values.size > LEAST_SIZE_TO_REACH_THE_BOUNDS:
        assert high - values.max() < 0.03 * (high - low) / 2
        assert values.min() - low < 0.03 * (high - low) / 2 or "bound" not in row.fields


@pytest.mark.parametrize("row", [row for row in LAWS if "observed" in row.fields], ids=str)
def test_a_sample_of_the_frameworks_agrees_with_our_law(row: Row) -> None:
    """What the framework itself drew, in float32, lies within five standard errors and the bounds of our law."""
    size = prod(row.shape)

    for name, written in row.fields["observed"].items():
        if name == "max":
            assert float(written) <= row.law.high * (1 + 2 * SINGLE)
        else:
            promised = PROMISED[name](row.law, size)
            assert abs(float(written) - promised) <= allowed(row, name, size, 4 * SINGLE), name


@pytest.mark.parametrize("row", rows("expected", "gain"), ids=str)
def test_a_gain_is_the_frameworks(row: Row) -> None:
    """By name, to the last digit that was written."""
    gain = row.initializer.gain_value()

    assert gain is not None
    assert abs(gain - float(row.fields["gain"])) <= row.last_digit(row.fields["gain"])


@pytest.mark.parametrize("row", rows("expected", "factor"), ids=str)
def test_a_recipe_multiplies_another_law_by_its_factor(row: Row) -> None:
    """Both laws at the same shape."""
    other = Row(row.origin, {**row.fields, "init": row.fields["over"]})

    assert abs(row.law.std / other.law.std - float(row.fields["factor"])) <= row.last_digit(row.fields["factor"])


@pytest.mark.parametrize("row", rows("spot_values", "values"), ids=str)
def test_a_tensor_that_is_no_draw_has_the_frameworks_values(row: Row) -> None:
    """Every element, to the last digit that was written."""
    drawn, written = row.draw(), np.array(row.fields["values"])

    assert drawn.shape == written.shape
    for value, text in zip(drawn.flat, written.flat, strict=True):
        assert abs(value - float(text)) <= row.last_digit(str(text))


@pytest.mark.parametrize("row", rows("spot_values", "begins"), ids=str)
def test_every_row_of_a_table_begins_and_ends_as_the_frameworks(row: Row) -> None:
    """To the last digit that was written."""
    drawn, begins, ends = row.draw(), row.fields["begins"], row.fields.get("ends", [])

    for line in drawn.reshape(-1, drawn.shape[-1]):
        for value, text in (*zip(line, begins, strict=False), *zip(line[::-1], ends[::-1], strict=False)):
            assert abs(value - float(text)) <= row.last_digit(text)


@pytest.mark.parametrize("row", rows("spot_values", "magnitude"), ids=str)
def test_all_values_have_the_frameworks_magnitude(row: Row) -> None:
    """Either sign, to the last digit that was written."""
    written = row.fields["magnitude"]

    assert np.abs(np.abs(row.draw()) - float(written)).max() <= row.last_digit(written)


@pytest.mark.parametrize("row", rows("spot_values", "softplus_within"), ids=str)
def test_steps_of_time_come_from_the_frameworks_interval_and_fill_it(row: Row) -> None:
    """ln(1 + eˣ) of every bias x; drawn evenly in logarithms, some come within 3 % of either end."""
    low, high = map(float, row.fields["softplus_within"])
    steps = np.log1p(np.exp(row.draw()))

    assert low * (1 - 8 * DOUBLE / low) <= steps.min() < 1.03 * low
    assert 0.97 * high < steps.max() <= high * (1 + 8 * DOUBLE)


@pytest.mark.parametrize("row", rows("spot_values", "ones", "runs"), ids=str)
def test_ones_stand_where_the_framework_puts_them_and_nowhere_else(row: Row) -> None:
    """By index, or by the lengths and values of runs."""
    expected = np.zeros(row.shape)
    for at in row.fields.get("ones", []):
        expected[tuple(map(int, at))] = 1
    if "runs" in row.fields:
        lengths, values = np.array(row.fields["runs"], dtype=int).T
        expected = np.repeat(values, lengths).reshape(row.shape)

    assert (row.draw() == expected).all()


@pytest.mark.parametrize("row", rows("spot_values", "outer"), ids=str)
def test_an_interpolating_kernel_is_the_outer_product_of_its_profile(row: Row) -> None:
    """For every pair of channels; these profiles are exact in binary."""
    profile = np.array(row.fields["outer"], dtype=float)

    assert (row.draw() == np.broadcast_to(np.outer(profile, profile), row.shape)).all()


@pytest.mark.parametrize("row", rows("spot_values", "zeros_per_column"), ids=str)
def test_every_column_of_a_sparse_matrix_has_as_many_zeros_as_the_frameworks(row: Row) -> None:
    """The share of the rows, rounded up."""
    assert ((row.draw() == 0).sum(axis=0) == int(row.fields["zeros_per_column"])).all()


@pytest.mark.parametrize("row", rows("spot_values", "only_tap"), ids=str)
def test_a_delta_kernel_is_orthogonal_at_the_frameworks_tap_and_zero_elsewhere(row: Row) -> None:
    """W[tap] W[tap]ᵀ = scale² I, to the rounding of sums of so many terms."""
    values, tap = row.draw(), int(row.fields["only_tap"])
    matrix, gram = values[tap], float(row.fields["gram"])

    assert not np.delete(values, tap, axis=0).any()
    assert np.abs(matrix @ matrix.T - gram * np.eye(len(matrix))).max() <= gram * matrix.size * DOUBLE


def test_every_row_holds_a_law_to_something_and_comes_once() -> None:
    """What is left out has a reason."""
    numbers = [row.fields["row"] for row in rows("expected")]

    assert all(row.numbers or row.fields.keys() & {"gain", "factor"} for row in rows("expected"))
    assert len(set(numbers)) == len(numbers)
    assert not set(numbers) & set(DATA["left_out"])
    assert all(DATA["left_out"].values())
