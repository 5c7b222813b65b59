"""Counts, dtypes and plain data with their variables replaced by values."""

from __future__ import annotations

from typing import Any

import pytest

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.expressions import Broken, ToldError, parse_expression
from initcli.spec.scopes import evaluate_count, evaluate_dtype, evaluate_shape, evaluate_value, hint_at_word, names_in

SCOPE: dict[str, Any] = {"d": 8, "h": 2, "kind": "bfloat16", "wrong": Broken()}


def test_a_count_is_whole_and_not_negative() -> None:
    """A literal stays; arithmetic is evaluated, and must come out as a count."""
    assert evaluate_count(3, SCOPE) == 3
    assert evaluate_count(parse_expression("d/h"), SCOPE) == 4
    assert evaluate_shape([parse_expression("d"), None, 5], SCOPE) == (8, None, 5)
    for text, what in (("h-3", "`h-3` is -1, less than 0"), ("h/d", "`h/d` is 1/4, no whole number")):
        with pytest.raises(ArgumentError) as caught:
            evaluate_count(parse_expression(text), SCOPE)
        assert caught.value.faults[0].what == what


def test_a_dtype_may_be_named_by_a_variable_that_is_a_word() -> None:
    """A number is no dtype, and what has no value has been told."""
    assert evaluate_dtype("kind", SCOPE) == DTYPES["bfloat16"]
    assert evaluate_dtype(DTYPES["int8"], SCOPE) == DTYPES["int8"]
    with pytest.raises(ArgumentError, match="`d` is 8, no dtype"):
        evaluate_dtype("d", SCOPE)
    with pytest.raises(ToldError):
        evaluate_dtype("wrong", SCOPE)


@pytest.mark.parametrize(
    ("value", "evaluated"),
    [
        ("2*d", 16),
        ("1/d", 0.125),
        ("sqrt(h*d)", 4),
        ("fan_out", "fan_out"),
        ("kind", "bfloat16"),
        ("abc,cde->abde", "abc,cde->abde"),
        ("calculate_gain(leaky_relu, 1/d)", "calculate_gain(leaky_relu, 0.125)"),
        ("calculate_gain(tanh)", "calculate_gain(tanh)"),
        ([1, "d", {"units": "2*h", "name": "out"}], [1, 8, {"units": 4, "name": "out"}]),
        ((None, True, 0.5), (None, True, 0.5)),
    ],
)
def test_arithmetic_in_plain_data_is_replaced_by_its_value(value: Any, evaluated: Any) -> None:
    """In lists, in mappings and in a call inside a value; text that is neither stays as it is."""
    assert evaluate_value(value, SCOPE) == evaluated


def test_a_word_that_is_refused_is_told_to_be_no_variable() -> None:
    """The hint for `units: hiden` is the variable's name; an error's own hint stays."""
    error = ArgumentError("`units` must be a whole number")

    assert hint_at_word(error, "hiden", {"hidden": 3}) == "did you mean `hidden`?"
    assert hint_at_word(error, "zz", {"hidden": 3}) == "no variable is called `zz`"
    assert hint_at_word(error, "hidden", {"hidden": 3}) == ""
    assert hint_at_word(error, 3, {}) == ""
    assert hint_at_word(ArgumentError("what", "mend"), "zz", {}) == "mend"


def test_names_are_found_in_any_nesting() -> None:
    """What could be a variable, in text, arithmetic, lists and mappings."""
    assert names_in(["a+b", parse_expression("c"), [3, {"x": "d"}], None]) == {"a", "b", "c", "d"}
