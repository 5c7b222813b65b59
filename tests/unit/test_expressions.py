"""Arithmetic in a spec: its values, what it refuses, and that it always ends."""

from __future__ import annotations

import ast
import math
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.errors import ArgumentError
from initcli.expressions import as_count, parse_expression

SCOPE: dict[str, Any] = {"d": 768, "heads": 12, "layers": 24, "rate": 0.1, "proj": "q"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("d", 768),
        ("d/heads", 64),
        ("10/4", Fraction(5, 2)),
        ("10//4", 2),
        ("-7 % 4", 1),
        ("2**10", 1024),
        ("2**-1", Fraction(1, 2)),
        ("2**0.5", 2**0.5),
        ("0.02/sqrt(2*layers)", 0.02 / math.sqrt(48)),
        ("ceil(d/16)", 48),
        ("ceil(7/2) + floor(7/2)", 7),
        ("min(d, 5, layers)", 5),
        ("max(1, 2)", 2),
        ("log2(8)", 3),
        ("log2(1/8)", -3),
        ("log2(10)", 3.321928094887362),
        ("sqrt(9/4)", Fraction(3, 2)),
        ("sqrt(3)", math.sqrt(3)),
        ("8**(1/3)", 2.0),
        ("0**0.5", 0.0),
        ("rate * 2", 0.2),
        ("1e-3", 0.001),
        ("(1/3) * 3", 1),
        ("1/3 + 0.5", 1 / 3 + 0.5),
    ],
)
def test_arithmetic_gives_what_a_reader_expects(text: str, value: Any) -> None:
    """Whole numbers and their fractions are exact; a float makes the rest float."""
    found = parse_expression(text).evaluate(SCOPE)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hiden", "unknown variable `hiden`"),
        ("proj + 1", "`proj` is the word `q` here, no number"),
        ("1/0", "divides by zero"),
        ("1.0/0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("9**9**9", "no finite value"),
        ("2**99999999999", "no finite value"),
        ("10.0**400", "no finite value"),
        ("(-8)**0.5", "no finite value"),
        ("sqrt(-1)", "no finite value"),
        ("log2(0)", "no finite value"),
        ("*".join(["1000000000"] * 20), "too large"),
        ("1+" * 60 + "1", "nested more than 50 deep"),
        ("(" * 300 + "1" + ")" * 300, "no arithmetic"),
        ("1" * 2000, "too long"),
        ("1" * 900, "too large"),
        ("sqr(4)", "unknown function `sqr`"),
        ("sqrt(1, 2)", "takes 1 value"),
        ("min()", "takes at least 1 value"),
        ("d.real", "no arithmetic"),
        ("__import__('os')", "unknown function"),
        ("[1][0]", "no arithmetic"),
        ("(lambda: 1)()", "no arithmetic"),
        ("'a' * 3", "no arithmetic"),
        ("True + 1", "no arithmetic"),
        ("1 if d else 2", "no arithmetic"),
        ("d < 3", "no arithmetic"),
        ("d +", "no arithmetic"),
        ("", "an empty text is no number"),
        ("1; 2", "no arithmetic"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, what: str) -> None:
    """Nothing is run, nothing hangs, and the message tells what it was."""
    with pytest.raises(ArgumentError) as caught:
        parse_expression(text).evaluate(SCOPE)

    assert what in caught.value.faults[0].what


def test_a_misspelt_variable_is_suggested() -> None:
    """The hint names the variable that was meant."""
    with pytest.raises(ArgumentError) as caught:
        parse_expression("2*haeds").evaluate(SCOPE)

    assert caught.value.faults[0].hint == "did you mean `heads`?"


def test_a_count_is_whole() -> None:
    """Four fifths of a row are no shape."""
    assert as_count(Fraction(8, 2), "8/2") == 4
    assert as_count(3.0, "log2(8)") == 3
    with pytest.raises(ArgumentError, match="`d/7` is 768/7, no whole number"):
        as_count(Fraction(768, 7), "d/7")
    with pytest.raises(ArgumentError, match=r"`x` is 2\.5, no whole number"):
        as_count(2.5, "x")


numbers = st.one_of(st.integers(0, 50).map(str), st.sampled_from(["d", "heads", "layers"]))
arithmetic = st.recursive(
    numbers,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner),
    max_leaves=8,
)


@given(arithmetic)
def test_whole_arithmetic_is_that_of_fractions(text: str) -> None:
    """Python's own fractions give the same, whatever the expression, or both divide by zero."""

    class Exact(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.expr:
            return ast.Call(ast.Name("Fraction", ast.Load()), [node], [])

        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            """Return whole quotients as fractions too, where Python's `//` makes an int of them."""
            return ast.Call(ast.Name("Fraction", ast.Load()), [self.generic_visit(node)], [])

    tree = ast.fix_missing_locations(Exact().visit(ast.parse(text, mode="eval")))
    names = {name: Fraction(SCOPE[name]) for name in ("d", "heads", "layers")}
    try:
        expected = eval(compile(tree, "", "eval"), {"Fraction": Fraction, **names})
    except ZeroDivisionError:
        with pytest.raises(ArgumentError, match="divides by zero"):
            parse_expression(text).evaluate(SCOPE)
    else:
        assert parse_expression(text).evaluate(SCOPE) == expected


@given(st.text(max_size=60))
def test_any_text_has_a_value_or_a_clean_error(text: str) -> None:
    """Whatever stands there, it ends, and in one of two ways."""
    with suppress(ArgumentError):
        assert isinstance(parse_expression(text).evaluate(SCOPE), int | float | Fraction)
