"""Values that a spec writes with variables, and their values in a scope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from initcli.calls import parse_call
from initcli.dtypes import DType, parse_dtype
from initcli.errors import ArgumentError, suggest
from initcli.expressions import Broken, Expression, Scope, ToldError, as_count, parse_expression
from initcli.spec import Count, Init

_WORD = re.compile(r"[A-Za-z_]\w*")


def evaluate_count(count: Count, scope: Scope) -> int:
    """Return a count ≥ 0.

    Raises:
        ArgumentError: it is negative or not whole, or its arithmetic has no value.
    """
    if isinstance(count, int):
        return count
    value = as_count(count.evaluate(scope), count.text)
    if value < 0:
        raise ArgumentError(f"`{count.text}` is {value}, less than 0", "it must be a whole number ≥ 0")
    return value


def evaluate_shape(shape: Iterable[Count | None], scope: Scope) -> tuple[int | None, ...]:
    """Return the dimensions; one that is open stays None.

    Raises:
        ArgumentError: as `evaluate_count`.
    """
    return tuple(None if dim is None else evaluate_count(dim, scope) for dim in shape)


def evaluate_dtype(dtype: DType | str, scope: Scope) -> DType:
    """Return an element type, which may be named by a variable.

    Raises:
        ArgumentError: the variable names none.
    """
    if isinstance(dtype, DType):
        return dtype
    word = scope[dtype]
    if isinstance(word, Broken):
        raise ToldError(f"`{dtype}` has no value")
    if not isinstance(word, str):
        raise ArgumentError(f"`{dtype}` is {word}, no dtype", "name one: `float32`, or a variable whose value is one")
    return parse_dtype(word)


def evaluate_formula(text: str, scope: Scope) -> int | float | str:
    """Return what stands behind a `=`: arithmetic, or a variable whose value is a word.

    >>> evaluate_formula("=4*d", {"d": 64}), evaluate_formula("= kind", {"kind": "gelu"})
    (256, 'gelu')

    Raises:
        ArgumentError: it is neither, or has no value.
    """
    formula = text.removeprefix("=").strip()
    word = scope.get(formula)
    if isinstance(word, str):
        return word
    number = parse_expression(formula).evaluate(scope)
    return float(number) if isinstance(number, Fraction) else number


def evaluate_value(value: Any, scope: Scope) -> Any:
    """Return plain data with every variable and all arithmetic in it replaced by its value.

    Text that is neither stays text: `fan_out` where no variable is called so.

    >>> evaluate_value(["2*d", "fan_out", 0.5], {"d": 3})
    [6, 'fan_out', 0.5]

    Raises:
        ArgumentError: arithmetic without a value, or with an unknown variable.
    """
    if isinstance(value, list | tuple):
        return type(value)(evaluate_value(item, scope) for item in value)
    if isinstance(value, dict):
        return {key: evaluate_value(item, scope) for key, item in value.items()}
    if isinstance(value, str):
        word = scope.get(value.strip())
        if isinstance(word, str):
            return word
        if word is None and _WORD.fullmatch(value.strip()):
            return value
        try:
            value = parse_expression(value)
        except ArgumentError:
            return _evaluate_call(value, scope) if "(" in value else value
    if isinstance(value, Expression):
        number = value.evaluate(scope)
        return float(number) if isinstance(number, Fraction) else number
    return value


def _evaluate_call(text: str, scope: Scope) -> str:
    """Return a call with its values in the place of arithmetic: `calculate_gain(leaky_relu, 1/d)`; other text stays."""
    try:
        name, positional, named = parse_call(text)
    except ArgumentError:
        return text
    given, evaluated = (positional, named), evaluate_value([list(positional), named], scope)
    if [list(given[0]), given[1]] == evaluated:
        return text
    return f"{name}({', '.join([*map(str, evaluated[0]), *(f'{key}={value}' for key, value in evaluated[1].items())])})"


def hint_at_word(error: ArgumentError, value: Any, scope: Scope) -> str:
    """Return the hint of an error, or if the value refused is a word, that no variable is called so."""
    hint = error.faults[0].hint
    if hint or not isinstance(value, str) or not _WORD.fullmatch(value.strip()) or value in scope:
        return hint
    return suggest(value, scope) or f"no variable is called `{value}`"


@contextmanager
def naming(parameter: str) -> Iterator[None]:
    """Give an `ArgumentError` that is raised inside the parameter that it is about."""
    try:
        yield
    except ArgumentError as error:
        error.parameter = parameter
        raise


def names_in(values: Iterable[Any]) -> frozenset[str]:
    """Return every word that could be a variable in plain data."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, Expression):
            found |= value.names
        elif isinstance(value, str):
            found.update(_WORD.findall(value))
        elif isinstance(value, Mapping):
            found |= names_in(value.values())
        elif isinstance(value, list | tuple):
            found |= names_in(value)
        elif isinstance(value, Init):
            found |= names_in((*value.positional, *value.arguments.values()))
    return frozenset(found)
