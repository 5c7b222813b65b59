"""Variables: numbers, arithmetic in any order, words; each that has no value says why, once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.expressions import Broken
from initcli.spec.variables import MAX_VARIABLES, resolve_variables


def test_variables_may_use_each_other_in_any_order() -> None:
    """A definition that comes later, a word, a fraction, an unused one."""
    values, errors = resolve_variables({"a": "b/c", "b": "2*c", "c": 3, "kind": "bfloat16", "same": "kind", "q": "c/2"})

    assert errors == {}
    assert values == {"a": 2, "b": 6, "c": 3, "kind": "bfloat16", "same": "bfloat16", "q": Fraction(3, 2)}


@pytest.mark.parametrize(
    ("definitions", "name", "what", "hint"),
    [
        ({"a": "b", "b": "a"}, "b", "a variable is defined by itself: `a` → `b` → `a`", "give one of them a number"),
        ({"a": "a+1"}, "a", "a variable is defined by itself: `a` → `a`", "give one of them a number"),
        ({"layers": 2, "a": "2*layrs"}, "a", "unknown variable `layrs`", "did you mean `layers`?"),
        ({"a": "2*q"}, "a", "unknown variable `q`", "add it to `vars`: `q: 1`"),
        ({"a": True}, "a", "must be a number, arithmetic or a word, not `true`", "for example"),
        ({"a": None}, "a", "must be a number, arithmetic or a word, not `null`", "for example"),
        ({"a": [1]}, "a", "must be a number, arithmetic or a word, not `[1]`", "for example"),
        ({"a": float("nan")}, "a", "`a` must be finite", "write a number"),
        ({"a": ""}, "a", "an empty text is no number", "write numbers"),
        ({"a": "two words"}, "a", "`two words` is no arithmetic", "write numbers"),
        ({"a": "1/0"}, "a", "`1/0` divides by zero", ""),
        ({"1a": 1}, "1a", "a variable cannot be called `1a`", "letters, digits"),
        ({"sqrt": 1}, "sqrt", "a variable cannot be called `sqrt`", "that is a function"),
    ],
)
def test_a_variable_without_a_value_says_why(definitions: dict[str, Any], name: str, what: str, hint: str) -> None:
    """One error, by the variable that it is about, with the way out."""
    values, errors = resolve_variables(definitions)

    assert list(errors) == [name]
    assert what in errors[name].faults[0].what
    assert hint in errors[name].faults[0].hint
    assert isinstance(values[name], Broken)


def test_what_follows_from_a_broken_variable_is_not_told_again() -> None:
    """One slip is one error, however many others use it."""
    values, errors = resolve_variables({"a": "1/0", "b": "a+1", "c": "b*2", "d": 4})

    assert list(errors) == ["a"]
    assert values["d"] == 4
    assert all(isinstance(values[name], Broken) for name in "abc")


def test_too_many_variables_are_refused_with_their_count() -> None:
    """A long chain is evaluated up to the limit, and beyond it is one error."""
    chain: dict[str, Any] = {f"v{i}": f"v{i + 1}" for i in range(MAX_VARIABLES - 1)} | {f"v{MAX_VARIABLES - 1}": 7}

    assert resolve_variables(chain)[0]["v0"] == 7
    _, errors = resolve_variables({**chain, "more": 1})
    assert errors["v0"].faults[0].what == f"{MAX_VARIABLES + 1} variables are too many"


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_definitions_changes_no_value(order: list[str]) -> None:
    """Variables are equations, not steps."""
    definitions = {"a": 5, "b": "a*a", "c": "b-a", "d": "max(b, c)//2"}

    values, errors = resolve_variables({name: definitions[name] for name in order})

    assert not errors
    assert values == {"a": 5, "b": 25, "c": 20, "d": 12}
