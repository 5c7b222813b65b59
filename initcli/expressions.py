"""Arithmetic as people write it in a spec: `d/heads`, `0.02/sqrt(2*layers)`. Read as data, never by `eval`.

`/` of whole numbers is exact, so that a count stays a count: 768/12 is 64, 10/4 is the fraction 5/2 and no 2.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TypeAlias

from initcli.errors import ArgumentError, suggest

Number: TypeAlias = int | float | Fraction


class Broken:
    """The value of a variable whose own fault has been told."""


Scope: TypeAlias = Mapping[str, "Number | str | Broken"]
"""The variables and loop indices that stand at a place, by name; a word is the value of a loop over words."""


class ToldError(ArgumentError):
    """What is wrong follows from a fault that has been told already."""


MAX_TEXT = 1000
MAX_SHOWN = 80
MAX_DEPTH = 50
MAX_BITS = 256
"""A whole number of more bits than this is a slip, and computing on with it could take for ever."""

_DIGITS = Context(prec=50)
"""Logarithms and powers are computed to so many digits and rounded once, so that no C library has a say in them."""


def _sqrt(value: Number) -> Number:
    """Return √value, as a whole number or a fraction where it is one."""
    if not isinstance(value, float) and value >= 0:
        top, bottom = (math.isqrt(part) for part in value.as_integer_ratio())
        if Fraction(top, bottom) ** 2 == value:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _log2(value: Number) -> Number:
    """Return log₂ value, as a whole number where it is one."""
    if value <= 0:
        raise ValueError
    top, bottom = value.as_integer_ratio()
    if top.bit_count() == bottom.bit_count() == 1:
        return top.bit_length() - bottom.bit_length()
    logarithm = _DIGITS.subtract(_DIGITS.ln(Decimal(top)), _DIGITS.ln(Decimal(bottom)))
    return float(_DIGITS.divide(logarithm, _DIGITS.ln(Decimal(2))))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _sqrt,
    "log2": _log2,
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
}
_ARITY = {"sqrt": 1, "log2": 1, "ceil": 1, "floor": 1}
_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True)
class Expression:
    """An expression that has been read: its `text` and its syntax tree."""

    text: str
    tree: ast.expr

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        called = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        return frozenset(n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and id(n) not in called)

    def evaluate(self, scope: Scope) -> Number:
        """Return the value: an int, a float, or a fraction of ints.

        Raises:
            ArgumentError: an unknown name, or arithmetic without a finite result.
        """
        shown = self.text[:MAX_SHOWN]
        try:
            return _bounded(_evaluate(self.tree, scope, shown), shown)
        except ArgumentError:
            raise
        except ZeroDivisionError:
            raise ArgumentError(f"`{shown}` divides by zero") from None
        except (OverflowError, ValueError, DecimalException):
            raise ArgumentError(f"`{shown}` has no finite value") from None


@lru_cache(maxsize=10_000)
def parse_expression(text: str) -> Expression:
    """Return the expression that a text holds.

    >>> parse_expression("d/heads").evaluate({"d": 768, "heads": 12})
    64

    Raises:
        ArgumentError: it is no arithmetic of + − * / // % ** and the functions that there are.
    """
    wrong = f"`{text[:MAX_SHOWN]}` is no arithmetic"
    hint = f"write numbers, variables, + - * / // % ** and {', '.join(FUNCTIONS)}"
    if not text.strip():
        raise ArgumentError("an empty text is no number", hint)
    if len(text) > MAX_TEXT:
        what = f"an expression of {len(text):,} characters is too long"
        raise ArgumentError(what, f"at most {MAX_TEXT:,}; give parts of it names in `vars`")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ArgumentError(wrong, hint) from None
    _check(tree, MAX_DEPTH, wrong, hint)
    return Expression(text, tree)


def _check(node: ast.expr, depth: int, wrong: str, hint: str) -> None:
    """Raise `ArgumentError` unless the tree holds nothing but arithmetic."""
    if depth == 0:
        what = f"an expression is nested more than {MAX_DEPTH} deep"
        raise ArgumentError(what, "give parts of it names in `vars`")
    match node:
        case ast.BinOp(left, operation, right) if isinstance(operation, (*_OPERATORS, ast.Div, ast.Pow)):
            parts = [left, right]
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            parts = [operand]
        case ast.Call(ast.Name(name), [*parts], []):
            if name not in FUNCTIONS:
                raise ArgumentError(f"unknown function `{name}`", suggest(name, FUNCTIONS) or hint)
            if len(parts) != _ARITY.get(name, len(parts)) or not parts:
                what = f"`{name}` takes {_ARITY.get(name, 'at least 1')} value, got {len(parts)}"
                raise ArgumentError(what, f"write `{name}(d)`" if name in _ARITY else f"write `{name}(d, 8)`")
        case ast.Name():
            parts = []
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            parts = []
        case _:
            raise ArgumentError(wrong, hint)
    for part in parts:
        _check(part, depth - 1, wrong, hint)


def _evaluate(node: ast.expr, scope: Scope, text: str) -> Number:
    match node:
        case ast.Constant(int() | float() as number):
            return number
        case ast.Name(name):
            return _look_up(name, scope)
        case ast.UnaryOp(operation, operand):
            value = _evaluate(operand, scope, text)
            return -value if isinstance(operation, ast.USub) else value
        case ast.Call(ast.Name(name), arguments):
            return FUNCTIONS[name](*(_evaluate(each, scope, text) for each in arguments))
        case ast.BinOp(left, operation, right):
            pair = _evaluate(left, scope, text), _evaluate(right, scope, text)
            return _bounded(_combine(operation, *pair), text)
    raise TypeError(f"{type(node).__name__} has not been checked")


def _look_up(name: str, scope: Scope) -> Number:
    value = scope.get(name)
    if isinstance(value, Broken):
        raise ToldError(f"`{name}` has no value")
    if value is None:
        known = [each for each in scope if not isinstance(scope[each], str)]
        there = f"there are: {', '.join(known[:10])}" if known else f"add `vars: {{{name}: 1}}`"
        raise ArgumentError(f"unknown variable `{name}`", suggest(name, known) or there)
    if isinstance(value, str):
        raise ArgumentError(f"`{name}` is the word `{value}` here, no number", "use a number's name")
    return value


def _combine(operation: ast.operator, left: Number, right: Number) -> Number:
    if isinstance(operation, ast.Div):
        if isinstance(left, float) or isinstance(right, float):
            return left / right
        return Fraction(left) / Fraction(right)
    if isinstance(operation, ast.Pow):
        return _power(left, right)
    return _OPERATORS[type(operation)](left, right)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(exponent, int) and not isinstance(base, float):
        numerator, denominator = Fraction(base).as_integer_ratio()
        if max(abs(numerator).bit_length() - 1, denominator.bit_length() - 1) * abs(exponent) > MAX_BITS:
            raise OverflowError
        return Fraction(base) ** exponent
    if base == 0 or exponent == 0:
        return math.pow(base, exponent)
    return float(_DIGITS.power(Decimal(float(base)), Decimal(float(exponent))))


def _bounded(value: Number, text: str) -> Number:
    """Return the value, a whole fraction as an int; too large a one has no place in a spec."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise OverflowError
        return value
    numerator, denominator = value.as_integer_ratio()
    if max(abs(numerator).bit_length(), denominator.bit_length()) > MAX_BITS:
        raise ArgumentError(f"`{text}` is too large a number")
    return numerator if denominator == 1 else value


def as_count(value: Number, text: str) -> int:
    """Return a value as a count.

    >>> as_count(parse_expression("sqrt(64)").evaluate({}), "sqrt(64)")
    8

    Raises:
        ArgumentError: it is not whole.
    """
    if value != int(value):
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        what = f"`{text}` is no whole number" if shown == text.strip() else f"`{text}` is {shown}, no whole number"
        raise ArgumentError(what, "`//` divides and leaves the rest away" if "/" in text else "write a whole one")
    return int(value)
